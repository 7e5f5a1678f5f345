"""``torch.fx`` where no function is traced symbolically: the question whether something is a part of such a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["Proxy", "wrap"]

_Named = TypeVar("_Named", str, Callable[..., object])


class Proxy:
    """What stands for a value in PyTorch's traces. Nothing is traced, so no value is one."""


def wrap(fn_or_name: _Named) -> _Named:
    """What it is given: a function, or a function's name, that traces are to show as one call. Nothing is traced."""
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError(
            f"Unsupported type for global function! Must be either a callable or string name, got {type(fn_or_name)}"
        )
    return fn_or_name
