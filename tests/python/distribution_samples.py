"""A row for each distribution of one number, with two sets of parameters: test_distributions.py iterates them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import lamina
from lamina.distributions import (
    Bernoulli,
    Beta,
    Binomial,
    Categorical,
    Cauchy,
    Chi2,
    ContinuousBernoulli,
    Distribution,
    Exponential,
    FisherSnedecor,
    Gamma,
    GeneralizedPareto,
    Geometric,
    Gumbel,
    HalfCauchy,
    HalfNormal,
    InverseGamma,
    Kumaraswamy,
    Laplace,
    LogNormal,
    MixtureSameFamily,
    NegativeBinomial,
    Normal,
    Pareto,
    Poisson,
    RelaxedBernoulli,
    SigmoidTransform,
    StudentT,
    TransformedDistribution,
    Uniform,
    VonMises,
    Weibull,
)

# Places to evaluate an integrand at, with their weights.
Nodes = tuple[np.ndarray, np.ndarray]


class Row(NamedTuple):
    name: str
    make: Callable[..., Distribution]  # of tensors
    parameters: tuple[float, ...]
    others: tuple[float, ...]  # for divergences
    nodes: Nodes
    wrong: tuple[float, ...] | None = None  # refused


def _unit() -> Nodes:
    nodes, weights = np.polynomial.legendre.leggauss(800)
    return (nodes + 1) / 2, weights / 2


def interval(low: float, high: float) -> Nodes:
    t, w = _unit()
    return low + (high - low) * t, w * (high - low)


def half_line() -> Nodes:
    """x = (t / (1 - t))²: close together at 0 and far apart towards infinity."""
    t, w = _unit()
    return (t / (1 - t)) ** 2, w * 2 * t / (1 - t) ** 3


def ray(start: float) -> Nodes:
    nodes, weights = half_line()
    return start + nodes, weights


def line() -> Nodes:
    t, w = interval(-1, 1)
    return t / (1 - t**2), w * (1 + t**2) / (1 - t**2) ** 2


def counts(stop: int) -> Nodes:
    return np.arange(stop, dtype=float), np.ones(stop)


def _mixture(weight: lamina.Tensor, loc: lamina.Tensor, scale: lamina.Tensor) -> Distribution:
    weights = Categorical(lamina.stack([weight, 1 - weight], -1))
    return MixtureSameFamily(weights, Normal(lamina.stack([loc, -loc], -1), lamina.stack([scale, 1 + scale], -1)))


def _squashed(loc: lamina.Tensor, scale: lamina.Tensor) -> Distribution:
    return TransformedDistribution(Normal(loc, scale), SigmoidTransform())


CONTINUOUS = [
    Row("Normal", Normal, (0.5, 1.5), (-0.5, 2.0), line(), (0.5, 0.0)),
    Row("Laplace", Laplace, (0.5, 1.5), (-0.5, 2.0), line(), (0.5, -1.0)),
    Row("Cauchy", Cauchy, (0.5, 1.5), (-0.5, 2.0), line(), (np.nan, 1.0)),
    Row("Gumbel", Gumbel, (0.5, 1.5), (-0.5, 2.0), line(), (0.5, -1.0)),
    Row("StudentT", StudentT, (4.5, 0.5, 1.5), (3.0, 0.0, 1.0), line(), (0.0, 0.5, 1.0)),
    Row("Uniform", Uniform, (-0.5, 1.5), (-1.0, 2.0), interval(-0.5, 1.5), (1.0, 1.0)),
    Row("Exponential", Exponential, (1.5,), (0.7,), half_line(), (0.0,)),
    Row("HalfNormal", HalfNormal, (1.5,), (0.7,), half_line(), (0.0,)),
    Row("LogNormal", LogNormal, (0.2, 0.5), (0.1, 0.7), half_line(), (0.2, -0.5)),
    Row("Gamma", Gamma, (2.5, 1.5), (1.5, 2.0), half_line(), (0.0, 1.0)),
    Row("Gamma of a small concentration", Gamma, (0.6, 1.5), (0.8, 1.0), half_line(), (1.0, -1.0)),
    Row("Chi2", Chi2, (3.0,), (4.0,), half_line(), (0.0,)),
    Row("Beta", Beta, (2.5, 1.5), (1.5, 1.2), interval(0, 1), (2.0, 0.0)),
    Row("HalfCauchy", HalfCauchy, (1.5,), (0.7,), half_line(), (0.0,)),
    Row("InverseGamma", InverseGamma, (5.5, 1.5), (4.0, 2.0), half_line(), (0.0, 1.0)),
    Row("Pareto", Pareto, (1.5, 5.5), (1.2, 4.0), ray(1.5), (1.5, 0.0)),
    Row("Weibull", Weibull, (1.5, 2.5), (0.7, 1.0), half_line(), (0.0, 1.0)),
    Row("Kumaraswamy", Kumaraswamy, (2.5, 1.5), (1.5, 1.2), interval(0, 1), (2.0, 0.0)),
    Row("FisherSnedecor", FisherSnedecor, (6.0, 14.0), (4.0, 12.0), half_line(), (0.0, 1.0)),
    Row("GeneralizedPareto", GeneralizedPareto, (0.5, 1.5, 0.15), (0.5, 1.0, 0.1), ray(0.5), (0.5, 0.0, 1.0)),
    Row("GeneralizedPareto at 0", GeneralizedPareto, (0.5, 1.5, 0.0), (0.5, 1.0, 0.0), ray(0.5), (0.5, 0.0, 1.0)),
    Row("GeneralizedPareto with an end", GeneralizedPareto, (0.5, 1.5, -0.5), (0.5, 1.0, -0.1), interval(0.5, 3.5)),
    Row("ContinuousBernoulli", ContinuousBernoulli, (0.3,), (0.6,), interval(0, 1), (1.5,)),
    Row("ContinuousBernoulli at 1/2", ContinuousBernoulli, (0.5004,), (0.4993,), interval(0, 1), (-0.5,)),
    Row("RelaxedBernoulli", RelaxedBernoulli, (0.9, 0.3), (1.5, 0.6), interval(0, 1), (0.7, 1.5)),
    Row("VonMises", VonMises, (0.5, 1.5), (-0.5, 2.0), interval(-np.pi, np.pi), (0.5, 0.0)),
    Row("MixtureSameFamily", _mixture, (0.3, 1.0, 0.5), (0.5, 2.0, 1.0), line()),
    Row("TransformedDistribution", _squashed, (0.5, 0.8), (0.0, 1.0), interval(0, 1), (0.5, -1.0)),
]
DISCRETE = [
    Row("Bernoulli", Bernoulli, (0.3,), (0.6,), counts(2), (1.5,)),
    Row("Bernoulli of logits", lambda x: Bernoulli(logits=x), (0.3,), (-0.6,), counts(2), (np.nan,)),
    Row("Binomial", lambda p: Binomial(5, p), (0.3,), (0.6,), counts(6), (-0.5,)),
    Row("Geometric", Geometric, (0.3,), (0.6,), counts(200), (0.0,)),
    Row("NegativeBinomial", NegativeBinomial, (3.5, 0.3), (3.5, 0.6), counts(200), (1.0, 1.0)),
    Row("Poisson", Poisson, (3.5,), (2.0,), counts(60), (-1.0,)),
]


def categorical(*probs: lamina.Tensor) -> Distribution:
    return Categorical(lamina.stack(probs, -1))


CATEGORICAL = Row("Categorical", categorical, (0.2, 0.5, 0.3), (0.1, 0.4, 0.5), counts(3), (0.5, -0.5, 1.0))
