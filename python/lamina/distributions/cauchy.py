"""Cauchy's distribution."""

from __future__ import annotations

from math import inf, log, nan, pi

from .. import _core
from .._core import Tensor
from ..functions.scattering import cauchy_
from .location_scale import LocationScale

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Cauchy"]


class Cauchy(LocationScale):
    """The ratio of two normal variables, times `scale`, plus `loc` (its median): it has no mean and no variance."""

    @property
    def mean(self) -> Tensor:
        return _core.full_like(self.loc, nan)

    @property
    def variance(self) -> Tensor:
        return _core.full_like(self.loc, inf)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.loc + cauchy_(self.loc.new_empty(self._extended_shape(sample_shape))) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -log(pi) - self.scale.log() - ((value - self.loc) / self.scale).square().log1p()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return (pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        return log(4 * pi) + self.scale.log()
