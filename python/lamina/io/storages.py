"""Tensors as a part of a storage: an offset, sizes and strides in elements; and back, as views of one memory."""

from __future__ import annotations

from math import gcd, prod
from pickle import UnpicklingError
from typing import Any

from .. import _core
from .._core import Tensor
from ..rebuilding import DTYPES, dtype_name, tensor_from_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["LoadedStorage", "SavedStorages", "StorageType", "check_identity"]


class StorageType:
    """The type of a storage's elements; PyTorch has a class for each, and files name it."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype


class SavedStorages:
    """The storages of the tensors that one file holds: tensors that share their numbers share one."""

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []  # they keep the memory, and so its address, from being used again
        self._numbers: dict[tuple[int, int], int] = {}

    def place(self, tensor: Tensor) -> tuple[int, int, int, tuple[int, ...]]:
        """The number of the tensor's storage, how many elements that has, and the tensor's offset and strides in it."""
        base = tensor._base
        array = (tensor if base is None else base).detach().numpy()
        array = array.transpose(sorted(range(array.ndim), key=lambda axis: -array.strides[axis]))  # as it lies
        key = (array.__array_interface__["data"][0], array.nbytes)
        number = self._numbers.setdefault(key, len(self.arrays)) if array.size else len(self.arrays)
        if number == len(self.arrays):
            self.arrays.append(array)
        elif self.arrays[number].dtype != array.dtype:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different types. "
                f"This one is {dtype_name(tensor.dtype)}: clone it before saving"
            )
        return number, array.size, tensor.storage_offset(), tensor.stride()

    def bytes_of(self, number: int) -> Any:
        """The little-endian bytes of a storage."""
        array = self.arrays[number]
        if not array.size:
            return b""
        return array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(-1).view("u1").data


class LoadedStorage:
    """A storage of a file, of `count` elements, read when the first tensor wants it or filled later on.

    Its tensors share their numbers. Without `read` they begin empty, and `fill` gives them theirs.
    """

    def __init__(self, kind: StorageType, count: int, read: Callable[[], Any] | None = None) -> None:
        if kind.dtype not in DTYPES:
            raise RuntimeError(f"load: the file holds {kind.dtype} numbers, which lamina does not have")
        self._dtype = kind.dtype
        self._count = count
        self._read = read
        self._base: Tensor | None = None
        # What no view can show, such as sliding windows: copies, which `fill` must reach on their own.
        self._copies: list[tuple[Tensor, tuple[Any, ...]]] = []

    @property
    def itemsize(self) -> int:
        """Bytes an element."""
        return DTYPES[self._dtype].itemsize

    def tensor(self, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
        """The tensor at `offset` with these sizes and strides. ValueError if a part of it is outside."""
        if len(size) != len(stride) or any(n < 0 for n in (*size, *stride, offset)):
            raise ValueError(f"a tensor cannot have offset {offset}, sizes {size} and strides {stride}")
        last = offset + sum((n - 1) * s for n, s in zip(size, stride))
        if prod(size) and last >= self._count:
            raise ValueError(f"a tensor ends at element {last} of a storage of {self._count}")
        if self._base is None:
            data = _core.empty(self._count, dtype=DTYPES[self._dtype]) if self._read is None else self._read()
            if isinstance(data, Tensor):
                self._base = data
            elif offset == 0 and prod(size) == self._count and _is_contiguous(size, stride):
                # Most tensors are all of their storage: this one is no view of anything.
                self._base = tensor_from_bytes(data, self._dtype, size)
                return self._base
            elif offset == 0 and prod(size) == self._count and (order := _axes_in_memory(size, stride)):
                rows = tensor_from_bytes(data, self._dtype, tuple(size[axis] for axis in order))
                numbers = rows.permute([order.index(axis) for axis in range(len(order))])
                self._base = _core._lay_out(numbers.contiguous(), stride)
                return self._base
            else:
                self._base = tensor_from_bytes(data, self._dtype, (self._count,))
        whole = self._base.data
        flat = whole.reshape(-1) if whole.is_contiguous() else whole.as_strided((self._count,), (1,), 0)
        view = _strided(flat, offset, size, stride)
        if view is None:
            view = _gathered(flat, offset, size, stride)
            self._copies.append((view, (offset, size, stride)))
        return view

    def fill(self, data: bytes) -> None:
        """Give all tensors of the storage their numbers."""
        numbers = tensor_from_bytes(data, self._dtype, (self._count,))
        if self._base is not None:
            self._base.data.copy_(numbers)
        for copy, layout in self._copies:
            copy.data.copy_(_gathered(numbers, *layout))


def check_identity(identity: Any) -> tuple[StorageType, str, str, int]:
    """Type, key, location and length of the storage that a pickle refers to. UnpicklingError for anything else."""
    if (
        isinstance(identity, tuple)
        and len(identity) >= 5
        and identity[0] == "storage"
        and isinstance(identity[1], StorageType)
        and isinstance(identity[4], int)
    ):
        return identity[1], str(identity[2]), str(identity[3]), identity[4]
    raise UnpicklingError(f"load: expected a reference to a storage, got {identity!r}")


def _is_contiguous(size: Sequence[int], stride: Sequence[int]) -> bool:
    expected = 1
    for n, s in zip(reversed(size), reversed(stride)):
        if n != 1 and s != expected:
            return False
        expected *= n
    return True


def _axes_in_memory(size: Sequence[int], stride: Sequence[int]) -> list[int] | None:
    """The axes of a dense tensor, the farthest in memory first; None for a tensor with gaps."""
    order = sorted(range(len(size)), key=lambda axis: (stride[axis], size[axis]), reverse=True)
    ordered = [size[axis] for axis in order], [stride[axis] for axis in order]
    return order if _is_contiguous(*ordered) else None


def _strided(flat: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor | None:
    """A view of `flat`; None where the strides overlap so that no slices of a contiguous tensor give them."""
    if not prod(size):
        return _core.empty(size, dtype=flat.dtype)
    # Axes with steps, the longest first; the others are of one element, or show one element several times.
    walked = sorted((axis for axis, n in enumerate(size) if n > 1 and stride[axis] > 0), key=lambda i: -stride[i])
    view, start = flat, offset
    for place, axis in enumerate(walked):
        n, step, length = size[axis], stride[axis], view.shape[-1]
        if place == 0:
            # Rows of `step` elements. The last one may end behind the storage: then all begin earlier.
            early = max(0, start + n * step - length)
            begin, unit, start = start - early, step, early
            if begin < 0 or begin + n * step > length:
                return None
            view = view[begin : begin + n * step].reshape(n, step)
        else:
            # A row falls into units of which this axis takes every so many.
            unit = gcd(length, step)
            first, every = start // unit, step // unit
            start %= unit
            if first + (n - 1) * every >= length // unit:
                return None
            view = view.reshape(*view.shape[:-1], length // unit, unit)[
                ..., first : first + (n - 1) * every + 1 : every, :
            ]
        if start + sum((size[i] - 1) * stride[i] for i in walked[place + 1 :]) >= unit:
            return None
    view = view[..., start]
    order = sorted(range(len(walked)), key=lambda position: walked[position])
    view = view.permute(*order) if order else view
    for axis, n in enumerate(size):
        if axis not in walked:
            view = view.unsqueeze(axis)
            if n > 1:
                view = view.expand(*view.shape[:axis], n, *view.shape[axis + 1 :])
    return view


def _gathered(flat: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    place = _core.tensor(offset)
    for axis, (n, step) in enumerate(zip(size, stride)):
        place = place + (_core.arange(n) * step).reshape(-1, *[1] * (len(size) - axis - 1))
    return flat[place]
