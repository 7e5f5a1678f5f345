"""The question whether a tensor's parts lie with several processes."""

from __future__ import annotations

from ...._core import Tensor

__all__ = ["DTensor"]


class DTensor(Tensor):
    """A tensor of which each process has a part. There is one process, and so no such tensor."""
