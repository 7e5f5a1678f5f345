"""The memory under tensors as objects of their own: as bytes, `UntypedStorage`, or as numbers, `TypedStorage`."""

from __future__ import annotations

from .typed import TypedStorage
from .untyped import UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]
