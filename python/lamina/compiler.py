"""What programs ask of PyTorch's compiler. Everything is compiled as it is recorded, so nothing is ever traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from .compiling import compile

__all__ = ["allow_in_graph", "compile", "disable", "is_compiling", "is_dynamo_compiling", "is_exporting"]

F = TypeVar("F", bound=Callable[..., Any])


@overload
def disable(fn: F, recursive: bool = True, *, reason: str | None = None) -> F: ...
@overload
def disable(fn: None = None, recursive: bool = True, *, reason: str | None = None) -> Callable[[F], F]: ...
def disable(fn: F | None = None, recursive: bool = True, *, reason: str | None = None) -> F | Callable[[F], F]:
    """`fn` itself; without it a decorator. The other arguments are without effect."""
    return disable if fn is None else fn


def allow_in_graph(fn: F) -> F:
    """`fn` itself."""
    return fn


def is_compiling() -> bool:
    """False: no function is traced."""
    return False


def is_dynamo_compiling() -> bool:
    """False, as `is_compiling`."""
    return False


def is_exporting() -> bool:
    """False, as `is_compiling`."""
    return False
