"""What functions of Python ask of autocast (`lamina.amp`). Those of the core: csrc/bindings/autocast.cpp."""

from __future__ import annotations

from .. import _core
from .._wrapping import wraps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["as_given", "in_float32", "in_low_precision", "in_widest"]


def in_low_precision(function: F) -> F:
    """While autocast is on, `function` gets its floating-point tensors in the type that autocast was told."""
    return _asking("low", function)


def in_float32(function: F) -> F:
    """While autocast is on, `function` gets its floating-point tensors in float32."""
    return _asking("full", function)


def in_widest(function: F) -> F:
    """While autocast is on, `function` gets its floating-point tensors in the widest type that one of them has."""
    return _asking("widest", function)


def as_given(function: F) -> F:
    """Autocast is off within `function`, which is composed of others here, and not in PyTorch."""
    return _asking("own", function)


def _asking(precision: str, function: F) -> F:
    return wraps(function)(_core._casting(function, precision))
