"""Composed functions of float16 and bfloat16: computed in float32 as a whole, and rounded once."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ..._wrapping import wraps
from ...dtypes import require_floating

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec

    P = ParamSpec("P")

__all__ = ["floating", "widened"]

_NARROW = (_core.float16, _core.bfloat16)
_AS_THEY_ARE = (_core.float32, _core.float64)


def widened(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Let `function` see float32 where its first argument is narrow; what it writes in place is written back."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        input: Any = args[0] if args else kwargs.get("input")
        if not isinstance(input, Tensor) or input.dtype not in _NARROW:
            return function(*args, **kwargs)
        positional, named = [_wide(value) for value in args], {name: _wide(value) for name, value in kwargs.items()}
        result = function(*positional, **named)
        first = positional[0] if args else named["input"]
        return _core._changed_into(input, result) if result is first else result.to(input.dtype)

    return call


def floating(kernel: str, *, or_complex: bool = False) -> Callable[[Callable[P, Tensor]], Callable[P, Tensor]]:
    """`widened`, for floating point tensors (with `or_complex`, complex ones, too) only.

    TypeError if the first argument is no tensor; NotImplementedError, which names PyTorch's `kernel`, for other types.
    """

    def decorate(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
        name, compute = function.__name__, widened(function)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> Tensor:
            input: Any = args[0] if args else kwargs.get("input")
            if isinstance(input, Tensor) and input.dtype in _AS_THEY_ARE:
                return function(*args, **kwargs)
            if not isinstance(input, Tensor):
                kind = type(input).__name__
                raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {kind}")
            if not (or_complex and input.is_complex()):
                require_floating(kernel, input)
            return compute(*args, **kwargs)

        return call

    return decorate


def _wide(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) and value.dtype in _NARROW else value
