"""The normal distribution of vectors."""

from __future__ import annotations

from .._core import Tensor
from ..functions.shaping import broadcast_shapes
from . import constraints
from .gaussian_vectors import GaussianVectors
from .scale_matrix import ScaleMatrix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MultivariateNormal"]


class MultivariateNormal(ScaleMatrix, GaussianVectors):
    """Vectors of mean `loc` (..., n) and of a covariance given in exactly one of three ways, each (..., n, n).

    By `covariance_matrix`, by its inverse `precision_matrix`, or by `scale_tril`, whose product with its transpose the
    covariance is: lower triangular, positive on the diagonal. The others are computed when asked for.
    """

    arg_constraints = {"loc": constraints.real_vector, **ScaleMatrix.matrix_constraints}

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given, matrix = self._given_of(
            {
                "covariance_matrix": covariance_matrix,
                "precision_matrix": precision_matrix,
                "scale_tril": scale_tril,
            }
        )
        batch = broadcast_shapes(loc.shape[:-1], matrix.shape[:-2])
        self.loc = loc.expand((*batch, loc.shape[-1]))
        self.__dict__[given] = matrix.expand((*batch, *matrix.shape[-2:]))
        super().__init__(batch, loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = self._factor_of(given, matrix)

    @property
    def variance(self) -> Tensor:
        return self._unbroadcasted_scale_tril.square().sum(-1).expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        noise = self._normal(sample_shape, self.loc)
        return self.loc + (self._unbroadcasted_scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def _square_root(self) -> Tensor:
        return self._unbroadcasted_scale_tril
