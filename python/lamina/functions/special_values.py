"""Elementwise functions of mathematics that are composed: steps, neighbors, powers of two."""

from __future__ import annotations

from math import inf, log, nan, pi

from .. import _core
from .._core import Tensor
from ..dtypes import real_type, scalar_name
from ..return_types import frexp as Frexp
from .arguments import composed, composed_as
from .computed import with_gradient
from .pointwise import logaddexp, times_log, xlogy
from .shaping import broadcast_tensors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._typing import Number

__all__ = [
    "entr",
    "erfcx",
    "float_power",
    "float_power_",
    "frexp",
    "heaviside",
    "ldexp",
    "log_ndtr",
    "logaddexp2",
    "ndtr",
    "ndtri",
    "nextafter",
    "xlog1py",
]


def _real(function: str, input: Tensor) -> Tensor:
    return input.to(real_type(function, input.dtype))


@composed
def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 for negative numbers, 1 for positive ones, and `values` at 0. RuntimeError if the types differ."""
    if input.is_complex() or values.is_complex():
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if input.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return _core.where(input == 0, values, (input > 0).to(input.dtype))


@composed
def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The next representable number after `input` in the direction of `other`; `other` where they are equal.

    The gradient by `input` is that of ``input + constant``, and 0 where they are equal.
    """
    kind = _core.result_type(input, other)
    if not kind.is_floating_point:
        raise NotImplementedError(f"\"nextafter_cpu\" not implemented for '{scalar_name(kind)}'")
    operands = broadcast_tensors(input.to(kind), other.to(kind))
    x, y = (operand.detach().clone() for operand in operands)
    whole = {2: _core.int16, 4: _core.int32, 8: _core.int64}[kind.itemsize]
    # Of one sign, the bits of floats are in the order of the numbers.
    towards_zero = (x > y) == (x > 0)
    stepped = (x.view(whole) + _core.where(towards_zero, -1, 1).to(whole)).view(kind)
    smallest = _core.ones_like(x, dtype=whole).view(kind)
    moved = _core.where(x == 0, _core.copysign(smallest, y), stepped)
    result = _core.where(x.isnan() | y.isnan(), nan, _core.where(x == y, y, moved))
    return with_gradient(
        result, lambda upstream: (_core.where(x == y, 0, upstream), _core.zeros_like(upstream)), *operands
    )


@composed_as("Logaddexp2", rounded_once=True)
def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """``log2(2**input + 2**other)`` without overflow."""
    kind = _core.result_type(input, other)
    kind = real_type("logaddexp2", kind)
    return logaddexp(input.to(kind) * log(2), other.to(kind) * log(2)) / log(2)


