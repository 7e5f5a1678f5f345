"""oneDNN is not used. Its settings can be written and read, as in a PyTorch without it; they change nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager

from .flags import replaced

__all__ = ["allow_tf32", "deterministic", "enabled", "flags", "is_available"]

enabled = True
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """False."""
    return False


def flags(enabled: bool = False, deterministic: bool = False, allow_tf32: bool = True) -> AbstractContextManager[None]:
    """All settings, for the time of a ``with`` block."""
    return replaced(globals(), dict(locals()))
