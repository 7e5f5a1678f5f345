"""Divergences of two distributions of one family."""

from __future__ import annotations

from math import inf

from ..._core import Tensor, digamma, lgamma
from ...functions.gamma_family import multigammaln
from ...nn.functional import softplus
from ..bernoulli import Bernoulli
from ..beta import Beta
from ..binomial import Binomial
from ..categorical import Categorical
from ..cauchy import Cauchy
from ..continuous_bernoulli import ContinuousBernoulli
from ..dirichlet import Dirichlet
from ..exp_family import ExponentialFamily
from ..exponential import Exponential
from ..gamma import Gamma
from ..gaussian_vectors import GaussianVectors
from ..geometric import Geometric
from ..gumbel import EULER, Gumbel
from ..independent import Independent
from ..laplace import Laplace
from ..normal import Normal
from ..one_hot_categorical import OneHotCategorical
from ..parameters import sum_rightmost
from ..pareto import Pareto
from ..poisson import Poisson
from ..transformed_distribution import TransformedDistribution
from ..uniform import Uniform
from ..wishart import Wishart
from .expected import expected_continuous_bernoulli
from .registry import kl_divergence, register_kl

__all__: list[str] = []


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    yes = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    no = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    yes = yes.where(q.probs != 0, inf).where(p.probs != 0, 0.0)
    return yes + no.where(q.probs != 1, inf).where(p.probs != 1, 0.0)


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    """Infinite where p has more trials than q. NotImplementedError where it has fewer."""
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    terms = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return terms.where(p.total_count <= q.total_count, inf)


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    return terms.where(q.probs != 0, inf).where(p.probs != 0, 0.0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).square()
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).square() - 1 - ratio.log())


@register_kl(GaussianVectors, GaussianVectors)
def _gaussian(p: GaussianVectors, q: GaussianVectors) -> Tensor:
    """``(tr(inv(Sq) Sp) + d' inv(Sq) d - n + log det Sq - log det Sp) / 2`` for d the difference of the means.

    The trace is the sum of the squared lengths, as q measures them, of the columns of a root of p's covariance.
    """
    if p.event_shape != q.event_shape:
        raise ValueError(
            f"KL-divergence between {type(p).__name__} and {type(q).__name__} with different event shapes cannot be "
            f"computed: {tuple(p.event_shape)} and {tuple(q.event_shape)}"
        )
    spread = q._distances(p._square_root()).sum(-1)
    away = q._distances((q.loc - p.loc).unsqueeze(-1)).squeeze(-1)
    return 0.5 * (spread + away - p.event_shape[0]) + q._half_log_determinant() - p._half_log_determinant()


@register_kl(Wishart, Wishart)
def _wishart(p: Wishart, q: Wishart) -> Tensor:
    """Penny, "Kullback-Liebler divergences of normal, gamma, Dirichlet and Wishart densities", 2001."""
    n, a, b = p.event_shape[-1], p.df, q.df
    spread = q._distances(p._unbroadcasted_scale_tril).sum(-1) - n
    orders = multigammaln(b / 2, n) - multigammaln(a / 2, n)
    determinants = b * (q._half_log_determinant() - p._half_log_determinant())
    return a / 2 * spread + (a - b) / 2 * p._mean_log_determinant() + orders + determinants


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, away = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + away / q.scale + ratio * (-away / p.scale).exp() - 1


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    """Chyzak and Nielsen, "A closed-form formula for the Kullback-Leibler divergence between Cauchy distributions"."""
    squares = (p.scale + q.scale).square() + (p.loc - q.loc).square()
    return (squares / (4 * p.scale * q.scale)).log()


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, away = p.scale / q.scale, (p.loc - q.loc) / q.scale
    moment = (-away + lgamma(1 + ratio)).exp()
    return -ratio.log() + away + EULER * (ratio - 1) + moment - 1


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    inside = (q.low <= p.low) & (q.high >= p.high)
    return ((q.high - q.low) / (p.high - p.low)).log().where(inside, inf)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() - expected_continuous_bernoulli(p.mean, q)


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    inside = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return inside.where(p.scale >= q.scale, inf)


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    return b * (p.rate / q.rate).log() + lgamma(b) - lgamma(a) + (a - b) * digamma(a) + a * (q.rate / p.rate - 1)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    total = a.sum(-1, True)
    spread = lgamma(total.squeeze(-1)) - lgamma(b.sum(-1)) + (lgamma(b) - lgamma(a)).sum(-1)
    return spread + ((a - b) * (digamma(a) - digamma(total))).sum(-1)


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(ExponentialFamily, ExponentialFamily)
def _kl_expfamily_expfamily(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """``A(q) - A(p) - A'(p) · (q - p)``: Banerjee and others, "Clustering with Bregman divergences", 2005."""
    if type(p) is not type(q):
        raise NotImplementedError(
            f"The cross KL-divergence between different exponential families, {type(p).__name__} and "
            f"{type(q).__name__}, cannot be computed using Bregman divergences"
        )
    natural, normalizer, means = p._normalizer_and_means()
    others = q._natural_params
    away = tuple(other - own for own, other in zip(natural, others))
    return q._log_normalizer(*others) - normalizer - p._products(away, means)


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("KL between Independents of different reinterpreted_batch_ndims is not implemented")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("KL between distributions of different transforms is not implemented")
    more = len(p.event_shape) - len(p.base_dist.event_shape)
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), more)
