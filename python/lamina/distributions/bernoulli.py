"""Bernoulli's distribution."""

from __future__ import annotations

from math import nan

from .. import _core
from .._core import Tensor
from ..autograd.modes import no_grad
from ..nn.functional import binary_cross_entropy_with_logits, softplus
from . import constraints
from .exp_family import ExponentialFamily
from .parameters import broadcast_all
from .trials import Trials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Bernoulli"]


class Bernoulli(Trials, ExponentialFamily):
    """1 with probability `probs`, or with odds of logarithm `logits`, else 0. Exactly one of the two is given."""

    support = constraints.boolean
    has_enumerate_support = True

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return (self.probs > 0.5).to(self.probs.dtype).where(self.probs != 0.5, nan)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            return self.probs.expand(self._extended_shape(sample_shape)).bernoulli()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, outcome = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, outcome, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        given = self._given()
        return self._along_batch(_core.arange(2, dtype=given.dtype, device=given.device), expand)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        return softplus(natural_params[0])

    @property
    def _mean_carrier_measure(self) -> float:
        return 0.0
