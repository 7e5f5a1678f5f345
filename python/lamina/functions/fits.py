"""Functions of float64 that are computed by polynomials fitted to them, piece by piece."""

from __future__ import annotations

from .._core import Tensor
from ..dtypes import real_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["by_double", "polynomial"]


def by_double(function: str, compute: Callable[[Tensor], Tensor], input: Tensor) -> Tensor:
    """`compute` of `input` as float64, in the floating-point type that `input` has or integers are promoted to."""
    kind = real_type(function, input.dtype)
    return compute(input.double()).to(kind)


def polynomial(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    """``c[0] + c[1] x + c[2] x**2 + …``, by Horner's rule."""
    total = x * coefficients[-1] + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        total = total * x + coefficient
    return total
