"""Functions of whole numbers: divisors, multiples, shifts."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .arguments import composed
from .shaping import broadcast_tensors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._typing import Number

__all__ = ["bitwise_left_shift", "bitwise_right_shift", "gcd", "lcm"]


def _check_whole(name: str, *tensors: Tensor) -> None:
    for tensor in tensors:
        if tensor.dtype.is_floating_point or tensor.dtype == _core.bool:
            raise RuntimeError(f'"{name}" not implemented for {tensor.dtype}: expected integers')


@composed
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor, elementwise; not negative, and 0 of two zeros. By Euclid's algorithm."""
    _check_whole("gcd", input, other)
    kind = _core.result_type(input, other)
    larger, smaller = broadcast_tensors(input.to(_core.int64).abs(), other.to(_core.int64).abs())
    while bool((smaller != 0).any()):
        ended = smaller == 0
        rest = larger.remainder(_core.where(ended, 1, smaller))
        larger, smaller = _core.where(ended, larger, smaller), _core.where(ended, 0, rest)
    return larger.to(kind).clone()


@composed
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple, elementwise; not negative, and 0 where either is 0."""
    _check_whole("lcm", input, other)
    divisor: Tensor = gcd(input, other)
    return ((input // _core.where(divisor == 0, 1, divisor)) * other).abs()


@composed
def bitwise_left_shift(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input << other``: times two to the power of `other`, of which the upper bits are lost."""
    _check_whole("lshift_cpu", input)
    kind = _core.result_type(input, other)
    shift = other.to(_core.int64) if isinstance(other, Tensor) else _core.tensor(other)
    bits = kind.itemsize * 8
    shifted = input.to(_core.int64) * 2 ** shift.clamp(0, 62)
    return _core.where((shift < 0) | (shift >= bits), 0, shifted).to(kind)


@composed
def bitwise_right_shift(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input >> other``: divided by two to the power of `other`, towards minus infinity."""
    _check_whole("rshift_cpu", input)
    kind = _core.result_type(input, other)
    shift = other.to(_core.int64) if isinstance(other, Tensor) else _core.tensor(other)
    shift = _core.where(shift < 0, 62, shift.clamp(max=62))  # as PyTorch: a shift out of range shifts all out
    return input.to(_core.int64).div(2**shift, rounding_mode="floor").to(kind)
