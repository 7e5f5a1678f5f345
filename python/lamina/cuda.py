"""``lamina.cuda``: the answers to code that asks for GPUs. There are none."""

from __future__ import annotations

__all__ = ["device_count", "is_available"]


def is_available() -> bool:
    """False: lamina computes on the CPU."""
    return False


def device_count() -> int:
    """0, so that loops over GPUs do nothing."""
    return 0
