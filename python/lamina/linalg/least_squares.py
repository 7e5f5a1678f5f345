"""What follows from singular values: rank, condition, pseudo-inverses and least squares."""

from __future__ import annotations

from math import inf
from typing import Any

from .. import _core
from .._core import Tensor
from ..autograd.batching import whole_batch_of
from ..autograd.function import Function
from ..autograd.mapped import apply_to_batch
from ..dtypes import finfo
from ..functions.arguments import composed
from ..functions.precision import as_given, in_float32
from ..return_types import linalg_lstsq
from .checks import check_square
from .decompositions import svd, svdvals
from .eigenvalues import eigvalsh
from .lu_factors import inv_ex
from .norms import matrix_norm

__all__ = ["cond", "lstsq", "matrix_rank", "pinv"]


def _threshold(A: Tensor, largest: Tensor, atol: Tensor | float | None, rtol: Tensor | float | None) -> Tensor:
    """Up to ``max(atol, rtol * largest)`` singular values count as zero; rtol is max(m, n) eps if none is given."""
    for name, tolerance in (("atol", atol), ("rtol", rtol)):
        if isinstance(tolerance, Tensor) and tolerance.is_complex():
            raise RuntimeError(f"{name} tensor of complex type is not supported.")
    if rtol is None:
        rtol = max(A.shape[-2:]) * finfo(A.dtype).eps
        if isinstance(atol, Tensor):
            rtol = _core.where(atol > 0, 0.0, rtol)
        elif atol is not None and atol > 0:
            rtol = 0.0
    return _core.maximum(
        largest * rtol, _core.as_tensor(0.0 if atol is None else atol, dtype=largest.dtype, device=largest.device)
    )


@in_float32
@composed
def matrix_rank(
    A: Tensor,
    tol: Tensor | float | None = None,
    hermitian: bool = False,
    *,
    atol: Tensor | float | None = None,
    rtol: Tensor | float | None = None,
) -> Tensor:
    """How many singular values are above ``max(atol, rtol * the largest)``: int64 of the batch's shape."""
    values = eigvalsh(A.detach()).abs() if hermitian else svdvals(A.detach())
    return _rank(A, values, atol if tol is None else tol, rtol)


def _rank(A: Tensor, values: Tensor, atol: Tensor | float | None, rtol: Tensor | float | None) -> Tensor:
    """How many of the singular values of A are above the threshold."""
    if values.shape[-1] == 0:
        return values.new_zeros(values.shape[:-1], dtype=_core.int64)
    limit = _threshold(A, values.amax(-1), atol, rtol)
    return (values > limit.unsqueeze(-1)).sum(-1)


class _Pinv(Function):
    """The pseudo-inverse and the singular values, the latter without a gradient.

    Source: Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems", 1973.
    """

    _node_name = "LinalgPinvBackward0"

    @staticmethod
    def forward(
        ctx: Any, A: Tensor, atol: Any, rtol: Any, hermitian: bool, found: list[Tensor] | None
    ) -> tuple[Tensor, Tensor]:
        P, S = found or _inverted(A, atol, rtol, hermitian)
        ctx.save_for_backward(A, P)
        ctx.mark_non_differentiable(S)
        return P, S

    @staticmethod
    def backward(ctx: Any, g: Tensor, _: Tensor) -> tuple[Tensor, None, None, None, None]:
        A, P = ctx.saved_tensors
        beyond_columns = g.mH @ P @ P.mH
        beyond_rows = P.mH @ P @ g.mH
        gradient = -P.mH @ g @ P.mH + beyond_columns - A @ (P @ beyond_columns)
        return gradient + beyond_rows - (beyond_rows @ P) @ A, None, None, None, None


def _inverted(A: Tensor, atol: Any, rtol: Any, hermitian: bool) -> tuple[Tensor, Tensor]:
    """The pseudo-inverses and the singular values."""
    matrix = A.detach()
    if hermitian:  # the lower triangle says all
        check_square("pinv", A)
        matrix = matrix.tril() + matrix.tril(-1).mH
    U, S, Vh = svd(matrix, full_matrices=False)
    inverses = S
    if S.shape[-1]:
        limit = _threshold(A, S.amax(-1), atol, rtol).unsqueeze(-1)
        inverses = _core.where(limit < S, S.reciprocal(), 0.0)
    return (Vh.mH * inverses.unsqueeze(-2)) @ U.mH, S


@as_given
@composed
def pinv(
    A: Tensor,
    rcond: Tensor | float | None = None,
    hermitian: bool = False,
    *,
    atol: Tensor | float | None = None,
    rtol: Tensor | float | None = None,
) -> Tensor:
    """The pseudo-inverse of (..., m, n) matrices, (..., n, m); singular values up to the threshold count as zero.

    Of a `hermitian` matrix only the lower triangle is read. RuntimeError if it is not square.
    """
    tolerances = [atol, rtol if rcond is None else rcond]
    for n, tolerance in enumerate(tolerances):
        if isinstance(tolerance, Tensor) and _core._is_example(tolerance):
            A = _core.where(tolerance[..., None, None] == 0, A, A)  # the same, one for each tolerance
            tolerances[n] = tolerance.expand(A.shape[:-2])
    return apply_to_batch(_Pinv, A, *tolerances, hermitian)[0]


@in_float32
def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> linalg_lstsq:
    """X of the least ``|A X - B|``, the smallest if there are several; (..., m, n) and (..., m, k) give (..., n, k).

    Also the squared residuals (of full-rank problems with more rows than columns, else empty), the rank and the
    singular values. `driver` is accepted; the solution is always the pseudo-inverse's.
    """
    if A.dim() < 2 or B.dim() < 1:
        raise RuntimeError(
            f"linalg.lstsq: expected a matrix and a matrix or vector, got {list(A.shape)}, {list(B.shape)}"
        )
    vector = B.dim() == A.dim() - 1
    right = B.unsqueeze(-1) if vector else B
    if right.dim() < 2 or right.shape[-2] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.lstsq: input.size(-2) should match other.size(-2), got {list(A.shape)} and {list(B.shape)}"
        )
    inverse, values = apply_to_batch(_Pinv, A, None, rcond, False)
    X = inverse @ right
    rank = _rank(A, values, None, rcond)
    residuals = values.new_empty(0)
    if A.shape[-2] > A.shape[-1] and bool((whole_batch_of(rank) == A.shape[-1]).all()):
        residuals = (A @ X - right).abs().square().sum(-2)
    return linalg_lstsq(X.squeeze(-1) if vector else X, residuals, rank, values)


@in_float32
@composed
def cond(A: Tensor, p: float | str | None = None) -> Tensor:
    """The condition number by the norm `p`: of the singular values (None, 2, -2), or of the matrix and its inverse.

    Singular matrices have infinity by the latter, and matrices of no elements 0.
    """
    if A.dim() >= 2 and A.numel() == 0 and A.shape[-1] == A.shape[-2]:
        return A.new_zeros(A.shape[:-2], dtype=A.dtype.to_real())
    if p in (None, 2, -2):
        values = svdvals(A)
        return values[..., -1] / values[..., 0] if p == -2 else values[..., 0] / values[..., -1]
    assert p is not None
    inverse, info = inv_ex(A)
    regular = info == 0
    inverse = _core.where(regular.unsqueeze(-1).unsqueeze(-1), inverse, 0.0)
    return _core.where(regular, matrix_norm(A, p) * matrix_norm(inverse, p), inf)
