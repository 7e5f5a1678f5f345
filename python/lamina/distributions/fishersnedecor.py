"""The distribution of Fisher and Snedecor."""

from __future__ import annotations

from math import nan

from .._core import Tensor, lgamma
from ..dtypes import finfo
from . import constraints
from .distribution import Distribution
from .gamma_samples import sample_log_gamma
from .parameters import broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Distribution):
    """The F distribution: the ratio of means of `df1` and of `df2` squared normal variables; the two broadcast."""

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Tensor | float, df2: Tensor | float, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """NaN for a df2 up to 2."""
        return (self.df2 / (self.df2 - 2)).where(self.df2 > 2, nan)

    @property
    def mode(self) -> Tensor:
        """NaN for a df1 up to 2."""
        return ((self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)).where(self.df1 > 2, nan)

    @property
    def variance(self) -> Tensor:
        """NaN for a df2 up to 4."""
        m, n = self.df1, self.df2
        return (2 * n.square() * (m + n - 2) / (m * (n - 2).square() * (n - 4))).where(n > 4, nan)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        m, n = self.df1.expand(shape), self.df2.expand(shape)
        ratio = (sample_log_gamma(m / 2) - sample_log_gamma(n / 2)).exp() * n / m
        return ratio.clamp(min=finfo(ratio.dtype).tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, b, ratio = self.df1 / 2, self.df2 / 2, self.df1 / self.df2
        log_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
        return a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p() - log_beta
