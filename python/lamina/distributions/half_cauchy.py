"""The absolute value of a Cauchy variable."""

from __future__ import annotations

from math import inf, pi

from .. import _core
from .._core import Tensor
from .cauchy import Cauchy
from .half import Half

__all__ = ["HalfCauchy"]


class HalfCauchy(Half):
    """The distribution of ``|x|`` for x of Cauchy's distribution about 0: its mean is infinite, its median `scale`."""

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0.0, scale, validate_args=False), validate_args)

    @property
    def mean(self) -> Tensor:
        return _core.full_like(self.scale, inf)

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return (value / self.scale).atan() * (2 / pi)
