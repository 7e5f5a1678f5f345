"""Reading and writing chosen elements: by index, by mask, by position. Results are new; `inplace` writes back."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import scalar_name
from .arguments import composed, composed_as, wrap_axis
from .precision import in_widest
from .shaping import broadcast_shapes, broadcast_tensors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._typing import Number

__all__ = [
    "argwhere",
    "as_strided_scatter",
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "masked_fill",
    "masked_scatter",
    "masked_select",
    "nonzero_static",
    "put",
    "replaced",
    "select_scatter",
    "slice_scatter",
    "take",
    "take_along_dim",
    "unravel_index",
]


def _check_mask(name: str, mask: Tensor) -> None:
    if mask.dtype != _core.bool:
        dtype = scalar_name(mask.dtype)
        raise RuntimeError(f"{name}_ only supports boolean masks, but got mask with dtype {dtype}")


def _check_same_dtype(name: str, input: Tensor, source: Tensor) -> None:
    if input.dtype != source.dtype:
        raise RuntimeError(f"{name}(): self ({input.dtype}) and source ({source.dtype}) must have the same scalar type")


@composed_as("MaskedFill")
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """`input` with `value` (a number or a 0-d tensor) where `mask` is true; both broadcast."""
    _check_mask("masked_fill", mask)
    if isinstance(value, Tensor):
        if value.dim() > 0:
            raise RuntimeError(
                f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.dim()} "
                "dimension(s)."
            )
        value = value.to(input.dtype)
    else:
        value = _core.tensor(value, dtype=input.dtype)
    return _core._lay_contiguous(_core.where(mask, value, input))


@composed_as("MaskedSelect")
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """1-D: the elements of `input` where `mask` is true; both broadcast."""
    if mask.dtype != _core.bool:
        raise RuntimeError(f"masked_select: expected BoolTensor for mask, got {mask.dtype}")
    x, chosen = broadcast_tensors(input, mask)
    # A 0-d pair indexes as a vector of one.
    return x.reshape(-1)[chosen.reshape(-1)]


@composed_as("MaskedScatter")
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`input` with the elements of `source`, in order, where `mask` is true; input and mask broadcast."""
    _check_mask("masked_scatter", mask)
    _check_same_dtype("masked_scatter", input, source)
    x, chosen = broadcast_tensors(input, mask)
    order = chosen.reshape(-1).long().cumsum(0) - 1
    needed = int(order[-1]) + 1 if order.numel() else 0
    if needed > source.numel():
        raise RuntimeError(
            f"masked_scatter: expected at least as many source elements as true mask elements, "
            f"got {source.numel()} and {needed}"
        )
    if needed == 0:
        return x.clone(memory_format=_core.contiguous_format)
    picked = source.reshape(-1)[order.clamp(min=0)].reshape(x.shape)
    return _core._lay_contiguous(_core.where(chosen, picked, x))


def _checked_index(name: str, input: Tensor, dim: int, index: Tensor) -> tuple[Tensor, int, Tensor]:
    """`input` with at least one dimension, `dim` counted from the front, and `index` as a vector."""
    dim = wrap_axis(dim, input.dim())
    if index.dim() > 1:
        raise IndexError(f"{name}: Index is supposed to be a vector, got shape {list(index.shape)}")
    if index.dtype not in (_core.int64, _core.int32):
        raise RuntimeError(f"{name}: Expected dtype int64 or int32 for index, got {index.dtype}")
    return input if input.dim() else input.reshape(1), dim, index.reshape(-1)


def _put_slices(name: str, input: Tensor, dim: int, index: Tensor, source: Tensor, add: bool = False) -> Tensor:
    _check_same_dtype(name, input, source)
    x, dim, index = _checked_index(name, input, dim, index)
    count = index.shape[0]
    source = source if source.dim() else source.reshape(1)
    length = source.shape[dim] if dim < source.dim() else 1
    if length != count:
        raise (IndexError if name == "index_copy" else RuntimeError)(
            f"{name}_(): Number of indices ({count}) should be equal to source.size(dim): ({length}), for dim: {dim}"
        )
    shape = (*x.shape[:dim], count, *x.shape[dim + 1 :])
    if source.shape != shape and source.numel() != 1:
        raise RuntimeError(
            f"{name}_(): self and source should have the same shape outside dim {dim}, "
            f"got {list(x.shape)} and {list(source.shape)}"
        )
    return _core._put_slices(x, dim, index, source, add).reshape(input.shape)


@composed_as("IndexAdd")
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    """`input` with slice i of ``alpha * source`` added to its slice ``index[i]`` along `dim`; repeats add up."""
    return _put_slices("index_add", input, dim, index, source if alpha == 1 else source * alpha, True)


@in_widest
@composed_as("IndexCopy")
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """`input` with its slice ``index[i]`` along `dim` replaced by `source`'s slice i."""
    return _put_slices("index_copy", input, dim, index, source)


