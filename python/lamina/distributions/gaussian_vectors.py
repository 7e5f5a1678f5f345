"""What the normal distributions of vectors have in common, however their covariance is given."""

from __future__ import annotations

from math import log, pi

from .._core import Tensor
from . import constraints
from .distribution import Distribution

__all__ = ["GaussianVectors"]


class GaussianVectors(Distribution):
    """Vectors of mean `loc` (..., n); a subclass says how long a vector is by its covariance."""

    support = constraints.real_vector
    has_rsample = True
    loc: Tensor

    def _square_root(self) -> Tensor:
        """A matrix whose product with its transpose is the covariance, (..., n, any)."""
        raise NotImplementedError

    def _distances(self, columns: Tensor) -> Tensor:
        """The squared Mahalanobis lengths (..., m) of the columns (..., n, m)."""
        raise NotImplementedError

    def _half_log_determinant(self) -> Tensor:
        """Half the logarithm of the covariance's determinant."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        distance = self._distances((value - self.loc).unsqueeze(-1)).squeeze(-1)
        return -0.5 * (self._event_shape[0] * log(2 * pi) + distance) - self._half_log_determinant()

    def entropy(self) -> Tensor:
        half = 0.5 * self._event_shape[0] * (1 + log(2 * pi)) + self._half_log_determinant()
        return half.expand(self._batch_shape)
