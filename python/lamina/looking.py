"""Looking at numbers to find out whether an argument is valid, or whether a loop is done."""

from __future__ import annotations

from ._core import Tensor

__all__ = ["holds_somewhere"]


def holds_somewhere(condition: Tensor) -> bool:
    """Whether an element is True. Reads it; on meta there are no numbers that could be wrong, and it is False."""
    return not condition.is_meta and bool(condition.any())
