"""What code for PyTorch wraps `vmap` of masks in."""

from __future__ import annotations

from contextlib import nullcontext

__all__ = ["TransformGetItemToIndex"]


class TransformGetItemToIndex(nullcontext[None]):
    """Within it PyTorch's `vmap` takes ``x[i]`` for 0-d tensors `i` that differ; lamina's takes them anywhere."""
