"""Inverses, solutions, determinants and Cholesky factors: LAPACK's, by NumPy, with gradients that are formulas.

Where there are no numbers to look at (in `vmap`, in a run on shapes), or LAPACK finds that a matrix is
singular or not positive definite, the functions that use these go by recorded steps instead.
"""

from __future__ import annotations

from typing import Any

from .. import _core
from .._core import Tensor
from ..autograd.function import Function
from ..autograd.mapped import applied
from ..functions.matrices import diag_embed, tril
from .lapack import LinAlgError, lapack
from .triangles import solve_triangle

__all__ = ["cholesky_factor", "determinant", "inverse", "sign_and_logarithm", "solution"]


def _is_seen(*operands: Tensor) -> bool:
    if _core.shape_only_active() or any(map(_core._is_example, operands)):
        return False
    return all(x.dtype.to_real() in (_core.float32, _core.float64) for x in operands)


def _apply(function: type[Function], *operands: Tensor) -> Any:
    """What `function` gives, or None."""
    if not _is_seen(*operands):
        return None
    try:
        return applied(function, *operands)
    except LinAlgError:
        return None


class _Inverse(Function):
    _node_name = "LinalgInvExBackward0"

    @staticmethod
    def forward(ctx: Any, A: Tensor) -> Tensor:
        (X,) = lapack("inv", A)
        ctx.save_for_backward(X)
        ctx.save_for_forward(X)
        return X

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (X,) = ctx.saved_tensors
        return -(X.mH @ gradient @ X.mH)

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Any:
        (X,) = ctx.saved_tensors
        return -(X @ tangent @ X)


def inverse(A: Tensor) -> Tensor | None:
    """The inverses of (..., n, n)."""
    found: Tensor | None = _apply(_Inverse, A)
    return found


def _solved(A: Tensor, B: Tensor) -> Tensor:
    # A cotangent may be an example of vmap's where A is none.
    found: Tensor = _Solution.apply(A, B) if _is_seen(B) else _Inverse.apply(A) @ B
    return found


class _Solution(Function):
    _node_name = "LinalgSolveExBackward0"

    @staticmethod
    def forward(ctx: Any, A: Tensor, B: Tensor) -> Tensor:
        (X,) = lapack("solve", A, B)
        ctx.save_for_backward(A, X)
        ctx.save_for_forward(A, X)
        return X

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor]:
        A, X = ctx.saved_tensors
        right = _solved(A.mH, gradient)
        return (-(right @ X.mH) if ctx.needs_input_grad[0] else None), right

    @staticmethod
    def jvp(ctx: Any, along_A: Tensor | None, along_B: Tensor | None) -> Tensor:
        A, X = ctx.saved_tensors
        rest = along_B if along_A is None else -(along_A @ X) if along_B is None else along_B - along_A @ X
        assert rest is not None
        return _solved(A, rest)


def solution(A: Tensor, B: Tensor) -> Tensor | None:
    """X with ``A X = B`` for (..., n, n) and (..., n, m) of one batch shape."""
    found: Tensor | None = _apply(_Solution, A, B)
    return found


def _scaled(numbers: Tensor, matrices: Tensor) -> Tensor:
    return numbers.unsqueeze(-1).unsqueeze(-1) * matrices


def _trace(matrices: Tensor) -> Tensor:
    return matrices.diagonal(0, -2, -1).sum(-1)


def _inverse_for_gradient(A: Tensor, known: Tensor) -> Tensor:
    """`known`, or with a history if there is to be one."""
    found: Tensor = _Inverse.apply(A) if _core.is_grad_enabled() and A.requires_grad else known
    return found


class _Determinant(Function):
    _node_name = "LinalgDetBackward0"

    @staticmethod
    def forward(ctx: Any, A: Tensor, known_inverse: Tensor) -> Tensor:
        (value,) = lapack("det", A)
        ctx.save_for_backward(A, value, known_inverse)
        ctx.save_for_forward(A, value)
        return value

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        A, value, known_inverse = ctx.saved_tensors
        return _scaled(gradient * value.conj(), _inverse_for_gradient(A, known_inverse).mH), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Any:
        A, value = ctx.saved_tensors
        return value * _trace(_solved(A, tangent))


