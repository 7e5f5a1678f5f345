"""Functions of whole numbers: divisors, multiples, shifts."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import scalar_name
from ..looking import holds_somewhere
from .arguments import composed, is_numpy_number
from .shaping import broadcast_tensors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._core import dtype as DType
    from .._typing import Number

__all__ = ["SHIFT_OPERATORS", "bitwise_left_shift", "bitwise_right_shift", "gcd", "lcm"]


def _whole_type(name: str, input: Tensor | Number, other: Tensor | Number) -> DType:
    kind = _core.result_type(input, other)
    if kind.is_floating_point or kind == _core.bool:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{scalar_name(kind)}': expected integers")
    return kind


@composed
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor, elementwise; not negative, and 0 of two zeros. By Euclid's algorithm."""
    kind = _whole_type("gcd", input, other)
    larger, smaller = broadcast_tensors(_as_whole(input, kind).abs(), _as_whole(other, kind).abs())
    while holds_somewhere(smaller != 0):
        ended = smaller == 0
        rest = larger.remainder(_core.where(ended, 1, smaller))
        larger, smaller = _core.where(ended, larger, smaller), _core.where(ended, 0, rest)
    return larger.to(kind).clone()


@composed
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple, elementwise; not negative, and 0 where either is 0."""
    kind = _whole_type("lcm", input, other)
    divisor: Tensor = gcd(input, other)
    return ((input.to(kind) // _core.where(divisor == 0, 1, divisor)) * other.to(kind)).abs()


def _as_whole(value: Tensor | Number, kind: DType) -> Tensor:
    """`value` as the type `kind` stores it, in int64."""
    return _core.as_tensor(value).to(kind).to(_core.int64)


@composed
def bitwise_left_shift(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input << other``: times two to the power of `other`, of which the upper bits are lost."""
    kind = _whole_type("lshift", input, other)
    number, shift = _as_whole(input, kind), _as_whole(other, kind)
    first = shift.clamp(0, 32)  # int64 has no 2**63 to multiply by at once
    shifted = number * 2**first * 2 ** (shift.clamp(0, 63) - first)
    return _core.where((shift < 0) | (shift >= kind.itemsize * 8), 0, shifted).to(kind)


@composed
def bitwise_right_shift(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input >> other``: divided by two to the power of `other`, towards minus infinity."""
    kind = _whole_type("rshift", input, other)
    number, shift = _as_whole(input, kind), _as_whole(other, kind)
    shifted = number.div(2 ** shift.clamp(0, 62), rounding_mode="floor")
    gone = _core.where(number < 0, -1, 0)  # as PyTorch: a shift out of range shifts all out
    return _core.where((shift < 0) | (shift >= min(kind.itemsize * 8, 63)), gone, shifted).to(kind)


def _operators(symbol: str, function: Callable[..., Tensor]) -> tuple[tuple[str, Callable[[Tensor, Any], Any]], ...]:
    """Python's three methods of an operator; NotImplemented for what is neither a tensor nor a number."""

    def number(other: object) -> bool:
        return isinstance(other, (Tensor, int, float)) or is_numpy_number(other)

    def plain(self: Tensor, other: Any) -> Any:
        return function(self, other) if number(other) else NotImplemented

    def reflected(self: Tensor, other: Any) -> Any:
        return function(other, self) if number(other) else NotImplemented

    def in_place(self: Tensor, other: Any) -> Any:
        return getattr(self, f"{function.__name__}_")(other) if number(other) else NotImplemented

    return ((f"__{symbol}__", plain), (f"__r{symbol}__", reflected), (f"__i{symbol}__", in_place))


SHIFT_OPERATORS = (*_operators("lshift", bitwise_left_shift), *_operators("rshift", bitwise_right_shift))
