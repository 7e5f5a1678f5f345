"""Singular values and orthogonal factors: LAPACK's, by NumPy, with gradients.

They run at once, for LAPACK needs the numbers. Gradients are formulas of the results, recorded as usual, so they have
gradients of their own. They are those of Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation", 2008, and for complex matrices of Wan and Zhang, "Automatic differentiation for complex
valued SVD", 2019; those of singular vectors are infinite where two values are equal.
"""

from __future__ import annotations

from typing import Any

from .. import _core
from .._core import Tensor
from ..autograd.function import Function
from ..autograd.mapped import apply_to_batch, is_followed
from ..functions.arguments import composed
from ..functions.matrices import diag_embed, tril
from ..functions.precision import in_float32
from ..looking import holds_somewhere
from ..return_types import linalg_qr, linalg_svd
from .checks import check_computed
from .lapack import lapack
from .solving import solve_triangular

__all__ = ["qr", "svd", "svdvals"]


def differences(values: Tensor) -> Tensor:
    """(..., n, n): ``values[j] - values[i]``, and 1 on the diagonal."""
    return (
        values.unsqueeze(-2)
        - values.unsqueeze(-1)
        + _core.eye(values.shape[-1], dtype=values.dtype, device=values.device)
    )


def skew(x: Tensor) -> Tensor:
    """Twice the antisymmetric part, or of complex matrices the skew-Hermitian one."""
    return x - x.mH


def check_phase(function: str, vectors: str, turning: Tensor | None) -> None:
    """RuntimeError unless the diagonals of `turning`, what a loss gains by turning complex vectors, are nearly real."""
    if turning is None or not turning.is_complex():
        return
    if holds_somewhere(turning.detach().diagonal(0, -2, -1).imag.abs() > 1e-2):
        ending = "phase term, making it" if function == "svd" else "quantity, so it is"
        raise RuntimeError(
            f"{function}_backward: The {vectors} in the complex case are specified up to multiplication by e^{{i phi}}."
            f" The specified loss function depends on this {ending} ill-defined."
        )


class _Svd(Function):
    _node_name = "LinalgSvdBackward0"

    @staticmethod
    def forward(ctx: Any, A: Tensor, full: bool, found: list[Tensor] | None) -> tuple[Tensor, ...]:
        U, S, Vh = found or lapack("svd", A, full_matrices=full)
        ctx.save_for_backward(U, S, Vh)
        ctx.set_materialize_grads(False)
        return U, S, Vh

    @staticmethod
    def backward(ctx: Any, gU: Tensor | None, gS: Tensor | None, gVh: Tensor | None) -> Any:
        U, S, Vh = ctx.saved_tensors
        k = S.shape[-1]
        if (U.shape[-1] > k and gU is not None) or (Vh.shape[-2] > k and gVh is not None):
            raise RuntimeError(
                "svd_backward: with full_matrices=True the vectors beyond the singular values are not determined by "
                "the matrix and have no gradient; use full_matrices=False"
            )
        U, Vh = U[..., :k], Vh[..., :k, :]
        left = None if gU is None else U.mH @ gU
        right = None if gVh is None else Vh @ gVh.mH
        check_phase("svd", "singular vectors", right if left is None else left if right is None else left + right)
        inner = diag_embed(S.new_zeros(S.shape) if gS is None else gS).to(U.dtype)
        apart = differences(S.square())
        outside: Tensor | None = None
        if left is not None and gU is not None:
            inner = inner + skew(left) / apart * S.unsqueeze(-2)
            if U.shape[-2] > k:
                outside = (gU - U @ left) / S.unsqueeze(-2) @ Vh
        if right is not None and gVh is not None:
            inner = inner + S.unsqueeze(-1) * (skew(right) / apart)
            if Vh.shape[-1] > k:
                beyond = U @ ((gVh - right.mH @ Vh) / S.unsqueeze(-1))
                outside = beyond if outside is None else outside + beyond
        if left is not None and right is not None and U.is_complex():
            # A phase of the matrix between the vectors turns them against each other.
            inner = inner + diag_embed(skew(left).diagonal(0, -2, -1) / (2 * S))
        gradient = U @ inner @ Vh
        return (gradient if outside is None else gradient + outside), None, None


@in_float32
@composed
def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> linalg_svd:
    """``A = U @ diag(S) @ Vh`` of (..., m, n) matrices: orthonormal columns and rows, S falling and not negative.

    U is (..., m, m) and Vh (..., n, n), or with ``full_matrices=False`` their first min(m, n) columns and rows, which
    alone have gradients. `driver` is for other devices.
    """
    check_computed("svd", A)
    return linalg_svd(*apply_to_batch(_Svd, A, full_matrices))


@in_float32
@composed
def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values of (..., m, n) matrices, falling: (..., min(m, n))."""
    check_computed("svdvals", A)
    if is_followed(A):
        return apply_to_batch(_Svd, A, False)[1]
    return lapack("svd", A, compute_uv=False)[0]


class _Qr(Function):
    _node_name = "LinalgQrBackward0"

    @staticmethod
    def forward(ctx: Any, A: Tensor, mode: str, found: list[Tensor] | None) -> tuple[Tensor, ...]:
        Q, R = found or lapack("qr", A, mode=mode)
        ctx.save_for_backward(A, Q, R)
        return Q, R

    @staticmethod
    def backward(ctx: Any, gQ: Tensor, gR: Tensor) -> tuple[Tensor, None, None]:
        A, Q, R = ctx.saved_tensors
        m, n = A.shape[-2:]
        if Q.shape[-1] > n:
            raise RuntimeError(
                "The QR decomposition is not differentiable when mode='complete' and nrows > ncols; use mode='reduced'"
            )
        if m >= n:
            return _square_qr_gradient(Q, R, gQ, gR), None, None
        # A = [X Y] = Q [U V]: Q and U are those of X, and V = Qᴴ Y.
        right = Q @ gR[..., m:]
        left = _square_qr_gradient(Q, R[..., :m], gQ + A[..., m:] @ gR[..., m:].mH, gR[..., :m])
        return _core.cat([left, right], -1), None, None


def _square_qr_gradient(Q: Tensor, R: Tensor, gQ: Tensor, gR: Tensor) -> Tensor:
    """Of a matrix with no more columns than rows (Walter and Lehmann, "Algorithmic differentiation of linear algebra
    functions with application in optimum experimental design", 2012)."""
    M = R @ gR.mH - gQ.mH @ Q
    below = tril(M, -1)
    hermitian = below + below.mH + diag_embed(M.diagonal(0, -2, -1).real)  # R's diagonal is real
    return solve_triangular(R.mH, gQ + Q @ hermitian, upper=False, left=False)


@in_float32
@composed
def qr(A: Tensor, mode: str = "reduced") -> linalg_qr:
    """``A = Q @ R`` of (..., m, n) matrices: orthonormal columns, and an upper triangle.

    Q has min(m, n) columns, or m for ``mode="complete"``; for ``mode="r"`` it is empty, and there is no gradient.
    """
    check_computed("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"qr received unrecognized mode '{mode}': expected 'reduced' (default), 'r' or 'complete'")
    if mode == "r":
        if A.requires_grad and _core.is_grad_enabled():
            raise RuntimeError("The derivative of linalg.qr depends on Q, which is not computed when mode='r'.")
        return linalg_qr(A.new_empty(0), apply_to_batch(_Qr, A.detach(), "reduced")[1])
    return linalg_qr(*apply_to_batch(_Qr, A, mode))
