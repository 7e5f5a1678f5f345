"""Equations whose unknown has several axes, and NumPy's spellings of functions that are elsewhere in lamina."""

from __future__ import annotations

import math

from .. import _core
from .._core import Tensor
from ..functions.arguments import composed
from ..functions.precision import in_float32
from .lu_factors import inv, solve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["diagonal", "tensorinv", "tensorsolve", "vander"]


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """`lamina.diagonal`, of the last two axes if nothing else is said."""
    return A.diagonal(offset, dim1, dim2)


def _check_as_square(A: Tensor, ind: int, shown: str) -> int:
    rows, columns = math.prod(A.shape[ind:]), math.prod(A.shape[:ind])
    if rows != columns:
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[{shown}:]) == prod(self.shape[:{shown}]), "
            f"but got {rows} != {columns}"
        )
    return rows


@in_float32
@composed
def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse of A as a matrix from its last axes to its first `ind`: ``tensordot(result, A, ind)`` is one.

    Its shape is ``A.shape[ind:] + A.shape[:ind]``.
    """
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    n = _check_as_square(A, ind, "ind")
    return inv(A.reshape(n, n)).reshape((*A.shape[ind:], *A.shape[:ind]))


@in_float32
@composed
def tensorsolve(A: Tensor, B: Tensor, dims: Sequence[int] | None = None) -> Tensor:
    """X with ``tensordot(A, X, X.dim()) == B``, after `dims` of A have been moved to its end: ``A.shape[B.dim():]``."""
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.dim() - len(dims), A.dim())))
    n = _check_as_square(A, B.dim(), "other.ndim")
    return solve(A.reshape(n, n), B.reshape(n)).reshape(A.shape[B.dim() :])


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """(..., n, N): the powers 0 to N - 1 (N is n if not given) of each element of (..., n)."""
    x = x.reshape(1) if x.dim() == 0 else x
    count = x.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    kind = x.dtype if x.dtype != _core.bool else _core.int64
    base = x.to(kind).unsqueeze(-1)
    ones = base.new_ones(base.shape)
    return _core.cat([ones, base.expand((*x.shape, count - 1)).cumprod(-1)], -1)
