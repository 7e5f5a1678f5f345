"""The normal distribution of vectors whose covariance is a diagonal and little more."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..functions.matrices import diag_embed
from ..functions.shaping import broadcast_shapes
from ..linalg import cholesky, solve_triangular
from . import constraints
from .gaussian_vectors import GaussianVectors
from .parameters import lazy_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from typing_extensions import Self

__all__ = ["LowRankMultivariateNormal"]


class LowRankMultivariateNormal(GaussianVectors):
    """Vectors of mean `loc` (..., n) and covariance ``W W' + D``.

    W is `cov_factor` (..., n, k), D the diagonal matrix of `cov_diag` (..., n).
    Nothing larger than W is computed for samples and densities, by the Woodbury identity and the matrix determinant
    lemma; ``C = I + W' inv(D) W`` is the capacitance matrix. ValueError for shapes that do not fit.

    Source: Harville, "Matrix algebra from a statistician's perspective", 1997, 18.1-2.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        n = loc.shape[-1]
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2] != n:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {n} x m")
        if cov_diag.dim() < 1 or cov_diag.shape[-1] != n:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {loc.shape[-1:]}")
        try:
            batch = broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, cov_diag {cov_diag.shape}"
            ) from None
        self.loc = loc.expand((*batch, n))
        self.cov_factor = cov_factor.expand((*batch, *cov_factor.shape[-2:]))
        self.cov_diag = cov_diag.expand((*batch, n))
        super().__init__(batch, loc.shape[-1:], validate_args=validate_args)
        self._capacitance_tril = _capacitance_tril(cov_factor, cov_diag)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        new = super().expand(batch_shape, _instance)
        rank = self.cov_factor.shape[-1]
        new._capacitance_tril = self._capacitance_tril.expand((*batch_shape, rank, rank))
        return new

    @property
    def variance(self) -> Tensor:
        return self.cov_factor.square().sum(-1) + self.cov_diag

    @lazy_property
    def scale_tril(self) -> Tensor:
        return cholesky(self.covariance_matrix)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        return self.cov_factor @ self.cov_factor.mT + diag_embed(self.cov_diag)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """``inv(D) - A' A`` with ``A = inv(L) W' inv(D)`` and L the factor of the capacitance matrix."""
        scaled = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        inner = solve_triangular(self._capacitance_tril, scaled, upper=False)
        return diag_embed(self.cov_diag.reciprocal()) - inner.mT @ inner

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        few = _core.randn((*shape[:-1], self.cov_factor.shape[-1]), dtype=self.loc.dtype, device=self.loc.device)
        along = (self.cov_factor @ few.unsqueeze(-1)).squeeze(-1)
        return self.loc + along + self.cov_diag.sqrt() * self._normal(sample_shape, self.loc)

    def _square_root(self) -> Tensor:
        return _core.cat([self.cov_factor, diag_embed(self.cov_diag.sqrt())], -1)

    def _distances(self, columns: Tensor) -> Tensor:
        scaled = columns / self.cov_diag.unsqueeze(-1)
        inner = solve_triangular(self._capacitance_tril, self.cov_factor.mT @ scaled, upper=False)
        return (columns * scaled).sum(-2) - inner.square().sum(-2)

    def _half_log_determinant(self) -> Tensor:
        return self._capacitance_tril.diagonal(0, -2, -1).log().sum(-1) + self.cov_diag.log().sum(-1) / 2


def _capacitance_tril(factor: Tensor, diagonal: Tensor) -> Tensor:
    scaled = factor.mT / diagonal.unsqueeze(-2)
    return cholesky(scaled @ factor + _core.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device))
