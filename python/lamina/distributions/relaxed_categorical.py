"""The categorical distribution of one-hot vectors, relaxed to probability vectors."""

from __future__ import annotations

from math import lgamma

from .._core import Tensor
from . import constraints
from .categories import Categories
from .relaxed import Relaxed
from .transforms import ExpTransform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from typing_extensions import Self

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]


class ExpRelaxedCategorical(Categories):
    """The logarithms of a `RelaxedOneHotCategorical`'s values.

    Source: Maddison, Mnih and Teh, "The concrete distribution", 2017, appendix C.
    """

    support = constraints.real_vector  # of those whose exponentials add up to 1
    has_rsample = True

    def __init__(
        self,
        temperature: Tensor | float,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self.temperature = temperature if isinstance(temperature, Tensor) else float(temperature)
        super().__init__(probs, logits, validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        new = super().expand(batch_shape, _instance)
        new.temperature = self.temperature
        return new

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        gumbel = -(-self._uniform(sample_shape, self.logits).log()).log()
        return ((self.logits + gumbel) / self.temperature).log_softmax(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self._event_shape[0]
        scores = (self.logits - value * self.temperature).log_softmax(-1).sum(-1)
        temperature = scores.new_tensor(self.temperature) if isinstance(self.temperature, float) else self.temperature
        each = temperature.squeeze(-1) if temperature.dim() else temperature
        return scores + (n - 1) * each.log() + lgamma(n)


class RelaxedOneHotCategorical(Relaxed):
    """Probability vectors that approach a `OneHotCategorical`'s as the `temperature` falls to 0, and have a gradient.

    `probs` (..., n) or `logits` is given; the temperature is a number, or (..., 1): one for each of the batch.

    Source: Jang, Gu and Poole, "Categorical reparameterization with Gumbel-softmax", 2017.
    """

    arg_constraints = Categories.arg_constraints
    support = constraints.simplex
    base_dist: ExpRelaxedCategorical

    def __init__(
        self,
        temperature: Tensor | float,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args)
        super().__init__(base, ExpTransform(), validate_args)