@composed
def float_power(input: Tensor | Number, exponent: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """``input ** exponent`` in float64, or complex128. RuntimeError if `out` is of another type."""
    if out is not None:
        _check_double("output", "float_power", out, input, exponent)
        filled: Tensor = _core._put_into_out("float_power", float_power(input, exponent), out, (input, exponent))
        return filled
    base: Any = _double(input)
    power: Any = _double(exponent)
    result: Tensor = base**power
    return result


def _double(x: Tensor | Number) -> Tensor | Number:
    if isinstance(x, Tensor):
        return x.cdouble() if x.is_complex() else x.double()
    return x if isinstance(x, complex) else float(x)


def float_power_(self: Tensor, exponent: Tensor | Number) -> Tensor:
    """In-place form of `float_power`: RuntimeError for what is not float64."""
    _check_double("base", "float_power_", self, self, exponent)
    return self.pow_(exponent)


def _check_double(role: str, function: str, tensor: Tensor, *operands: Tensor | Number) -> None:
    found = any(x.is_complex() if isinstance(x, Tensor) else isinstance(x, complex) for x in operands)
    required = _core.complex128 if found else _core.float64
    if tensor.dtype != required:
        raise RuntimeError(
            f"the {role} given to {function} has dtype {scalar_name(tensor.dtype)} "
            f"but the operation's result requires dtype {scalar_name(required)}"
        )


@composed
def frexp(input: Tensor, *, out: tuple[Tensor, Tensor] | None = None) -> Frexp:
    """``(mantissa, exponent)`` with ``input == mantissa * 2**exponent``, mantissas in [1/2, 1) or 0, exponents int32.

    Infinities and NaN are their own mantissas, with exponent 0.
    """
    if not input.dtype.is_floating_point:
        raise RuntimeError(f"torch.frexp() only supports floating-point dtypes, got {input.dtype}")
    if out is not None:
        for part, name, kind in zip(out, ("mantissa", "exponent"), (input.dtype, _core.int32), strict=True):
            if part.dtype != kind:
                wanted = "int dtype" if name == "exponent" else f"dtype {kind}"
                raise RuntimeError(f"torch.frexp() expects {name} to have {wanted} but got {part.dtype}")
        filled: Frexp = _core._put_into_out("frexp", frexp(input), out, (input,))
        return filled
    x = input.double()
    # A float64's exponent has 11 bits behind its 52 digits; numbers too small to have one are scaled up first.
    tiny = x.detach().abs() < 2.0**-1022
    scaled = _core.where(tiny, x.detach() * 2.0**54, x.detach())
    bits = scaled.contiguous().view(_core.int64).bitwise_and(0x7FF << 52).div(1 << 52, rounding_mode="floor")
    exponent = _core.where((x == 0) | ~x.isfinite(), 0, bits - 1022 - _core.where(tiny, 54, 0))
    # Two factors, since one could be beyond the largest number.
    half = exponent.div(2, rounding_mode="floor")
    mantissa = x
    for part in (half, exponent - half):
        mantissa = mantissa * ((1023 - part) * (1 << 52)).view(_core.float64)
    return Frexp(mantissa.to(input.dtype), exponent.to(_core.int32))


@composed
def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """``input * 2**other``."""
    two = _core.tensor(2.0, dtype=input.dtype if input.dtype.is_floating_point else None)
    return input * two**other


@composed_as("SpecialXlog1Py", rounded_once=True)
def xlog1py(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input * log1p(other)``, 0 where `input` is 0, and NaN where `other` is."""
    return times_log(input, other, 1)


@composed_as("SpecialEntr")
def entr(input: Tensor) -> Tensor:
    """``-x log x``, 0 at 0 and -inf below."""
    zero = input == 0
    steep = _core.where(zero, input, 1.0).sqrt()  # 0, and the slope is infinite
    inside = _core.where(zero, 1.0, input)
    return _core.where(input < 0, -inf, _core.where(zero, steep, -xlogy(inside, inside)))


@composed_as("SpecialNdtr")
def ndtr(input: Tensor) -> Tensor:
    """The normal distribution function: the area below `input`."""
    area: Tensor = (_real("ndtr", input) * -(0.5**0.5)).erfc() / 2
    return area


@composed
def ndtri(input: Tensor) -> Tensor:
    """The inverse of `ndtr`: below which number the area `input` lies; NaN beyond 0 and 1."""
    return _core._ndtri(input)


@composed
def erfcx(input: Tensor) -> Tensor:
    """``exp(x**2) erfc(x)``, where neither factor can be written, too."""
    return _core._erfcx(input)


@composed_as("SpecialLogNdtr")
def log_ndtr(input: Tensor) -> Tensor:
    """The logarithm of `ndtr`, right where that vanishes: erfc's continued fraction below -5, A. and S., 7.1.14."""
    real = _real("log_ndtr", input)
    x = real.double()
    z = x.clamp(max=-5.0) * -(0.5**0.5)
    fraction = z
    for level in range(40, 0, -1):
        fraction = z + level / 2 / fraction
    far = -z.square() - (fraction * (2 * pi**0.5)).log()
    near = ndtr(x.clamp(min=-5.0)).log()
    return _core.where(x < -5, far, near).to(real.dtype)
