"""``torch.distributed`` where there is one process: programs ask whether there are others, and go on alone."""

from __future__ import annotations

__all__ = ["is_available", "is_initialized"]


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False: no group of processes was made. Many programs ask this alone."""
    return False
