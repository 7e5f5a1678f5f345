"""The gamma distribution."""

from __future__ import annotations

from .. import _core
from .._core import Tensor, digamma, lgamma
from ..dtypes import finfo
from ..functions.gamma_family import igamma
from . import constraints
from .exp_family import ExponentialFamily
from .gamma_samples import sample_log_gamma
from .parameters import broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Gamma"]


class Gamma(ExponentialFamily):
    """Density ``rate^a x^(a-1) exp(-rate x) / gamma(a)`` for the `concentration` a, which broadcasts with `rate`."""

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, concentration: Tensor | float, rate: Tensor | float, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.square()

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        numbers = sample_log_gamma(self.concentration.expand(shape)).exp() / self.rate
        return numbers.clamp(min=finfo(numbers.dtype).tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        value = _core.as_tensor(value, dtype=self.rate.dtype, device=self.rate.device)
        self._validate_sample(value)
        a = self.concentration
        return a.xlogy(self.rate) + (a - 1).xlogy(value) - self.rate * value - lgamma(a)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return igamma(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + lgamma(a) + (1 - a) * digamma(a)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        logarithmic, linear = natural_params
        return lgamma(logarithmic + 1) - (logarithmic + 1) * (-linear).log()

    @property
    def _mean_carrier_measure(self) -> float:
        return 0.0
