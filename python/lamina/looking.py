"""Looking at numbers to find out whether an argument is valid, or whether a loop is done."""

from __future__ import annotations

from . import _core
from ._core import Tensor

__all__ = ["holds_somewhere"]


def holds_somewhere(condition: Tensor) -> bool:
    """Whether an element is True, of a condition on one of vmap's examples for any of them. Reads the numbers.

    On meta there are none that could be wrong, and it is False.
    """
    if condition.is_meta:
        return False
    if _core._is_example(condition):
        from .autograd.batching import whole_batch_of

        condition = whole_batch_of(condition)
    return bool(condition.any())
