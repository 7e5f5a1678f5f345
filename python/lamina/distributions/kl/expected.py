"""Expected log densities of a distribution q under a p, from moments of p; and the expected logarithms they need."""

from __future__ import annotations

from math import log, pi

from ..._core import Tensor, digamma, lgamma
from ..beta import Beta
from ..continuous_bernoulli import ContinuousBernoulli
from ..distribution import Distribution
from ..exponential import Exponential
from ..gamma import Gamma
from ..gumbel import EULER
from ..normal import Normal
from ..pareto import Pareto
from ..uniform import Uniform

__all__ = [
    "expected_beta",
    "expected_continuous_bernoulli",
    "expected_exponential",
    "expected_gamma",
    "expected_normal",
    "mean_logarithm",
]


def mean_logarithm(p: Distribution) -> Tensor:
    """``E log x``. NotImplementedError for a p it is not known for."""
    if isinstance(p, Beta):
        return digamma(p.concentration1) - digamma(p.concentration1 + p.concentration0)
    if isinstance(p, Exponential):
        return -EULER - p.rate.log()
    if isinstance(p, Gamma):
        return digamma(p.concentration) - p.rate.log()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    if isinstance(p, Uniform):
        return _mean_logarithm_between(p.low, p.high)
    raise NotImplementedError(f"E log x is not known for {type(p).__name__}")


def _mean_logarithm_between(low: Tensor, high: Tensor) -> Tensor:
    return (high.xlogy(high) - low.xlogy(low)) / (high - low) - 1


def expected_beta(p: Uniform, q: Beta) -> Tensor:
    a, b = q.concentration1, q.concentration0
    rest = _mean_logarithm_between(1 - p.high, 1 - p.low)
    return (a - 1) * mean_logarithm(p) + (b - 1) * rest + lgamma(a + b) - lgamma(a) - lgamma(b)


def expected_continuous_bernoulli(mean: Tensor, q: ContinuousBernoulli) -> Tensor:
    """For values on [0, 1] of that mean: the log density is linear."""
    return mean * q.logits - q._log_normalizer(q.logits)


def expected_exponential(p: Distribution, q: Exponential) -> Tensor:
    return q.rate.log() - q.rate * p.mean


def expected_gamma(p: Distribution, q: Gamma) -> Tensor:
    a = q.concentration
    return a * q.rate.log() - lgamma(a) + (a - 1) * mean_logarithm(p) - q.rate * p.mean


def expected_normal(p: Distribution, q: Normal) -> Tensor:
    square = p.variance + (p.mean - q.loc).square()
    return -square / (2 * q.variance) - q.scale.log() - log(2 * pi) / 2
