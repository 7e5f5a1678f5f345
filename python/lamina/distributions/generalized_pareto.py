"""The generalized Pareto distribution."""

from __future__ import annotations

from math import factorial, inf, nan

from .. import _core
from .._core import Tensor
from . import constraints
from .distribution import Distribution
from .parameters import broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GeneralizedPareto"]

_SMALL = 0.01  # below it, series: the quotients lose all digits, their derivatives first
_TERMS = 8


class GeneralizedPareto(Distribution):
    """Excesses over a threshold `loc`: ``cdf(x) = 1 - (1 + c z)^(-1/c)`` with ``z = (x - loc) / scale``.

    The `concentration` c may be of either sign: at 0 the distribution is exponential, below 0 it ends at
    ``loc - scale / c``. The three parameters broadcast.

    Source: Pickands, "Statistical inference using extreme order statistics", 1975.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(
        self,
        loc: Tensor | float,
        scale: Tensor | float,
        concentration: Tensor | float,
        validate_args: bool | None = None,
    ) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> constraints.Constraint:
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, end.where(self.concentration < 0, inf))

    @property
    def mean(self) -> Tensor:
        """NaN for a concentration from 1 on."""
        return (self.loc + self.scale / (1 - self.concentration)).where(self.concentration < 1, nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """NaN for a concentration from 1/2 on."""
        c = self.concentration
        return (self.scale.square() / ((1 - c).square() * (1 - 2 * c))).where(c < 0.5, nan)

    def _surprise(self, z: Tensor) -> Tensor:
        """``-log(1 - cdf)``: ``log1p(c z) / c``."""
        product = self.concentration * z
        large = product.abs() >= _SMALL  # not so for 0 times infinity
        series = z * _series(product.where(product.abs() < _SMALL, 0.0), [(-1) ** k / (k + 1) for k in range(_TERMS)])
        return (product.where(large, 1.0).log1p() / self.concentration.where(large, 1.0)).where(large, series)

    def _excess(self, surprise: Tensor) -> Tensor:
        """The inverse of `_surprise`: ``expm1(c s) / c``."""
        product = self.concentration * surprise
        large = product.abs() >= _SMALL
        series = surprise * _series(
            product.where(product.abs() < _SMALL, 0.0), [1 / factorial(k + 1) for k in range(_TERMS)]
        )
        return (product.where(large, 1.0).expm1() / self.concentration.where(large, 1.0)).where(large, series)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.icdf(self._uniform(sample_shape, self.loc))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return -(1 + self.concentration) * self._surprise(z) - self.scale.log()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -self.log_survival_function(value).expm1()

    def log_cdf(self, value: Tensor) -> Tensor:
        return (-self.log_survival_function(value).expm1()).log()

    def log_survival_function(self, value: Tensor) -> Tensor:
        """``log(1 - cdf(value))``, exact far out."""
        return -self._surprise((value - self.loc) / self.scale)

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * self._excess(-(-value).log1p())

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1


def _series(x: Tensor, coefficients: list[float]) -> Tensor:
    total = _core.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total
