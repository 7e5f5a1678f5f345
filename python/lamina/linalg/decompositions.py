"""Singular values, eigenvalues of symmetric matrices and orthogonal factors: LAPACK's, by NumPy, with gradients.

They run at once, for LAPACK needs the numbers. Gradients are formulas of the results, recorded as usual, so they have
gradients of their own. They are those of Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation", 2008; those of singular and eigenvectors are infinite where two values are equal.
"""

from __future__ import annotations

from typing import Any

from .. import _core
from .._core import Tensor
from ..autograd.function import Function
from ..functions.matrices import diag_embed, tril, triu
from ..return_types import linalg_eigh, linalg_qr, linalg_svd
from .solving import LinAlgError, column_major, solve_triangular

__all__ = ["eigh", "eigvalsh", "qr", "svd", "svdvals"]


def _check_matrices(name: str, A: Tensor) -> None:
    if A.dim() < 2:
        raise RuntimeError(f"linalg.{name}: The input tensor A must have at least 2 dimensions.")
    if A.dtype not in (_core.float32, _core.float64):
        raise RuntimeError(f"linalg.{name}: expected float32 or float64, got {A.dtype}; convert it with .float()")


def lapack(name: str, A: Tensor, *options: Any, **more: Any) -> list[Tensor]:
    """What ``numpy.linalg.<name>`` gives for the matrices A. LinAlgError where it does not converge.

    On meta only the shapes are found out: from what it gives for a batch of no such matrices.
    """
    from numpy import linalg

    matrices = _core.empty((0, *A.shape[-2:]), dtype=A.dtype, device="cpu") if A.is_meta else A.detach()
    try:
        results = getattr(linalg, name)(matrices.numpy(), *options, **more)
    except linalg.LinAlgError as error:
        raise LinAlgError(f"linalg.{name}: {error}") from None
    parts = [_core.tensor(part, device="cpu") for part in (results if isinstance(results, tuple) else (results,))]
    if A.is_meta:
        parts = [A.new_empty((*A.shape[:-2], *part.shape[1:])) for part in parts]
    return [column_major(part) if part.dim() >= A.dim() else part for part in parts]


def _differences(values: Tensor) -> Tensor:
    """(..., n, n): ``values[j] - values[i]``, and 1 on the diagonal."""
    return (
        values.unsqueeze(-2)
        - values.unsqueeze(-1)
        + _core.eye(values.shape[-1], dtype=values.dtype, device=values.device)
    )


def _skew(x: Tensor) -> Tensor:
    return x - x.mT


class _Svd(Function):
    @staticmethod
    def forward(ctx: Any, A: Tensor, full: bool) -> tuple[Tensor, ...]:
        U, S, Vh = lapack("svd", A, full_matrices=full)
        ctx.save_for_backward(U, S, Vh)
        ctx.set_materialize_grads(False)
        return U, S, Vh

    @staticmethod
    def backward(ctx: Any, gU: Tensor | None, gS: Tensor | None, gVh: Tensor | None) -> tuple[Tensor | None, None]:
        U, S, Vh = ctx.saved_tensors
        k = S.shape[-1]
        if (U.shape[-1] > k and gU is not None) or (Vh.shape[-2] > k and gVh is not None):
            raise RuntimeError(
                "svd_backward: with full_matrices=True the vectors beyond the singular values are not determined by "
                "the matrix and have no gradient; use full_matrices=False"
            )
        U, Vh = U[..., :k], Vh[..., :k, :]
        core = S.new_zeros(S.shape) if gS is None else gS
        inner = diag_embed(core)
        apart = _differences(S.square())
        outside: Tensor | None = None
        if gU is not None:
            within = U.mT @ gU
            inner = inner + _skew(within) / apart * S.unsqueeze(-2)
            if U.shape[-2] > k:
                outside = (gU - U @ within) / S.unsqueeze(-2) @ Vh
        if gVh is not None:
            within = Vh @ gVh.mT
            inner = inner + S.unsqueeze(-1) * (_skew(within) / apart)
            if Vh.shape[-1] > k:
                beyond = U @ ((gVh - within.mT @ Vh) / S.unsqueeze(-1))
                outside = beyond if outside is None else outside + beyond
        gradient = U @ inner @ Vh
        return (gradient if outside is None else gradient + outside), None


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> linalg_svd:
    """``A = U @ diag(S) @ Vh`` of (..., m, n) matrices: orthonormal columns and rows, S falling and not negative.

    U is (..., m, m) and Vh (..., n, n), or with ``full_matrices=False`` their first min(m, n) columns and rows, which
    alone have gradients. `driver` is for other devices.
    """
    _check_matrices("svd", A)
    return linalg_svd(*_Svd.apply(A, full_matrices))


