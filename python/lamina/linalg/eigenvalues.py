"""Eigenvalues and eigenvectors of symmetric, Hermitian and of any square matrices: LAPACK's, by NumPy, with gradients.

Gradients are those of Boeddeker et al., "On the computation of complex-valued gradients with application to
statistically optimum beamforming", 2017; those of vectors are infinite where two values are equal.
"""

from __future__ import annotations

from typing import Any

from .._core import Tensor
from ..autograd.function import Function
from ..autograd.mapped import apply_to_batch, is_followed
from ..functions.arguments import composed
from ..functions.matrices import diag_embed
from ..functions.precision import in_float32
from ..looking import holds_somewhere
from ..return_types import linalg_eig, linalg_eigh
from .checks import check_computed, check_square
from .decompositions import check_phase, differences, skew
from .lapack import lapack
from .lu_factors import solve

__all__ = ["eig", "eigh", "eigvals", "eigvalsh"]


class _Eigh(Function):
    _node_name = "LinalgEighBackward0"

    @staticmethod
    def forward(ctx: Any, A: Tensor, triangle: str, found: list[Tensor] | None) -> tuple[Tensor, ...]:
        values, vectors = found or lapack("eigh", A, UPLO=triangle)
        ctx.save_for_backward(values, vectors)
        ctx.set_materialize_grads(False)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, g_values: Tensor | None, g_vectors: Tensor | None) -> tuple[Tensor, None, None]:
        values, vectors = ctx.saved_tensors
        inner = diag_embed(values.new_zeros(values.shape) if g_values is None else g_values).to(vectors.dtype)
        if g_vectors is not None:
            turning = vectors.mH @ g_vectors
            check_phase("linalg_eigh", "eigenvectors", turning)
            # Only what turns the vectors moves with A: the antisymmetric part.
            turning = skew(turning)
            if turning.is_complex():
                turning = turning - diag_embed(turning.diagonal(0, -2, -1))  # the phases do not
            inner = inner + turning / 2 / differences(values)
        return vectors @ inner @ vectors.mH, None, None


def _check_symmetric(name: str, A: Tensor, UPLO: str) -> None:
    check_square(name, A)
    check_computed(name, A)
    if UPLO not in ("L", "U", "l", "u"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")


@in_float32
@composed
def eigh(A: Tensor, UPLO: str = "L") -> linalg_eigh:
    """Eigenvalues, real and rising, and orthonormal eigenvectors (columns) of symmetric or Hermitian matrices.

    One triangle is read. The gradient by complex vectors is that of losses that do not depend on their phases;
    RuntimeError in backward if the loss does.
    """
    _check_symmetric("eigh", A, UPLO)
    return linalg_eigh(*apply_to_batch(_Eigh, A, UPLO.upper()))


@in_float32
@composed
def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric or Hermitian matrices: real and rising."""
    _check_symmetric("eigvalsh", A, UPLO)
    if is_followed(A):
        return apply_to_batch(_Eigh, A, UPLO.upper())[0]
    return lapack("eigvalsh", A, UPLO=UPLO.upper())[0]


class _Eig(Function):
    _node_name = "LinalgEigBackward0"

    @staticmethod
    def forward(ctx: Any, A: Tensor, _: None, found: list[Tensor] | None) -> tuple[Tensor, ...]:
        if holds_somewhere(~A.isfinite()):
            raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")
        # NumPy's results are real where all eigenvalues are.
        values, vectors = found or lapack("eig", A, dtype=A.dtype.to_complex())
        ctx.save_for_backward(values, vectors)
        ctx.is_real = not A.is_complex()
        ctx.set_materialize_grads(False)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, g_values: Tensor | None, g_vectors: Tensor | None) -> tuple[Tensor, None, None]:
        values, vectors = ctx.saved_tensors
        inner = diag_embed(values.new_zeros(values.shape) if g_values is None else g_values)
        if g_vectors is not None:
            turning = vectors.mH @ g_vectors
            check_phase("linalg_eig", "eigenvectors", turning)
            # The vectors keep their lengths: what would change these is taken off, and the phases do not move.
            turning = turning - vectors.mH @ (vectors * turning.diagonal(0, -2, -1).real.unsqueeze(-2))
            turning = turning - diag_embed(turning.diagonal(0, -2, -1))
            inner = inner + turning / differences(values).conj()
        gradient = solve(vectors.mH, inner @ vectors.mH)
        return gradient.real if ctx.is_real else gradient, None, None


@in_float32
@composed
def eig(A: Tensor) -> linalg_eig:
    """Eigenvalues, in no order, and eigenvectors (columns of length 1) of (..., n, n) matrices: complex, whatever A is.

    The gradient by the vectors is that of losses that do not depend on their phases; RuntimeError in backward if the
    loss does. Where the vectors are not independent there is no gradient (LinAlgError).

    >>> lamina.linalg.eig(lamina.tensor([[0.0, -1.0], [1.0, 0.0]])).eigenvalues
    tensor([0.+1.j, 0.-1.j])
    """
    check_square("eig", A)
    check_computed("eig", A)
    return linalg_eig(*apply_to_batch(_Eig, A, None))


@in_float32
@composed
def eigvals(A: Tensor) -> Tensor:
    """The eigenvalues of (..., n, n) matrices: complex, in no order."""
    check_square("eigvals", A)
    check_computed("eigvals", A)
    return apply_to_batch(_Eig, A, None)[0]
