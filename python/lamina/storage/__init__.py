"""The memory under tensors as objects of their own: as bytes, `UntypedStorage`, or as numbers, `TypedStorage`."""

from __future__ import annotations

from .placing import placed, set_, tensor_over
from .typed import STORAGE_CLASSES, TypedStorage, storage_class, typed_storage
from .untyped import UntypedStorage, untyped_storage

__all__ = [
    "STORAGE_CLASSES",
    "TypedStorage",
    "UntypedStorage",
    "placed",
    "set_",
    "storage_class",
    "tensor_over",
    "typed_storage",
    "untyped_storage",
]
