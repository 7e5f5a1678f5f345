"""Divergences of distributions of different families: ``-entropy(p) - E_p[log q(x)]``, infinite where q is 0."""

from __future__ import annotations

from math import inf, pi, sqrt

from ... import _core
from ..._core import Tensor
from ..bernoulli import Bernoulli
from ..beta import Beta
from ..binomial import Binomial
from ..continuous_bernoulli import ContinuousBernoulli
from ..distribution import Distribution
from ..exponential import Exponential
from ..gamma import Gamma
from ..gumbel import Gumbel
from ..laplace import Laplace
from ..normal import Normal
from ..pareto import Pareto
from ..poisson import Poisson
from ..uniform import Uniform
from .expected import (
    expected_beta,
    expected_continuous_bernoulli,
    expected_exponential,
    expected_gamma,
    expected_normal,
    mean_logarithm,
)
from .registry import register_kl, register_pairs

__all__: list[str] = []


def _infinite(p: Distribution, q: Distribution) -> Tensor:
    """q is 0 where p is not, whatever their parameters are."""
    return _core.full_like(p.mean + q.mean, inf)


_REAL = (Gumbel, Laplace, Normal)
_POSITIVE = (Exponential, Gamma)
_WITHIN_UNIT = (Beta, ContinuousBernoulli)

register_pairs((*_REAL, *_POSITIVE), (*_WITHIN_UNIT, Pareto, Uniform), _infinite)
register_pairs(_REAL, _POSITIVE, _infinite)
register_pairs(_WITHIN_UNIT, (Pareto,), _infinite)
register_pairs((Pareto,), (*_WITHIN_UNIT, Uniform), _infinite)
register_pairs((Poisson,), (Bernoulli, Binomial), _infinite)


def _to_normal(p: Distribution, q: Normal) -> Tensor:
    return -p.entropy() - expected_normal(p, q)


register_pairs((*_WITHIN_UNIT, *_POSITIVE, Gumbel, Laplace, Pareto, Uniform), (Normal,), _to_normal)


def _to_exponential(p: Distribution, q: Exponential) -> Tensor:
    return -p.entropy() - expected_exponential(p, q)


register_pairs((*_WITHIN_UNIT, Gamma, Pareto), (Exponential,), _to_exponential)


def _to_gamma(p: Distribution, q: Gamma) -> Tensor:
    return -p.entropy() - expected_gamma(p, q)


register_pairs((Beta, Exponential, Pareto), (Gamma,), _to_gamma)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - p.probs * q.rate.log() + q.rate


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p: Beta, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() - expected_continuous_bernoulli(p.mean, q)


def _within_unit_uniform(p: Distribution, q: Uniform) -> Tensor:
    return ((q.high - q.low).log() - p.entropy()).where((q.low <= 0) & (q.high >= 1), inf)


for _p in _WITHIN_UNIT:
    register_kl(_p, Uniform)(_within_unit_uniform)


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    """The mean of |x - loc| is a folded normal one's: Leone, Nelson and Nottingham, 1961."""
    away = p.loc - q.loc
    fold = p.scale * sqrt(2 / pi) * (-0.5 * (away / p.scale).square()).exp()
    mean = fold + away * (away / (p.scale * sqrt(2))).erf()
    return -p.entropy() + (2 * q.scale).log() + mean / q.scale


def _to_gumbel(p: Distribution, q: Gumbel, log_transform: Tensor) -> Tensor:
    """From the logarithm of ``E exp(-x / scale)``."""
    log_density = (q.loc - p.mean) / q.scale - q.scale.log() - (q.loc / q.scale + log_transform).exp()
    return -p.entropy() - log_density


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Exponential, q: Gumbel) -> Tensor:
    return _to_gumbel(p, q, -(p.rate * q.scale).reciprocal().log1p())


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Gamma, q: Gumbel) -> Tensor:
    return _to_gumbel(p, q, -p.concentration * (p.rate * q.scale).reciprocal().log1p())


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Normal, q: Gumbel) -> Tensor:
    return _to_gumbel(p, q, (p.scale / q.scale).square() / 2 - p.loc / q.scale)


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Uniform, q: Gumbel) -> Tensor:
    width = (p.high - p.low) / q.scale
    return _to_gumbel(p, q, (-(-width).expm1() / width).log() - p.low / q.scale)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Tensor:
    return (-p.entropy() - expected_beta(p, q)).where((p.low >= 0) & (p.high <= 1), inf)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    inside = -p.entropy() - expected_continuous_bernoulli(p.mean, q)
    return inside.where((p.low >= 0) & (p.high <= 1), inf)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Uniform, q: Exponential) -> Tensor:
    return _to_exponential(p, q).where(p.low >= 0, inf)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Uniform, q: Gamma) -> Tensor:
    return _to_gamma(p, q).where(p.low >= 0, inf)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    log_density = q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * mean_logarithm(p)
    return (-p.entropy() - log_density).where(p.low >= q.scale, inf)
