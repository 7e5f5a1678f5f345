"""The absolute value of a normal variable."""

from __future__ import annotations

from math import pi, sqrt

from .._core import Tensor
from .half import Half
from .normal import Normal

__all__ = ["HalfNormal"]


class HalfNormal(Half):
    """The distribution of ``|x|`` for x normal with mean 0 and standard deviation `scale`."""

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None) -> None:
        super().__init__(Normal(0.0, scale, validate_args=False), validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale * sqrt(2 / pi)

    @property
    def variance(self) -> Tensor:
        return self.scale.square() * (1 - 2 / pi)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return (value / (self.scale * sqrt(2))).erf()

    def icdf(self, value: Tensor) -> Tensor:
        return self.scale * value.erfinv() * sqrt(2)
