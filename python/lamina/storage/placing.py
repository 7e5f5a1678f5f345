"""Tensors over storages: `Tensor.set_`, and tensors that a file or a copy shows again."""

from __future__ import annotations

from math import prod

from .. import _core
from .._core import Tensor
from .typed import TypedStorage, type_name, typed_storage
from .untyped import UntypedStorage, untyped_storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .._core import dtype as DType

__all__ = ["copied", "placed", "seen_as", "set_", "tensor_over"]

_NOTHING = object()


def set_(
    self: Tensor,
    source: Any = _NOTHING,
    storage_offset: int | None = None,
    size: Sequence[int] | None = None,
    stride: Sequence[int] | None = None,
) -> Tensor:
    """Let the tensor show other memory: that of a tensor, a storage or a part of one, or, without arguments, none.

    Views made before go on showing the old memory. A tensor that requires a gradient can be set under `no_grad`;
    graphs recorded before do not lead to it any more. Of a storage, `size` numbers from `storage_offset` on are shown,
    `stride` apart (default: one after the other), or all in a row.

    Raises RuntimeError for a source of another type, or if it is too small: storages do not grow under tensors.

    Example: ``lamina.empty(0).set_(x.untyped_storage(), 1, (2,))`` shows the second and third number of `x`.
    """
    if source is _NOTHING:
        return _core._show_memory_of(self, _core.empty(0, dtype=self.dtype))
    fits = isinstance(source, (Tensor, TypedStorage, UntypedStorage)) and (size is None) == (storage_offset is None)
    if not fits:
        kinds = ", ".join(type(arg).__name__ for arg in (source, storage_offset, size, stride) if arg is not None)
        raise TypeError(
            f"set_() received an invalid combination of arguments - got ({kinds}), but expected a Tensor or a Storage, "
            "alone or with a storage_offset and a size"
        )
    storage = source
    if isinstance(source, Tensor):
        if source.dtype != self.dtype:
            raise RuntimeError(
                f"Could not set tensor of type {type_name(source.dtype)} to a tensor of type {type_name(self.dtype)}"
            )
        if size is None:
            return _core._show_memory_of(self, source)
        storage = source.untyped_storage()
    if storage.device != self.device:
        raise RuntimeError(
            f'Attempted to set the storage of a tensor on device "{self.device}" to a storage on different device '
            f'"{storage.device}".  This is no longer allowed; the devices must match.'
        )
    numbers = numbers_for(self, storage)
    if size is None or storage_offset is None:
        return _core._show_memory_of(self, numbers)
    size = tuple(size)
    stride = _contiguous(size) if not stride else tuple(stride)
    return _core._show_memory_of(self, strided(numbers, storage_offset, size, stride))


def numbers_for(tensor: Tensor, storage: TypedStorage | UntypedStorage) -> Tensor:
    """The storage as a row of numbers of the tensor's type. RuntimeError if it is one of another type."""
    if isinstance(storage, TypedStorage) and storage.dtype != tensor.dtype:
        raise RuntimeError(
            f"Expected a Storage of type {type_name(tensor.dtype)} or an UntypedStorage, but got type "
            f"{storage.pickle_storage_type().removesuffix('Storage')} for argument 1 'storage'"
        )
    return storage.untyped()._numbers(tensor.dtype)


def copied(tensor: Tensor, memo: dict[Any, Any]) -> Tensor:
    """A copy for `copy.deepcopy`: what shows the same memory shows the same copy of it."""
    memory = _core._memory_of(tensor)
    key, size, stride = ("storage", _core._memory_id(memory)), tuple(tensor.shape), tensor.stride()
    whole = memory.numel() == tensor.numel() and is_dense(size, stride)
    if whole and key not in memo:
        memo[key] = tensor.detach().clone()
        twin: Tensor = memo[key]
        return twin
    storage = typed_storage(untyped_storage(tensor).__deepcopy__(memo), tensor.dtype)
    return placed(storage, tensor.storage_offset(), size, stride)


def tensor_over(storage: TypedStorage | UntypedStorage, dtype: DType) -> Tensor:
    """A tensor that shows all of a storage, as a row of numbers of this type."""
    return set_(_core.empty(0, dtype=dtype), storage)


