"""Norms of vectors and matrices, and products of vectors."""

from __future__ import annotations

from math import inf

from .. import _core
from .._core import Tensor
from ..dtypes import has_gradients
from ..functions.arguments import composed, composed_as, wrap_axes, wrap_axis
from ..functions.precision import in_low_precision
from ..functions.shaping import broadcast_tensors
from .decompositions import svdvals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._core import dtype as DType

__all__ = ["cross", "matrix_norm", "norm", "vecdot", "vector_norm"]


def _as_float(name: str, x: Tensor, dtype: DType | None) -> Tensor:
    if not has_gradients(x):
        raise RuntimeError(f"linalg.{name}: Expected a floating point or complex tensor as input. Got {x.dtype}")
    if dtype is not None and dtype.is_complex != x.dtype.is_complex:
        raise RuntimeError(f"linalg.{name}: dtype {dtype} does not fit an input of {x.dtype}")
    return x if dtype is None else x.to(dtype)


@composed
def vector_norm(
    x: Tensor,
    ord: float = 2,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """``sum(|x|**ord)**(1/ord)`` over `dim` (all of `x` without); the count of nonzeros for 0, extremes for inf."""
    x = _as_float("vector_norm", x, dtype)
    x = x.abs() if x.is_complex() else x
    axes = list(range(x.dim())) if dim is None else wrap_axes(dim, x.dim())
    if x.dim() == 0:
        return (x != 0).to(x.dtype) if ord == 0 else x.abs()
    if (ord < 0 or ord == inf) and any(x.shape[axis] == 0 for axis in axes):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the operation does not "
            f"have an identity, got shape {list(x.shape)}"
        )
    if ord == 0:
        return (x != 0).to(x.dtype).sum(axes, keepdim)
    return x.norm(ord, axes, keepdim)


def _largest(magnitudes: Tensor, axis: int, keepdim: bool = False) -> Tensor:
    """Of none it is 0."""
    return magnitudes.amax(axis, keepdim) if magnitudes.shape[axis] else magnitudes.sum(axis, keepdim)


@composed
def matrix_norm(
    A: Tensor,
    ord: float | str = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """Norms of the matrices in the two axes `dim`: "fro"; 1, inf and -1, -inf (sums of columns or rows, the
    largest or smallest); 2, -2 and "nuc" (the largest and smallest singular value, and the sum of all)."""
    A = _as_float("matrix_norm", A, dtype)
    if len(dim) != 2 or A.dim() < 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple of axes of a matrix. Got {tuple(dim)}")
    rows, columns = wrap_axes(dim, A.dim())
    if ord == "fro":
        return A.norm(2, [rows, columns], keepdim)
    if ord in ("nuc", 2, -2):
        values = svdvals(A.movedim((rows, columns), (-2, -1)))
        result = values.sum(-1) if ord == "nuc" else _largest(values, -1) if ord == 2 else values.amin(-1)
        return result.unsqueeze(min(rows, columns)).unsqueeze(max(rows, columns)) if keepdim else result
    if ord not in (1, -1, inf, -inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported: expected 'fro', 'nuc', ±1, ±2 or ±inf")
    summed, compared = (rows, columns) if ord in (1, -1) else (columns, rows)
    sums = A.abs().sum(summed, True)
    result = _largest(sums, compared, True) if float(ord) > 0 else sums.amin(compared, True)
    return result if keepdim else result.squeeze(max(rows, columns)).squeeze(min(rows, columns))


@composed
def norm(
    A: Tensor,
    ord: float | str | None = None,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """`matrix_norm` for two axes (or a matrix with an `ord`), otherwise `vector_norm`."""
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None and A.dim() not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.dim()}D."
        )
    axes = tuple(range(A.dim())) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if len(axes) == 2:
        return matrix_norm(A, ord, axes, keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: order {ord!r} needs two axes, got {axes}")
    return vector_norm(A, ord, axes, keepdim, dtype=dtype)


@in_low_precision
@composed
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Dot products along `dim`, `x` conjugated, with broadcasting."""
    return (x.conj() * y).sum(dim)


@composed_as("LinalgCross")
def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """Vector products along `dim`, which has size 3; the other dimensions broadcast."""
    if input.dim() != other.dim():
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if not input.dim():
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    axis = wrap_axis(dim, input.dim())
    if input.shape[axis] != 3 or other.shape[axis] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[axis]} and {other.shape[axis]}"
        )
    a, b = (x.unbind(axis) for x in broadcast_tensors(input, other))
    return _core.stack([a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)], axis)
