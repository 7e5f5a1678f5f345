"""Repeating, rolling and flipping elements along axes."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..looking import holds_somewhere
from .arguments import as_size, composed, composed_as, wrap_axes, wrap_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["fliplr", "flipud", "repeat", "repeat_interleave", "roll", "rot90", "tile"]


@composed
def fliplr(input: Tensor) -> Tensor:
    """Columns (dimension 1) in reverse order."""
    if input.dim() < 2:
        raise RuntimeError(f"fliplr: Input must be >= 2-d, got shape {list(input.shape)}")
    return input.flip(1)


@composed
def flipud(input: Tensor) -> Tensor:
    """Rows (dimension 0) in reverse order."""
    if input.dim() < 1:
        raise RuntimeError("flipud: Input must be >= 1-d, got a 0-d tensor")
    return input.flip(0)


@composed_as("Rot90")
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """`input` turned by 90 degrees `k` times in the plane of two axes, from the first towards the second."""
    if len(dims) != 2 or input.dim() < 2:
        raise RuntimeError(
            f"rot90: expected two rotation dims of a >= 2-d tensor, got {tuple(dims)} of {input.dim()}-d"
        )
    first, second = wrap_axes(dims, input.dim())
    turns = k % 4
    if turns == 1:
        return input.flip(second).transpose(first, second)
    if turns == 2:
        return input.flip((first, second))
    return input.flip(first).transpose(first, second) if turns == 3 else input.clone()


@composed_as("Roll")
def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Elements moved by `shifts` places along `dims` (of all in a row without); those pushed out come in again."""
    moves = as_size((shifts,))
    axes = () if dims is None else as_size((dims,))
    if not moves:
        raise RuntimeError("`shifts` required")
    if not axes:
        if len(moves) != 1:
            raise RuntimeError(f"shifts and dimensions must align. shifts: {len(moves)}, dims:0")
        return _roll_one(input.reshape(-1), moves[0], 0).reshape(input.shape)
    if len(moves) != len(axes):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(moves)}, dims:{len(axes)}")
    if input.dim() == 0:
        raise IndexError(f"roll: dims {axes} given, but the tensor has no dimensions")
    result = input
    for shift, axis in zip(moves, axes, strict=True):
        result = _roll_one(result, shift, wrap_axis(axis, input.dim()))
    return result


def _roll_one(input: Tensor, shift: int, axis: int) -> Tensor:
    length = input.shape[axis]
    cut = -shift % length if length else 0
    if cut == 0:
        return input.clone()
    return _core.cat([input.narrow(axis, cut, length - cut), input.narrow(axis, 0, cut)], axis)


@composed_as("Repeat")
def repeat(input: Tensor, *sizes: int | Sequence[int], repeats: Sequence[int] | None = None) -> Tensor:
    """Copies of `input` laid side by side, ``sizes[i]`` along dimension i; new dimensions come in front.

    The counts may be given as `repeats`, too.
    """
    counts = as_size(sizes if repeats is None else (repeats,))
    extra = len(counts) - input.dim()
    if extra < 0:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: "
            f"got {list(counts)} for shape {list(input.shape)}"
        )
    if any(count < 0 for count in counts):
        raise RuntimeError(f"repeat: counts must not be negative, got {list(counts)}")
    old = (1,) * extra + tuple(input.shape)
    spread = [size for pair in zip(counts, old, strict=True) for size in pair]
    lone = [size for length in old for size in (1, length)]
    return _own(input.reshape(lone).expand(spread).reshape([c * n for c, n in zip(counts, old, strict=True)]))


def _own(repeated: Tensor) -> Tensor:
    """`repeated` in memory of its own: a view would show one element as all of its copies."""
    return repeated if repeated._base is None else repeated.clone(memory_format=_core.contiguous_format)


@composed
def tile(input: Tensor, *sizes: int | Sequence[int], dims: Sequence[int] | None = None) -> Tensor:
    """`repeat`, with missing leading counts taken as 1; they may be given as `dims`, too."""
    counts = as_size(sizes if dims is None else (dims,))
    return repeat(input, (1,) * (input.dim() - len(counts)) + counts)


@composed
def repeat_interleave(
    input: Tensor, repeats: Tensor | int | None = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element (or slice along `dim`) several times in a row; flattened without `dim`.

    `repeats` is one count, or a 1-D tensor of counts; alone it gives index i ``repeats[i]`` times. `output_size`, the
    sum of the counts, spares a look at them.
    """
    if repeats is None:
        return _repeated_index(input, output_size)
    x, dim = (input.reshape(-1), 0) if dim is None else (input, wrap_axis(dim, input.dim()))
    if x.dim() == 0:
        x = x.reshape(1)
    length = x.shape[dim]
    if isinstance(repeats, Tensor) and repeats.numel() != 1:
        if repeats.dim() != 1 or repeats.shape[0] != length:
            raise RuntimeError(
                f"repeats must have the same size as input along dim, but got repeats of shape {list(repeats.shape)} "
                f"and input of size {length} along dim {dim}"
            )
        return x.index_select(dim, _repeated_index(repeats, output_size))
    count = int(repeats)
    if count < 0:
        raise RuntimeError(f"repeat_interleave: repeats must not be negative, got {count}")
    shape = list(x.shape)
    if dim == x.dim() - 1 and 1 < count <= 4:  # joined copies are written in runs, one of a row's elements is not
        return _core.stack([x] * count, -1).reshape((*shape[:-1], length * count))
    spread = x.unsqueeze(dim + 1).expand((*shape[: dim + 1], count, *shape[dim + 1 :]))
    return _own(spread.reshape((*shape[:dim], length * count, *shape[dim + 1 :])))


def _repeated_index(repeats: Tensor, output_size: int | None) -> Tensor:
    if repeats.dim() != 1 or repeats.dtype not in (_core.int64, _core.int32):
        raise RuntimeError(
            f"repeats has to be a 1-D tensor of int32 or int64, got {repeats.dtype} of shape {list(repeats.shape)}"
        )
    if repeats.is_meta and output_size is None:
        raise RuntimeError("cannot repeat_interleave a meta tensor without output_size")
    if holds_somewhere(repeats < 0):
        raise RuntimeError("repeats can not be negative")
    ends = repeats.long().cumsum(0)
    total = output_size if output_size is not None else int(repeats.sum())
    # Position p belongs to the element whose run it lies in: as many runs end at or before p.
    ended = ends.new_zeros(total + 1).scatter_add(0, ends, _core.ones_like(ends))
    return ended.cumsum(0).narrow(0, 0, total)
