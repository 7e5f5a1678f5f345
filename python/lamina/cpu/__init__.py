"""``lamina.cpu``: the answers to code that treats the CPU as one device among others."""

from __future__ import annotations

from . import amp

__all__ = ["amp", "current_device", "device_count", "is_available", "synchronize"]


def is_available() -> bool:
    """True: lamina computes on the CPU."""
    return True


def device_count() -> int:
    """1."""
    return 1


def current_device() -> str:
    """``"cpu"``."""
    return "cpu"


def synchronize(device: object = None) -> None:
    """Nothing to do: numbers are there when somebody looks."""
