"""What distributions have in common that have a positive definite matrix in one of three forms."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..linalg import cholesky, solve_triangular
from . import constraints
from .distribution import Distribution
from .parameters import lazy_property, one_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ScaleMatrix"]


class ScaleMatrix(Distribution):
    """The matrix is given by `covariance_matrix`, its inverse `precision_matrix` or its factor `scale_tril`.

    Each of them is (..., n, n).
    The factor is lower triangular, positive on the diagonal; its product with its transpose is the matrix. The forms
    that were not given are computed when asked for.
    """

    matrix_constraints = {
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    _unbroadcasted_scale_tril: Tensor  # subclasses written for PyTorch give it by this name

    def _given_of(self, matrices: Mapping[str, Tensor | None]) -> tuple[str, Tensor]:
        """The name of the one that is given, and the matrix. ValueError unless it is the only one, and a matrix."""
        given = one_of(type(self).__name__, **matrices)
        matrix = matrices[given]
        if matrix is None or matrix.dim() < 2:
            raise ValueError(f"{given} must be at least two-dimensional, with optional leading batch dimensions")
        return given, matrix

    @staticmethod
    def _factor_of(given: str, matrix: Tensor) -> Tensor:
        if given == "covariance_matrix":
            return cholesky(matrix)
        if given == "scale_tril":
            return matrix
        # With J the exchange matrix and J P J = L L': inv(P) = (J inv(L)' J) (J inv(L) J).
        return _inverse(cholesky(matrix.flip(-2, -1)).flip(-2, -1).mT)

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._unbroadcasted_scale_tril.expand((*self._batch_shape, *self._unbroadcasted_scale_tril.shape[-2:]))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        return self.scale_tril @ self.scale_tril.mT

    @lazy_property
    def precision_matrix(self) -> Tensor:
        inverse = _inverse(self._unbroadcasted_scale_tril)
        return (inverse.mT @ inverse).expand((*self._batch_shape, *self._unbroadcasted_scale_tril.shape[-2:]))

    def _half_log_determinant(self) -> Tensor:
        return self._unbroadcasted_scale_tril.diagonal(0, -2, -1).log().sum(-1)

    def _distances(self, columns: Tensor) -> Tensor:
        """The squared Mahalanobis lengths (..., m) of the columns (..., n, m)."""
        return solve_triangular(self._unbroadcasted_scale_tril, columns, upper=False).square().sum(-2)


def _inverse(tril: Tensor) -> Tensor:
    identity = _core.eye(tril.shape[-1], dtype=tril.dtype, device=tril.device)
    return solve_triangular(tril, identity, upper=False)