def seen_as(tensor: Tensor, dtype: DType) -> Tensor:
    """The bytes of `tensor` as elements of a type of another size, or as bool: the last axis grows or shrinks.

    Without a gradient. Its memory is shared with the outside from then on, so whatever reads it runs at once.
    RuntimeError unless the last axis lies without gaps and holds whole elements.
    """
    before, after = tensor.element_size(), dtype.itemsize
    size, stride, offset = list(tensor.shape), list(tensor.stride()), tensor.storage_offset()
    if before != after:
        kinds = f"to view {type_name(tensor.dtype).title()} as {type_name(dtype).title()} (different element sizes)"
        if not size:
            raise RuntimeError(f"self.dim() cannot be 0 {kinds}")
        if stride[-1] != 1:
            raise RuntimeError(f"self.stride(-1) must be 1 {kinds}, but got {stride[-1]}")
        names = ["size(-1)", "storage_offset()", *(f"stride({axis})" for axis in range(len(size) - 1))]
        ratio = after // before
        for name, held in zip(names, [size[-1], offset, *stride[:-1]]) if ratio > 1 else ():
            if held % ratio:
                raise RuntimeError(f"self.{name} must be divisible by {ratio} {kinds}, but got {held}")
        size[-1] = size[-1] * before // after
        stride = [*(step * before // after for step in stride[:-1]), 1]
        offset = offset * before // after
    numbers = untyped_storage(tensor)._numbers(dtype)
    return _core._show_memory_of(_core.empty(0, dtype=dtype), strided(numbers, offset, tuple(size), tuple(stride)))


def strided(numbers: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """The view of a row of numbers with this offset, sizes and strides. RuntimeError if it reaches out of the row."""
    if len(size) != len(stride):
        raise RuntimeError(f"unequal size length ({len(size)}) and stride length ({len(stride)})")
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    count = prod(size)
    # Where the elements lie one after the other, slices say it: they can be written to without looking for places.
    if count and offset + count <= numbers.numel() and is_dense(size, stride):
        view = numbers if count == numbers.numel() else numbers.narrow(0, offset, count)
        if size == tuple(view.shape):
            return view
        order = _in_memory(stride)
        view = view.view([size[axis] for axis in order])
        return view if order == sorted(order) else view.permute([order.index(axis) for axis in range(len(order))])
    return numbers.as_strided(size, stride, numbers.storage_offset() + offset)


def placed(storage: TypedStorage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """A new tensor over a part of a storage. ValueError if it reaches out of that.

    The first one that shows all of it is no view of anything, but what later ones are views of.
    """
    if len(size) != len(stride) or any(n < 0 for n in (*size, *stride, offset)):
        raise ValueError(f"a tensor cannot have offset {offset}, sizes {size} and strides {stride}")
    untyped = storage.untyped()
    numbers = untyped._numbers(storage.dtype)
    count, held = prod(size), numbers.numel()
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    if count and last >= held:
        raise ValueError(f"a tensor ends at element {last} of a storage of {held}")
    if count == held and is_dense(size, stride) and _core._memory_holders(numbers) == 1:
        base = _core._base_over(numbers, size, stride)
        untyped._take(_core._memory_of(base))
        return base
    return _core._show_memory_of(_core.empty(0, dtype=storage.dtype), strided(numbers, offset, size, stride))


def _in_memory(stride: Sequence[int]) -> list[int]:
    """The axes, the farthest apart first."""
    return sorted(range(len(stride)), key=lambda axis: -stride[axis])


def is_dense(size: Sequence[int], stride: Sequence[int]) -> bool:
    """Whether these are the strides that a tensor without gaps has, in some order of its axes."""
    if _contiguous(size) == stride:
        return True
    order = _in_memory(stride)
    return _contiguous([size[axis] for axis in order]) == tuple(stride[axis] for axis in order)


def _contiguous(size: Sequence[int]) -> tuple[int, ...]:
    strides, step = [1] * len(size), 1
    for axis in reversed(range(len(size))):
        strides[axis] = step
        step *= max(size[axis], 1)
    return tuple(strides)
