"""The absolute value of a normal variable."""

from __future__ import annotations

from math import inf, log, pi, sqrt

from .. import _core
from .._core import Tensor
from . import constraints
from .distribution import Distribution
from .parameters import broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HalfNormal"]


class HalfNormal(Distribution):
    """The distribution of ``|x|`` for x normal with mean 0 and standard deviation `scale`."""

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None) -> None:
        (self.scale,) = broadcast_all(scale)
        super().__init__(self.scale.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale * sqrt(2 / pi)

    @property
    def mode(self) -> Tensor:
        return _core.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return self.scale.square() * (1 - 2 / pi)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return (self._normal(sample_shape, self.scale) * self.scale).abs()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        density = -value.square() / (2 * self.scale.square()) - self.scale.log() + log(2 / pi) / 2
        return _core.where(value >= 0, density, -inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return (value / (self.scale * sqrt(2))).erf()

    def icdf(self, value: Tensor) -> Tensor:
        return self.scale * value.erfinv() * sqrt(2)

    def entropy(self) -> Tensor:
        return self.scale.log() + (log(pi / 2) + 1) / 2
