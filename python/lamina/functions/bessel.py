"""Modified Bessel functions of the first kind, of orders 0 and 1, and their forms scaled by ``exp(-|x|)``.

Up to 20 the power series, all of whose terms are positive; beyond, the asymptotic series. Both reach the end of
float64 there. Source: Abramowitz and Stegun, 9.6.10 and 9.7.1.
"""

from __future__ import annotations

from math import pi

from .. import _core
from .._core import Tensor
from ..dtypes import real_type
from .arguments import composed_as

__all__ = ["i0", "i0e", "i1", "i1e"]

_BORDER = 20.0
_SERIES_TERMS = 60
_ASYMPTOTIC_TERMS = 30


def _evaluated(input: Tensor, order: int, scaled: bool) -> Tensor:
    real = input.to(real_type(f"i{order}{'e' if scaled else ''}", input.dtype))
    x = real.double()
    size = x.abs()
    small, large = x.clamp(-_BORDER, _BORDER), size.clamp(min=_BORDER)
    quarter = small.square() / 4
    series = _core.ones_like(small)
    for k in range(_SERIES_TERMS, 0, -1):
        series = series * quarter * (1 / (k * (k + order))) + 1
    asymptotic = _core.ones_like(large)
    for k in range(_ASYMPTOTIC_TERMS, 0, -1):
        asymptotic = asymptotic * (((2 * k - 1) ** 2 - 4 * order) / (8 * k)) / large + 1
    asymptotic = asymptotic / large.sqrt() / (2 * pi) ** 0.5
    if order:
        series, asymptotic = series * small / 2, asymptotic * x.sign()
    result = _core.where(size > _BORDER, asymptotic, series * small.abs().neg().exp())
    return (result if scaled else result * size.exp()).to(real.dtype)


@composed_as("I0")
def i0(input: Tensor) -> Tensor:
    """The modified Bessel function of order 0; NaN at infinity, as in PyTorch."""
    return _evaluated(input, 0, False)


@composed_as("SpecialI0E")
def i0e(input: Tensor) -> Tensor:
    """``exp(-|x|) i0(x)``."""
    return _evaluated(input, 0, True)


@composed_as("SpecialI1")
def i1(input: Tensor) -> Tensor:
    """The modified Bessel function of order 1; odd."""
    return _evaluated(input, 1, False)


@composed_as("SpecialI1E")
def i1e(input: Tensor) -> Tensor:
    """``exp(-|x|) i1(x)``."""
    return _evaluated(input, 1, True)
