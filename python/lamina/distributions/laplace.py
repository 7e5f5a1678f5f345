"""Laplace's distribution."""

from __future__ import annotations

from math import sqrt

from .._core import Tensor
from .location_scale import LocationScale

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Laplace"]


class Laplace(LocationScale):
    """Density ``exp(-|x - loc| / scale) / (2 scale)``; `loc` and `scale` broadcast."""

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return self.scale * sqrt(2)

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.square()

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self._quantile(self._uniform(sample_shape, self.loc))

    def _quantile(self, p: Tensor) -> Tensor:
        centred = p - 0.5
        return self.loc - self.scale * centred.sign() * (-2 * centred.abs()).log1p()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        away = value - self.loc
        return 0.5 - 0.5 * away.sign() * (-away.abs() / self.scale).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        return self._quantile(value)

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()
