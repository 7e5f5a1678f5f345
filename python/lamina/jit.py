"""``torch.jit`` of a PyTorch where TorchScript is switched off (``PYTORCH_JIT=0``): everything stays Python.

`script` and `trace` give back what they get, since lamina compiles whatever it records. What would be there only for
TorchScript's own programs, as their files and their graphs, is absent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, overload

from .nn import Module

__all__ = [
    "Final",
    "ScriptModule",
    "annotate",
    "export",
    "ignore",
    "is_scripting",
    "is_tracing",
    "script",
    "script_if_tracing",
    "script_method",
    "trace",
    "trace_module",
    "unused",
]

F = TypeVar("F", bound=Callable[..., Any])
M = TypeVar("M", bound=Module)
T = TypeVar("T")


class ScriptModule(Module):
    """A module like every other. `script` and `trace` make none."""


def script(obj: T, optimize: None = None, *, example_inputs: Any = None) -> T:
    """`obj` itself: a function, class or module. The other arguments are without effect."""
    return obj


def trace(func: F, example_inputs: Any = None, **options: Any) -> F:
    """`func` itself, a function or module, with its branches and loops. The other arguments are without effect."""
    return func


def trace_module(mod: M, inputs: dict[str, Any], **options: Any) -> M:
    """`mod` itself. The other arguments are without effect."""
    return mod


def script_if_tracing(fn: F) -> F:
    """`fn` itself: a decorator."""
    return fn


def script_method(fn: F) -> F:
    """`fn` itself: a decorator."""
    return fn


def export(fn: F) -> F:
    """`fn` itself: a decorator."""
    return fn


def unused(fn: F) -> F:
    """`fn` itself: a decorator."""
    return fn


@overload
def ignore(drop: F) -> F: ...
@overload
def ignore(drop: bool = False) -> Callable[[F], F]: ...
def ignore(drop: F | bool = False) -> F | Callable[[F], F]:
    """The decorated function itself, with or without an argument."""
    if callable(drop):
        return drop
    if not isinstance(drop, bool):
        raise RuntimeError(f"Argument to @torch.jit.ignore must be a bool or a function but got {drop}")
    return unused


def annotate(the_type: Any, the_value: T) -> T:
    """`the_value`."""
    return the_value


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False
