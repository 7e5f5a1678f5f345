"""Bernoulli's distribution, relaxed to numbers between 0 and 1."""

from __future__ import annotations

from .._core import Tensor
from ..nn.functional import softplus
from . import constraints
from .parameters import broadcast_all
from .relaxed import Relaxed
from .transforms import SigmoidTransform
from .trials import Trials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from typing_extensions import Self

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(Trials):
    """The logarithms of the odds of a `RelaxedBernoulli`: logistic, about `logits`, over the `temperature`.

    Source: Maddison, Mnih and Teh, "The concrete distribution", 2017, appendix B.
    """

    support = constraints.real
    has_rsample = True

    def __init__(
        self,
        temperature: Tensor | float,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self.temperature = temperature
        super().__init__(probs, logits, validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        new = super().expand(batch_shape, _instance)
        new.temperature = self.temperature
        return new

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        u = self._uniform(sample_shape, self._given())
        return (u.logit() + self.logits) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, x, temperature = broadcast_all(self.logits, value, self.temperature)
        away = logits - x * temperature
        return temperature.log() + away - 2 * softplus(away)


class RelaxedBernoulli(Relaxed):
    """Numbers of (0, 1) that approach a `Bernoulli`'s as the `temperature` falls to 0, and have a gradient.

    `probs` or `logits` is given; the temperature, a tensor, broadcasts with it.

    Source: Jang, Gu and Poole, "Categorical reparameterization with Gumbel-softmax", 2017.
    """

    arg_constraints = Trials.arg_constraints
    support = constraints.unit_interval
    base_dist: LogitRelaxedBernoulli

    def __init__(
        self,
        temperature: Tensor | float,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits, validate_args)
        super().__init__(base, SigmoidTransform(), validate_args)
