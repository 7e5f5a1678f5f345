"""The normal distribution."""

from __future__ import annotations

from math import log, pi, sqrt

from .._core import Tensor
from .exp_family import ExponentialFamily
from .location_scale import LocationScale

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Normal"]


class Normal(LocationScale, ExponentialFamily):
    """The normal distribution of mean `loc` and standard deviation `scale`, which broadcast.

    >>> Normal(0.0, 1.0).log_prob(lamina.tensor(0.0))
    tensor(-0.9189)
    """

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        return self.scale.square()

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.loc + self._normal(sample_shape, self.loc) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -((value - self.loc).square()) / (2 * self.variance) - self.scale.log() - log(2 * pi) / 2

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 0.5 * (1 + ((value - self.loc) / (self.scale * sqrt(2))).erf())

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * (2 * value - 1).erfinv() * sqrt(2)

    def entropy(self) -> Tensor:
        return 0.5 + log(2 * pi) / 2 + self.scale.log()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.loc / self.variance, -0.5 / self.variance

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        linear, square = natural_params
        return -linear.square() / (4 * square) + 0.5 * (-pi / square).log()

    @property
    def _mean_carrier_measure(self) -> float:
        return 0.0
