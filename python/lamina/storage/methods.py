"""Tensor's methods on the memory under it."""

from __future__ import annotations

from .._core import Tensor
from .placing import set_
from .typed import TypedStorage, storage_class, typed_storage, warn_of_typed_storage
from .untyped import untyped_storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["STORAGE_METHODS"]


def storage(self: Tensor) -> TypedStorage:
    """The memory that this tensor shares with its base, as a row of numbers. Deprecated in PyTorch."""
    warn_of_typed_storage()
    return typed_storage(untyped_storage(self), self.dtype)


def is_shared(self: Tensor) -> bool:
    """Whether processes that are forked from now on see the changes that each other makes to the numbers."""
    return untyped_storage(self).is_shared()


def share_memory_(self: Tensor) -> Tensor:
    """Move the numbers to memory that processes which are forked from now on share; returns the tensor itself.

    It shares them with its views and its base as before. Operations on it are run at once, not when somebody looks.
    """
    untyped_storage(self).share_memory_()
    return self


def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both show the same elements of the same memory in the same way."""
    alike = self.shape == tensor.shape and self.stride() == tensor.stride() and self.dtype == tensor.dtype
    same = untyped_storage(self) is untyped_storage(tensor)
    return alike and same and self.storage_offset() == tensor.storage_offset()


def storage_type(self: Tensor) -> Any:
    """The old class of storages of this tensor's type."""
    return storage_class(self.dtype)


STORAGE_METHODS = (untyped_storage, storage, storage_type, set_, is_set_to, is_shared, share_memory_)
