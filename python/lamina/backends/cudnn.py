"""cuDNN is not used. Its settings can be written and read, as in a PyTorch without it; they change nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager

from .flags import replaced

__all__ = ["allow_tf32", "benchmark", "benchmark_limit", "deterministic", "enabled", "flags", "is_available", "version"]

enabled = True
benchmark = False
benchmark_limit = 10
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """False."""
    return False


def version() -> int | None:
    """None: there is none."""
    return None


def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
) -> AbstractContextManager[None]:
    """All settings, for the time of a ``with`` block."""
    return replaced(globals(), dict(locals()))
