"""``lamina.multiprocessing``: Python's `multiprocessing`.

Tensors travel between processes as copies; those that were moved by `share_memory_` before are shared with processes
that are forked.
"""

from __future__ import annotations

import multiprocessing

__all__ = list(multiprocessing.__all__)


def __getattr__(name: str) -> object:
    return getattr(multiprocessing, name)
