"""Comparisons of whole tensors and comparisons up to a tolerance."""

from __future__ import annotations

from .._core import Tensor
from .arguments import as_number, composed

__all__ = ["allclose", "isclose", "isneginf", "isposinf"]


@composed
def isclose(
    input: Tensor,
    other: Tensor,
    rtol: float | Tensor = 1e-05,
    atol: float | Tensor = 1e-08,
    equal_nan: bool = False,
) -> Tensor:
    """Element by element ``|input - other| <= atol + rtol * |other|``; infinities are close to themselves only."""
    if input.dtype != other.dtype:
        raise RuntimeError(f"isclose: expected both tensors of one dtype, got {input.dtype} and {other.dtype}")
    rtol, atol = as_number("isclose", "rtol", rtol), as_number("isclose", "atol", atol)
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"isclose: tolerances must not be negative, got rtol={rtol} and atol={atol}")
    a, b = input.detach(), other.detach()
    close = a == b
    inexact = a.dtype.is_floating_point or a.dtype.is_complex
    if inexact and equal_nan:
        close = close | (a.isnan() & b.isnan())
    if rtol == 0 and atol == 0:
        return close
    # Integers are compared in float64: their difference may not fit their type.
    if not inexact:
        a, b = a.double(), b.double()
    error = (a - b).abs()
    return close | (error.isfinite() & (error <= (b * rtol).abs() + atol))


@composed
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether `isclose` holds for every element."""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


@composed
def isposinf(input: Tensor) -> Tensor:
    """Where `input` is +inf."""
    return input.isinf() & (input > 0)


@composed
def isneginf(input: Tensor) -> Tensor:
    """Where `input` is -inf."""
    return input.isinf() & (input < 0)