class _SignAndLogarithm(Function):
    _node_name = "LinalgSlogdetBackward0"

    @staticmethod
    def forward(ctx: Any, A: Tensor, known_inverse: Tensor) -> tuple[Tensor, Tensor]:
        sign, logarithm = lapack("slogdet", A)
        if not A.is_complex():
            ctx.mark_non_differentiable(sign)
        ctx.save_for_backward(A, sign, known_inverse)
        ctx.save_for_forward(A, sign)
        return sign, logarithm

    @staticmethod
    def backward(ctx: Any, along_sign: Tensor, along_logarithm: Tensor) -> tuple[Tensor, None]:
        A, sign, known_inverse = ctx.saved_tensors
        factor = along_logarithm
        if A.is_complex():
            factor = _core.complex(along_logarithm, -(along_sign.conj() * sign).imag)
        return _scaled(factor, _inverse_for_gradient(A, known_inverse).mH), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> tuple[Tensor | None, Tensor]:
        A, sign = ctx.saved_tensors
        turn = _trace(_solved(A, tangent))
        if not A.is_complex():
            return None, turn
        return sign * _core.complex(_core.zeros_like(turn.imag), turn.imag), turn.real


def _good_inverses(A: Tensor) -> Tensor | None:
    """The inverses, if gradients may go by them: they lose all digits near singular matrices."""
    A = A.detach()
    found = inverse(A)
    if found is None or A.is_meta:
        return found
    condition = A.abs().sum(-2).amax(-1) * found.abs().sum(-2).amax(-1) if A.numel() else A.abs()
    good = bool((condition < (1e5 if condition.dtype == _core.float32 else 1e13)).all())
    return found if good else None


def _by_lapack(function: type[Function], A: Tensor) -> Any:
    """What `function` gives, or None where steps have to be recorded."""
    if not _is_seen(A):
        return None
    if not (_core.is_grad_enabled() and A.requires_grad):
        return applied(function, A, A.detach())
    known_inverse = _good_inverses(A)
    return None if known_inverse is None else function.apply(A, known_inverse)


def determinant(A: Tensor) -> Tensor | None:
    """The determinants of (..., n, n)."""
    found: Tensor | None = _by_lapack(_Determinant, A)
    return found


def sign_and_logarithm(A: Tensor) -> tuple[Tensor, Tensor] | None:
    """The determinants' signs, and the logarithms of their absolute values."""
    found: tuple[Tensor, Tensor] | None = _by_lapack(_SignAndLogarithm, A)
    return found


def _hermitian(lower: Tensor) -> Tensor:
    below = tril(lower, -1)
    return below + below.mH + diag_embed(lower.diagonal(0, -2, -1).real)


class _CholeskyFactor(Function):
    _node_name = "LinalgCholeskyExBackward0"

    @staticmethod
    def forward(ctx: Any, A: Tensor) -> Tensor:
        (L,) = lapack("cholesky", A)
        ctx.save_for_backward(L)
        ctx.save_for_forward(L)
        return L

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Murray, "Differentiation of the Cholesky decomposition", 2016."""
        (L,) = ctx.saved_tensors
        inner = _hermitian(L.mH @ tril(gradient))
        right = solve_triangle(L.mH, inner, True, False, True).mH  # inner is Hermitian
        return solve_triangle(L.mH, right, True, False, True) / 2

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Any:
        (L,) = ctx.saved_tensors
        half = solve_triangle(L, (tangent + tangent.mH) / 2, False, False, True).mH
        inner = solve_triangle(L, half, False, False, True)
        return L @ (tril(inner, -1) + diag_embed(inner.diagonal(0, -2, -1)) / 2)


def cholesky_factor(A: Tensor) -> Tensor | None:
    """The lower triangles L with ``L Lᴴ = A``, of which the lower triangle is read."""
    found: Tensor | None = _apply(_CholeskyFactor, A)
    return found
