"""``lamina.utils``: what surrounds training."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import checkpoint, data, dlpack, hooks

__all__ = ["checkpoint", "data", "dlpack", "hooks"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