@composed_as("IndexFill")
def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """`input` with its slices ``index[i]`` along `dim` set to `value` (a number or a 0-d tensor)."""
    if not input.is_complex() and (value.is_complex() if isinstance(value, Tensor) else isinstance(value, complex)):
        raise RuntimeError("index_fill_(): Converting complex Scalar to non-complex type is not supported")
    if isinstance(value, Tensor):
        if value.dim():
            raise RuntimeError(f"Only supports 0-dimension value tensor, but got tensor with {value.dim()} dimensions.")
        value = value.to(input.dtype)
    else:
        value = _core.tensor(value, dtype=input.dtype)
    x, dim, index = _checked_index("index_fill", input, dim, index)
    chosen = x.new_zeros(x.shape[dim], dtype=_core.bool)
    chosen[index.long()] = True
    chosen = chosen.reshape((-1, *([1] * (x.dim() - dim - 1))))
    return _core.where(chosen, value, x).reshape(input.shape)


@composed_as("IndexPut")
def index_put(input: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False) -> Tensor:
    """`input` after ``input[indices] = values``; with `accumulate`, after ``+=`` with repeated indices adding up."""
    if input.dtype != values.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {input.dtype} for the destination "
            f"and {values.dtype} for the source."
        )
    return _core._lay_as(_core._index_put(input, indices, values, accumulate), input)


@composed_as("Put")
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """`input` with its elements at the flat positions `index` replaced by (or increased by) `source`'s."""
    _check_same_dtype("put", input, source)
    if index.numel() != source.numel():
        raise RuntimeError(
            f"put_(): Expected source and index to have the same number of elements, "
            f"but got {source.numel()} and {index.numel()}"
        )
    places = _wrapped_flat_index(index, input.numel()).reshape(-1)
    return _core._put_slices(input.reshape(-1), 0, places, source.reshape(-1), accumulate).reshape(input.shape)


def _wrapped_flat_index(index: Tensor, numel: int) -> Tensor:
    if index.dtype != _core.int64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {index.dtype}")
    return _core.where(index < 0, index + numel, index)


@composed_as("Take")
def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements of `input`, seen as one row, at the positions `index`, in `index`'s shape."""
    if index.numel() and not input.numel():
        raise IndexError("take(): tried to take from an empty tensor")
    flat = _wrapped_flat_index(index, input.numel())
    return input.reshape(-1).index_select(0, flat.reshape(-1)).reshape(index.shape)


@composed
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` with `input` and `indices` broadcast against each other outside `dim`; flattened without `dim`."""
    if indices.dtype != _core.int64:
        raise RuntimeError(f"take_along_dim(): dtype of indices should be Long but got {indices.dtype}")
    if dim is None:
        return take_along_dim(input.reshape(-1), indices.reshape(-1), 0)
    if input.dim() != indices.dim():
        raise RuntimeError(
            f"take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {input.dim()} dimensions for input, and {indices.dim()} dimensions for indices"
        )
    dim = wrap_axis(dim, input.dim())
    before, after = slice(None, dim), slice(dim + 1, None)
    common = broadcast_shapes(
        (*input.shape[before], 1, *input.shape[after]), (*indices.shape[before], 1, *indices.shape[after])
    )
    full = (*common[before], input.shape[dim], *common[after])
    wanted = (*common[before], indices.shape[dim], *common[after])
    indices = _core.where(indices < 0, indices + input.shape[dim], indices)
    return input.expand(full).gather(dim, indices.expand(wanted))


@composed
def argwhere(input: Tensor) -> Tensor:
    """(n, input.dim()): the positions of the elements that are not 0."""
    return input.nonzero()


@composed
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """(size, ndim): as `nonzero`, but cut off, or filled up with `fill_value`, to a number of rows known beforehand."""
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    if input.is_meta:
        return input.new_empty((size, input.dim()), dtype=_core.int64)
    found = input.nonzero()[:size].contiguous()
    missing = size - found.shape[0]
    return _core.cat([found, found.new_full((missing, found.shape[1]), fill_value)]) if missing else found


def replaced(input: Tensor, shown: Callable[[Tensor], Tensor], src: Tensor) -> Tensor:
    """`input` with the view ``shown(input)`` replaced by `src`, which must have its shape."""
    result = input.clone()
    part = shown(result)
    if part.shape != src.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, "
            f"slice size = {list(part.shape)}"
        )
    part.copy_(src)
    return result


@composed_as("AsStridedScatter")
def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """`input` with what ``input.as_strided(size, stride, storage_offset)`` shows replaced by `src`."""
    return replaced(input, lambda x: x.as_strided(size, stride, storage_offset), src)


@composed_as("SelectScatter")
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """`input` with its slice `index` along `dim` replaced by `src`."""
    return replaced(input, lambda x: x.select(dim, index), src)


@composed_as("SliceScatter")
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """`input` with its slice ``start:end:step`` along `dim` replaced by `src`."""
    where = (*([slice(None)] * wrap_axis(dim, input.dim())), slice(start, end, step))
    return replaced(input, lambda x: x[where], src)


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """For each axis of `shape`, where the flat positions `indices` lie along it; int64 of `indices`' shape."""
    if indices.dtype.is_floating_point or indices.dtype == _core.bool:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if isinstance(shape, Tensor) or not (isinstance(shape, int) or hasattr(shape, "__len__")):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    for size in sizes:
        if not isinstance(size, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(size)}")
    if any(size < 0 for size in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    places: list[Tensor] = []
    rest = indices.long()
    for size in reversed(sizes):
        places.append(rest % size)
        rest = _core.floor_divide(rest, size)
    return tuple(reversed(places))
