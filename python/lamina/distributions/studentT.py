"""Student's t distribution."""

from __future__ import annotations

from math import inf, log, nan, pi

from .. import _core
from .._core import Tensor, digamma, lgamma
from . import constraints
from .distribution import Distribution
from .gamma_samples import sample_log_gamma
from .parameters import broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["StudentT"]


class StudentT(Distribution):
    """A normal variable over the root of a mean of `df` squared ones, times `scale`, plus `loc`."""

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(
        self,
        df: Tensor | float,
        loc: Tensor | float = 0.0,
        scale: Tensor | float = 1.0,
        validate_args: bool | None = None,
    ) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc.where(self.df > 1, nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        finite = self.scale.square() * self.df / (self.df - 2)
        return finite.where(self.df > 2, _core.where(self.df > 1, inf, nan).to(finite.dtype))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        half = self.df.expand(shape) / 2
        root = ((half.log() - sample_log_gamma(half)) / 2).exp()
        return self.loc + self.scale * self._normal(sample_shape, half) * root

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        y = (value - self.loc) / self.scale
        normalizer = self.scale.log() + 0.5 * (self.df * pi).log() + lgamma(0.5 * self.df) - lgamma(0.5 * (self.df + 1))
        square = y.square() / self.df
        # Far out the square itself is above all floats.
        far = square > 1e10
        logarithm = square.where(~far, 0.0).log1p().where(~far, 2 * y.where(far, 1.0).abs().log() - self.df.log())
        return -0.5 * (self.df + 1) * logarithm - normalizer

    def entropy(self) -> Tensor:
        half, more = 0.5 * self.df, 0.5 * (self.df + 1)
        log_beta = lgamma(half) + 0.5 * log(pi) - lgamma(more)
        return self.scale.log() + more * (digamma(more) - digamma(half)) + 0.5 * self.df.log() + log_beta