def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values of (..., m, n) matrices, falling: (..., min(m, n))."""
    _check_matrices("svdvals", A)
    values: Tensor = _Svd.apply(A, False)[1]
    return values


class _Eigh(Function):
    @staticmethod
    def forward(ctx: Any, A: Tensor, triangle: str) -> tuple[Tensor, ...]:
        values, vectors = lapack("eigh", A, triangle)
        ctx.save_for_backward(values, vectors)
        ctx.set_materialize_grads(False)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, g_values: Tensor | None, g_vectors: Tensor | None) -> tuple[Tensor, None]:
        values, vectors = ctx.saved_tensors
        inner = diag_embed(values.new_zeros(values.shape) if g_values is None else g_values)
        if g_vectors is not None:
            # Only what turns the vectors moves with A: the antisymmetric part.
            inner = inner + _skew(vectors.mT @ g_vectors) / 2 / _differences(values)
        return vectors @ inner @ vectors.mT, None


def _check_symmetric(name: str, A: Tensor, UPLO: str) -> None:
    _check_matrices(name, A)
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.{name}: A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} matrices"
        )
    if UPLO not in ("L", "U", "l", "u"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")


def eigh(A: Tensor, UPLO: str = "L") -> linalg_eigh:
    """Eigenvalues, rising, and orthonormal eigenvectors (columns) of symmetric matrices; one triangle is read."""
    _check_symmetric("eigh", A, UPLO)
    return linalg_eigh(*_Eigh.apply(A, UPLO.upper()))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, rising."""
    _check_symmetric("eigvalsh", A, UPLO)
    values: Tensor = _Eigh.apply(A, UPLO.upper())[0]
    return values


class _Qr(Function):
    @staticmethod
    def forward(ctx: Any, A: Tensor, mode: str) -> tuple[Tensor, ...]:
        Q, R = lapack("qr", A, mode)
        ctx.save_for_backward(A, Q, R)
        return Q, R

    @staticmethod
    def backward(ctx: Any, gQ: Tensor, gR: Tensor) -> tuple[Tensor, None]:
        A, Q, R = ctx.saved_tensors
        m, n = A.shape[-2:]
        if Q.shape[-1] > n:
            raise RuntimeError(
                "The QR decomposition is not differentiable when mode='complete' and nrows > ncols; use mode='reduced'"
            )
        if m >= n:
            return _square_qr_gradient(Q, R, gQ, gR), None
        # A = [X Y] = Q [U V]: Q and U are those of X, and V = Q' Y.
        right = Q @ gR[..., m:]
        left = _square_qr_gradient(Q, R[..., :m], gQ + A[..., m:] @ gR[..., m:].mT, gR[..., :m])
        return _core.cat([left, right], -1), None


def _square_qr_gradient(Q: Tensor, R: Tensor, gQ: Tensor, gR: Tensor) -> Tensor:
    """Of a matrix with no more columns than rows (Walter and Lehmann, "Algorithmic differentiation of linear algebra
    functions with application in optimum experimental design", 2012)."""
    M = R @ gR.mT - gQ.mT @ Q
    symmetric = tril(M) + tril(M, -1).mT
    return solve_triangular(R.mT, gQ + Q @ symmetric, upper=False, left=False)


def qr(A: Tensor, mode: str = "reduced") -> linalg_qr:
    """``A = Q @ R`` of (..., m, n) matrices: orthonormal columns, and an upper triangle.

    Q has min(m, n) columns, or m for ``mode="complete"``; for ``mode="r"`` it is empty, and there is no gradient.
    """
    _check_matrices("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"qr received unrecognized mode '{mode}': expected 'reduced' (default), 'r' or 'complete'")
    if mode == "r":
        if A.requires_grad and _core.is_grad_enabled():
            raise RuntimeError("The derivative of linalg.qr depends on Q, which is not computed when mode='r'.")
        return linalg_qr(A.new_empty(0), triu(lapack("qr", A, "r")[0]))
    return linalg_qr(*_Qr.apply(A, mode))
