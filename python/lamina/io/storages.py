"""The storages of a file: those of the tensors that go into it, and those that come out of it."""

from __future__ import annotations

from pickle import UnpicklingError
from typing import Any

from .._core import Tensor
from ..dtypes import dtype_name
from ..rebuilding import tensor_from_bytes
from ..storage.typed import TypedStorage, typed_storage
from ..storage.untyped import UntypedStorage, untyped_storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._core import dtype as DType

__all__ = ["MetaStorage", "SavedStorages", "check_identity", "storage_from_bytes", "storage_part"]


class SavedStorages:
    """The storages that one file holds: tensors that share their numbers share one."""

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []  # they keep the memory, and so its address, from being used again
        self._dtypes: list[DType] = []
        self._numbers: dict[tuple[int, int], int] = {}

    def place(self, storage: UntypedStorage, dtype: DType) -> int:
        """The number of a storage of numbers of this type. RuntimeError if it was placed as one of another type."""
        array = storage._bytes()
        key = (array.__array_interface__["data"][0], array.size)
        number = self._numbers.setdefault(key, len(self.arrays)) if array.size else len(self.arrays)
        if number == len(self.arrays):
            self.arrays.append(array)
            self._dtypes.append(dtype)
        elif self._dtypes[number] != dtype:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different types. "
                f"This one is {dtype_name(dtype)}: clone it before saving"
            )
        return number

    def count(self, number: int) -> int:
        """How many elements a storage has."""
        return self.arrays[number].size // self._dtypes[number].itemsize

    def bytes_of(self, number: int) -> Any:
        """The little-endian bytes of a storage."""
        array = self.arrays[number]
        if not array.size:
            return b""
        size = self._dtypes[number].to_real().itemsize
        return array.view(f"u{size}").astype(f"<u{size}", copy=False).view("u1").data


def storage_from_bytes(data: Any, dtype: str, count: int) -> TypedStorage:
    """A storage of `count` numbers, from their little-endian bytes or, for a tensor, that one's memory."""
    numbers = data if isinstance(data, Tensor) else tensor_from_bytes(data, dtype, (count,))
    return typed_storage(untyped_storage(numbers), numbers.dtype)


class MetaStorage:
    """A storage of a file that is loaded to meta: nothing but the type of its numbers."""

    def __init__(self, dtype: DType) -> None:
        self.dtype = dtype


def storage_part(storage: TypedStorage, offset: int, count: int) -> TypedStorage:
    """`count` numbers of a storage from `offset` on, as a storage of its own in the same memory."""
    start, size = offset * storage.element_size(), count * storage.element_size()
    return typed_storage(storage.untyped()[start : start + size], storage.dtype)


def check_identity(identity: Any) -> tuple[str, str, str, int]:
    """Type, key, location and length of the storage that a pickle refers to.

    UnpicklingError for anything else; RuntimeError for a type that lamina does not have.
    """
    if (
        isinstance(identity, tuple)
        and len(identity) >= 5
        and identity[0] == "storage"
        and isinstance(identity[1], type)
        and isinstance(identity[4], int)
    ):
        kind = identity[1]
        if kind is UntypedStorage:
            return "uint8", str(identity[2]), str(identity[3]), identity[4]
        if issubclass(kind, TypedStorage):
            return dtype_name(kind.dtype), str(identity[2]), str(identity[3]), identity[4]
    raise UnpicklingError(f"load: expected a reference to a storage, got {identity!r}")
