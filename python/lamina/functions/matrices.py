"""Diagonals and triangles of matrices (the last two dimensions, unless said)."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .arguments import composed, composed_as, wrap_axis
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


def _lies_on(rows: int, columns: int, device: device | str | None) -> Tensor:
    """(rows, columns): which diagonal each element lies on, 0 the main one, positive above."""
    return _core.arange(columns, device=device) - _core.arange(rows, device=device).unsqueeze(1)


def _check_matrix(name: str, input: Tensor) -> None:
    if input.dim() < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, got shape {list(input.shape)}")


@composed_as("Tril")
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle up to and with `diagonal`; 0 above."""
    _check_matrix("tril", input)
    return _masked(input, _lies_on(input.shape[-2], input.shape[-1], input.device) <= diagonal)


@composed_as("Triu")
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle from `diagonal` on; 0 below."""
    _check_matrix("triu", input)
    return _masked(input, _lies_on(input.shape[-2], input.shape[-1], input.device) >= diagonal)


def _masked(input: Tensor, kept: Tensor) -> Tensor:
    return _core._lay_contiguous(_core.where(kept, input, input.new_zeros(())))


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: DType | None = None, device: device | str | None = None
) -> Tensor:
    """(2, n) int64: row and column numbers of a row × col matrix's lower triangle, row by row."""
    places = (_lies_on(row, col, "cpu") <= offset).nonzero().t().contiguous()
    return places.to(device or _core.get_default_device(), dtype or _core.int64)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: DType | None = None, device: device | str | None = None
) -> Tensor:
    """(2, n) int64: row and column numbers of a row × col matrix's upper triangle, row by row."""
    places = (_lies_on(row, col, "cpu") >= offset).nonzero().t().contiguous()
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
    length = input.shape[-1]
    shift = abs(offset)
    # Row i of the matrix repeats element i (element i - shift below the main diagonal); the mask keeps one of a row.
    rows = input.unsqueeze(-1)
    if shift:
        padding = input.new_zeros((*input.shape[:-1], shift, 1))
        rows = _core.cat([rows, padding] if offset > 0 else [padding, rows], -2)
    on = _lies_on(length + shift, length + shift, input.device) == offset
    return movedim(_core.where(on, rows, input.new_zeros(())), (-2, -1), (dim1, dim2))


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
    if any(block.dim() != 2 for block in blocks):
        raise RuntimeError(
            f"block_diag: Input tensors must have 2 or fewer dimensions, got {[x.dim() for x in tensors]}"
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
