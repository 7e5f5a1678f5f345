"""``torch.distributed`` of a PyTorch that was built without it: programs ask ``is_available()`` and go on alone."""

from __future__ import annotations

__all__ = ["is_available"]


def is_available() -> bool:
    """False."""
    return False
