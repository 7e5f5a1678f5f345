"""``lamina.accelerator``: the answers to code that computes on whatever accelerator there is. There is none."""

from __future__ import annotations

__all__ = ["current_accelerator", "device_count", "is_available"]


def is_available() -> bool:
    """False: lamina computes on the CPU."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None, whether it is to be there at run time or only known."""
