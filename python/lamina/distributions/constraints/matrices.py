"""What matrices must be."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ...dtypes import finfo
from ...linalg import cholesky_ex, eigvalsh
from .constraint import Constraint

__all__ = [
    "corr_cholesky",
    "lower_cholesky",
    "lower_triangular",
    "positive_definite",
    "positive_semidefinite",
    "square",
    "symmetric",
]

_TOLERANCE = 1e-6  # of symmetry


class _Matrices(Constraint):
    event_dim = 2


class _LowerTriangular(_Matrices):
    """0 above the diagonal."""

    def check(self, value: Tensor) -> Tensor:
        return (value.tril() == value).flatten(-2).all(-1)


class _LowerCholesky(_LowerTriangular):
    """0 above the diagonal, positive on it."""

    def check(self, value: Tensor) -> Tensor:
        return super().check(value) & (value.diagonal(0, -2, -1) > 0).all(-1)


class _CorrCholesky(_LowerCholesky):
    """The Cholesky factor of a matrix of correlations: its rows have length 1."""

    def check(self, value: Tensor) -> Tensor:
        tolerance = 10 * value.shape[-1] * finfo(value.dtype).eps
        lengths = value.detach().square().sum(-1).sqrt()
        return super().check(value) & ((lengths - 1).abs() <= tolerance).all(-1)


class _Square(_Matrices):
    """As many rows as columns."""

    def check(self, value: Tensor) -> Tensor:
        is_square = value.shape[-2] == value.shape[-1]
        return _core.full(value.shape[:-2], is_square, dtype=_core.bool, device=value.device)


class _Symmetric(_Square):
    """Equal to its transpose."""

    def check(self, value: Tensor) -> Tensor:
        if value.shape[-2] != value.shape[-1]:
            return super().check(value)
        bound = _TOLERANCE + 1e-5 * value.mT.abs()
        return ((value - value.mT).abs() <= bound).flatten(-2).all(-1)


class _PositiveSemidefinite(_Symmetric):
    """Symmetric, without a negative eigenvalue; what rounding makes of a 0 is none."""

    def check(self, value: Tensor) -> Tensor:
        is_symmetric = super().check(value)
        if not bool(is_symmetric.all()):
            return is_symmetric
        values = eigvalsh(value.detach())
        rounding = finfo(values.dtype).eps * values.shape[-1] * values.abs().amax(-1, True)
        return (values >= -rounding).all(-1)


class _PositiveDefinite(_Symmetric):
    """Symmetric, with positive eigenvalues only."""

    def check(self, value: Tensor) -> Tensor:
        is_symmetric = super().check(value)
        if not bool(is_symmetric.all()):
            return is_symmetric
        return cholesky_ex(value.detach()).info == 0


corr_cholesky = _CorrCholesky()
lower_cholesky = _LowerCholesky()
lower_triangular = _LowerTriangular()
positive_definite = _PositiveDefinite()
positive_semidefinite = _PositiveSemidefinite()
square = _Square()
symmetric = _Symmetric()
