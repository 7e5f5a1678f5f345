"""Wishart's distribution of covariance matrices."""

from __future__ import annotations

from math import log, nan

from .. import _core
from .._core import Tensor, digamma
from .._warning import warn_caller
from ..functions.gamma_family import multigammaln
from ..functions.matrices import diag_embed
from ..functions.shaping import broadcast_shapes
from ..linalg import slogdet
from . import constraints
from .exp_family import ExponentialFamily
from .gamma_samples import sample_log_gamma
from .scale_matrix import ScaleMatrix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Wishart"]

_LOW_DF = "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim."


class Wishart(ScaleMatrix, ExponentialFamily):
    """Sums of ``x x'`` over `df` normal vectors x of mean 0, whose covariance has one of three forms, (..., n, n).

    By `covariance_matrix`, by its inverse `precision_matrix`, or by `scale_tril`, its lower triangular factor. The
    degrees of freedom `df` (...) are above n - 1 and need not be whole: ValueError otherwise. Below n nearly singular
    samples are likely, which a warning says.

    Source: Bishop, "Pattern recognition and machine learning", 2006, appendix B.
    """

    support = constraints.positive_definite
    has_rsample = True

    def __init__(
        self,
        df: Tensor | float,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given, matrix = self._given_of(
            {
                "covariance_matrix": covariance_matrix,
                "precision_matrix": precision_matrix,
                "scale_tril": scale_tril,
            }
        )
        degrees = df.to(matrix.dtype) if isinstance(df, Tensor) else matrix.new_tensor(float(df))
        n = matrix.shape[-1]
        batch = broadcast_shapes(matrix.shape[:-2], degrees.shape)
        self.df = degrees.expand(batch)
        self.__dict__[given] = matrix.expand((*batch, *matrix.shape[-2:]))
        if bool((degrees <= n - 1).any()):
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        super().__init__(batch, matrix.shape[-2:], validate_args=validate_args)
        if bool((degrees < n).any()):
            warn_caller(_LOW_DF)
        self._unbroadcasted_scale_tril = self._factor_of(given, matrix)

    @property
    def arg_constraints(self) -> Mapping[str, constraints.Constraint]:  # type: ignore[override]  # df's depends on n
        return {**ScaleMatrix.matrix_constraints, "df": constraints.greater_than(self._event_shape[-1] - 1)}

    @property
    def _spread(self) -> Tensor:
        """df, for each matrix."""
        return self.df.unsqueeze(-1).unsqueeze(-1)

    @property
    def mean(self) -> Tensor:
        return self._spread * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """NaN for a df up to n + 1."""
        factor = self.df - self._event_shape[-1] - 1
        return factor.where(factor > 0, nan).unsqueeze(-1).unsqueeze(-1) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        """Of each element."""
        scale = self.covariance_matrix
        diagonal = scale.diagonal(0, -2, -1)
        return self._spread * (scale.square() + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _bartlett(self, sample_shape: Sequence[int]) -> Tensor:
        """``L A A' L'``: A has roots of chi-squared variables on its diagonal and normal ones below it.

        Source: Smith and Hocking, "Algorithm AS 53: Wishart variate generator", 1972.
        """
        shape = self._extended_shape(sample_shape)[:-1]
        halves = (self.df.unsqueeze(-1) - _core.arange(shape[-1], dtype=self.df.dtype, device=self.df.device)) / 2
        roots = ((sample_log_gamma(halves.expand(shape)) + log(2)) / 2).exp()
        factor = self._unbroadcasted_scale_tril @ (self._normal(sample_shape, self.df).tril(-1) + diag_embed(roots))
        return factor @ factor.mT

    def rsample(self, sample_shape: Sequence[int] = (), max_try_correction: int = 10) -> Tensor:
        """As `sample`, with a gradient. Singular ones are drawn again, up to `max_try_correction` times."""
        values = self._bartlett(sample_shape)
        for _ in range(max_try_correction):
            singular = ~self.support.check(values.detach())
            if not bool(singular.any()):
                break
            warn_caller("Singular sample detected.")
            values = self._bartlett(sample_shape).where(singular.unsqueeze(-1).unsqueeze(-1), values)
        return values

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, half = self._event_shape[-1], self.df / 2
        trace = (self.precision_matrix * value).sum((-2, -1))
        determinant = slogdet(value).logabsdet
        constant = half * n * log(2) + self.df * self._half_log_determinant() + multigammaln(half, n)
        return (self.df - n - 1) / 2 * determinant - trace / 2 - constant

    def _mean_log_determinant(self) -> Tensor:
        """``E log det(X / 2) - log det V``: the multivariate digamma function of df / 2."""
        places = _core.arange(self._event_shape[-1], dtype=self.df.dtype, device=self.df.device)
        return digamma((self.df.unsqueeze(-1) - places) / 2).sum(-1)

    def entropy(self) -> Tensor:
        n, half = self._event_shape[-1], self.df / 2
        constant = (n + 1) * (self._half_log_determinant() + n * log(2) / 2)
        spread = multigammaln(half, n) - (self.df - n - 1) / 2 * self._mean_log_determinant()
        return constant + spread + half * n

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        matrix, power = natural_params
        n = matrix.shape[-1]
        half = power + (n + 1) / 2
        return multigammaln(half, n) - half * slogdet(-matrix).logabsdet

    @property
    def _mean_carrier_measure(self) -> float:
        return 0.0
