"""Names by which PyTorch's users ask for compilation and for faster products. lamina compiles whatever it records.

So `compile` gives back what it gets, and products have float32's precision whatever is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from ._warning import warn_caller

__all__ = ["compile", "get_float32_matmul_precision", "set_float32_matmul_precision"]

F = TypeVar("F", bound=Callable[..., Any])

_PRECISIONS = ("highest", "high", "medium")
_asked = {"precision": "highest"}


@overload
def compile(
    model: F,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] | None = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> F: ...
@overload
def compile(
    model: None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] | None = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Callable[[F], F]: ...
def compile(
    model: F | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] | None = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> F | Callable[[F], F]:
    """`model` itself, a module or function; without it a decorator. The other arguments are without effect.

    Nothing is wrapped, so the names in a state dict stay as they are. AssertionError for what cannot be called,
    RuntimeError for both a `mode` and `options`.

    >>> net = lamina.compile(nn.Linear(2, 1))
    >>> list(net.state_dict())
    ['weight', 'bias']
    """
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if model is None:
        return compile
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    return model


def set_float32_matmul_precision(precision: str) -> None:
    """Remember "highest", "high" or "medium"; products are float32's in each. A warning for another word."""
    if not isinstance(precision, str):
        raise RuntimeError(f"set_float32_matmul_precision expects a str, but got {type(precision).__name__}")
    if precision not in _PRECISIONS:
        expected = "'highest', 'high', or 'medium'"
        warn_caller(f"{precision} is not one of {expected}; the call has no effect.")
        return
    _asked["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was told last; "highest" at first."""
    return _asked["precision"]
