"""The matrix exponential, by scaling and squaring (Higham, "Functions of Matrices", 2008, chapter 10)."""

from __future__ import annotations

import math

from .. import _core
from .._core import Tensor
from ..functions.arguments import composed_as
from ..functions.precision import as_given
from .checks import check_square

__all__ = ["matrix_exp"]

# Up to this norm the 16 terms of the series leave out less than float64 shows: 0.5^17 / 17! = 2e-20.
_NEAR = 0.5


@as_given
@composed_as("LinalgMatrixExp")
def matrix_exp(A: Tensor) -> Tensor:
    """``I + A + A²/2! + A³/3! + …`` of (..., n, n) matrices."""
    check_square("matrix_exp", A)
    if A.numel() == 0:
        return A.clone()
    norm = A.detach().abs().sum(-2, True).amax(-1, True)
    # Of what is infinite or NaN there is no half; it shows in the result as it is.
    halvings = _core.where(norm.isfinite(), (norm / _NEAR).clamp(1.0).log2().ceil(), 0.0)
    result = _near_zero(A * (-halvings).exp2())
    for done in range(0 if A.is_meta else int(halvings.max())):
        result = _core.where(done < halvings, result @ result, result)
    return result


def _near_zero(A: Tensor) -> Tensor:
    """Terms 0 to 16 of the series with six products (Paterson and Stockmeyer, "On the number of nonscalar
    multiplications necessary to evaluate polynomials", 1973)."""
    powers = [_core.eye(A.shape[-1], dtype=A.dtype, device=A.device), A, A @ A]
    powers += [powers[2] @ A, powers[2] @ powers[2]]
    result = powers[4] / math.factorial(16)
    for first in (12, 8, 4, 0):
        for power in range(4):
            result = result + powers[power] / math.factorial(first + power)
        if first:
            result = result @ powers[4]
    return result
