"""Diagonals and triangles of matrices (the last two dimensions, unless said)."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .arguments import composed, composed_as, wrap_axis
from .indexing import slice_scatter
from .precision import in_float32
from .shaping import movedim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._core import dtype as DType
    from ..devices import device

__all__ = [
    "block_diag",
    "diag",
    "diag_embed",
    "diagflat",
    "trace",
    "tril",
    "tril_indices",
    "triu",
    "triu_indices",
]


def _places(
    rows: int, columns: int, diagonal: int, device: device | str | None, like: DType = _core.int32
) -> tuple[Tensor, Tensor]:
    """Columns as a row and, as a column, the one in which each row meets `diagonal` (0 the main one, positive above).

    Of the type of what they choose from, if that can count so far, so that one kernel compares and chooses.
    """
    exact = like == _core.float64 or (like == _core.float32 and rows + columns < 2**24)
    dtype = like if exact else _core.int32 if rows + columns < 2**31 else _core.int64
    first = min(max(diagonal, -rows), columns)
    on = _core.arange(first, first + rows, dtype=dtype, device=device).unsqueeze(1)
    return _core.arange(columns, dtype=dtype, device=device), on


def _check_matrix(name: str, input: Tensor) -> None:
    if input.dim() < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, got shape {list(input.shape)}")


@composed_as("Tril")
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle up to and with `diagonal`; 0 above."""
    _check_matrix("tril", input)
    column, on = _places(input.shape[-2], input.shape[-1], diagonal, input.device, input.dtype)
    return _masked(input, column <= on)


@composed_as("Triu")
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle from `diagonal` on; 0 below."""
    _check_matrix("triu", input)
    column, on = _places(input.shape[-2], input.shape[-1], diagonal, input.device, input.dtype)
    return _masked(input, on <= column)


def _masked(input: Tensor, kept: Tensor) -> Tensor:
    return _core._lay_contiguous(_core.where(kept, input, input.new_zeros(())))


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: DType | None = None, device: device | str | None = None
) -> Tensor:
    """(2, n) int64: row and column numbers of a row × col matrix's lower triangle, row by row."""
    column, on = _places(row, col, offset, "cpu")
    places = (column <= on).nonzero().t().contiguous()
    return places.to(device or _core.get_default_device(), dtype or _core.int64)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: DType | None = None, device: device | str | None = None
) -> Tensor:
    """(2, n) int64: row and column numbers of a row × col matrix's upper triangle, row by row."""
    column, on = _places(row, col, offset, "cpu")
    places = (on <= column).nonzero().t().contiguous()
    return places.to(device or _core.get_default_device(), dtype or _core.int64)


@in_float32
@composed_as("Trace")
def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's main diagonal."""
    if input.dim() != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.dim()}")
    return input.diagonal().sum()


@composed_as("DiagEmbed")
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with `input`'s last dimension on the diagonal `offset`, 0 elsewhere; they fill `dim1` and `dim2`."""
    ndim = input.dim() + 1
    dim1, dim2 = wrap_axis(dim1, ndim), wrap_axis(dim2, ndim)
    if dim1 == dim2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    if dim1 > dim2:
        dim1, dim2, offset = dim2, dim1, -offset
    length, ahead = input.shape[-1], input.shape[:-1]
    side = length + abs(offset)
    first = offset if offset > 0 else -offset * side
    flat = input.new_zeros((*ahead, side * side))
    if length:
        flat = slice_scatter(flat, input, -1, first, first + (length - 1) * (side + 1) + 1, side + 1)
    return movedim(flat.reshape((*ahead, side, side)), (-2, -1), (dim1, dim2))


@composed
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A square matrix with all of `input`'s elements on the diagonal `offset`."""
    return diag_embed(input.reshape(-1), offset)


@composed
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A vector as the diagonal of a matrix; a matrix's diagonal as a vector."""
    if input.dim() == 1:
        return diag_embed(input, diagonal)
    if input.dim() == 2:
        return input.diagonal(diagonal).clone()
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.dim()}D")


def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the given matrices (vectors count as rows) down its diagonal, 0 elsewhere."""
    blocks = [x.reshape((1, -1)) if x.dim() < 2 else x for x in tensors] or [_core.zeros((1, 0))]
    for i, block in enumerate(blocks):
        if block.dim() != 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. "
                f"Input {i} has {block.dim()} dimensions"
            )
    columns = sum(block.shape[1] for block in blocks)
    rows, before = [], 0
    for block in blocks:
        height, width = block.shape
        left = block.new_zeros((height, before))
        right = block.new_zeros((height, columns - before - width))
        rows.append(_core.cat([left, block, right], 1))
        before += width
    return _core.cat(rows, 0)
