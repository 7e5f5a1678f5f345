"""The normal distribution of vectors."""

from __future__ import annotations

from math import log, pi

from .. import _core
from .._core import Tensor
from ..functions.shaping import broadcast_shapes
from ..linalg import cholesky, inv, solve_triangular
from . import constraints
from .distribution import Distribution
from .parameters import lazy_property, one_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MultivariateNormal"]


class MultivariateNormal(Distribution):
    """Vectors of mean `loc` (..., n) and of a covariance given in exactly one of three ways, each (..., n, n).

    By `covariance_matrix`, by its inverse `precision_matrix`, or by `scale_tril`, whose product with its transpose the
    covariance is: lower triangular, positive on the diagonal. The others are computed when asked for.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

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
        matrices = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        given = one_of("MultivariateNormal", **matrices)
        matrix = matrices[given]
        if matrix is None or matrix.dim() < 2:
            raise ValueError(f"{given} must be at least two-dimensional, with optional leading batch dimensions")
        batch = broadcast_shapes(loc.shape[:-1], matrix.shape[:-2])
        self.loc = loc.expand((*batch, loc.shape[-1]))
        self.__dict__[given] = matrix.expand((*batch, *matrix.shape[-2:]))
        super().__init__(batch, loc.shape[-1:], validate_args=validate_args)
        if given == "covariance_matrix":
            self._tril = cholesky(matrix)
        elif given == "precision_matrix":
            # With J the exchange matrix and J P J = L L': inv(P) = (J inv(L)' J) (J inv(L) J).
            flipped = cholesky(matrix.flip(-2, -1)).flip(-2, -1).mT
            identity = _core.eye(loc.shape[-1], dtype=matrix.dtype, device=matrix.device)
            self._tril = solve_triangular(flipped, identity, upper=False)
        else:
            self._tril = matrix

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._tril.expand((*self._batch_shape, *self._tril.shape[-2:]))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        return self.scale_tril @ self.scale_tril.mT

    @lazy_property
    def precision_matrix(self) -> Tensor:
        return inv(self.covariance_matrix)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self._tril.square().sum(-1).expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        noise = self._normal(sample_shape, self.loc)
        return self.loc + (self._tril @ noise.unsqueeze(-1)).squeeze(-1)

    def _half_log_determinant(self) -> Tensor:
        return self._tril.diagonal(0, -2, -1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        away = solve_triangular(self._tril, (value - self.loc).unsqueeze(-1), upper=False)
        distance = away.square().sum((-2, -1))
        return -0.5 * (self._event_shape[0] * log(2 * pi) + distance) - self._half_log_determinant()

    def entropy(self) -> Tensor:
        half = 0.5 * self._event_shape[0] * (1 + log(2 * pi)) + self._half_log_determinant()
        return half.expand(self._batch_shape)
