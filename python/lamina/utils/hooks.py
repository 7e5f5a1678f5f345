"""The handle of a hook, under PyTorch's name for it."""

from __future__ import annotations

from ..hook_handles import RemovableHandle

__all__ = ["RemovableHandle"]
