"""Conditions that programs state: errors of a chosen kind where they do not hold."""

from __future__ import annotations

from . import _core
from ._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__: list[str] = []  # PyTorch's names for them are private, yet libraries use them


def _assert(condition: Any, message: object) -> None:
    """``assert condition, message``."""
    assert condition, message


def _check_with(error_type: type[Exception], cond: bool, message: Callable[[], object] | None = None) -> None:
    """Raise `error_type` with the text of ``message()`` unless `cond`. TypeError if that is no bool."""
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is None:
        raise error_type("Expected cond to be True, but got False.")
    if not callable(message):
        raise TypeError("message must be a callable")
    raise error_type(str(message()))


def _check(cond: bool, message: Callable[[], object] | None = None) -> None:
    """RuntimeError unless `cond`."""
    _check_with(RuntimeError, cond, message)


def _check_index(cond: bool, message: Callable[[], object] | None = None) -> None:
    """IndexError unless `cond`."""
    _check_with(IndexError, cond, message)


def _check_not_implemented(cond: bool, message: Callable[[], object] | None = None) -> None:
    """NotImplementedError unless `cond`."""
    _check_with(NotImplementedError, cond, message)


def _check_type(cond: bool, message: Callable[[], object] | None = None) -> None:
    """TypeError unless `cond`."""
    _check_with(TypeError, cond, message)


def _check_value(cond: bool, message: Callable[[], object] | None = None) -> None:
    """ValueError unless `cond`."""
    _check_with(ValueError, cond, message)


def _check_tensor_all(cond: Tensor, message: Callable[[], object] | None = None) -> None:
    """RuntimeError unless all elements of `cond` are True. TypeError if it is no tensor of bools."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond.dtype != _core.bool:
        raise TypeError(f"cond tensor must have dtype torch.bool, but got {cond.dtype}")
    _check_with(RuntimeError, bool(cond.all()), message)
