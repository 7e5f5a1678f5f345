"""Distributions of vectors and matrices: densities, samples and divergences against their definitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import distributions as D
from lamina.distributions import constraints
from lamina.distributions.dirichlet_samples import shift_of_quantiles


def f64(values: object) -> lamina.Tensor:
    return lamina.tensor(values, dtype=lamina.float64)


def covariance() -> lamina.Tensor:
    return f64([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 0.7]])


def test_multivariate_normal_has_the_textbook_density_in_all_three_forms() -> None:
    matrix, loc, x = covariance(), f64([1.0, 2.0, 3.0]), f64([0.5, 2.5, 2.0])
    away = (x - loc).numpy()
    determinant = np.linalg.det(2 * math.pi * matrix.numpy())
    expected = -0.5 * (away @ np.linalg.solve(matrix.numpy(), away) + math.log(determinant))
    forms = [
        D.MultivariateNormal(loc, matrix),
        D.MultivariateNormal(loc, precision_matrix=lamina.linalg.inv(matrix)),
        D.MultivariateNormal(loc, scale_tril=lamina.linalg.cholesky(matrix)),
    ]
    for form in forms:
        assert float(form.log_prob(x)) == pytest.approx(expected)
        np.testing.assert_allclose(form.covariance_matrix.numpy(), matrix.numpy(), atol=1e-12)
        np.testing.assert_allclose(form.variance.numpy(), matrix.diagonal().numpy())
        assert float(D.kl_divergence(form, forms[0])) == pytest.approx(0, abs=1e-9)
    lamina.manual_seed(0)
    drawn = forms[0].sample((20000,)).numpy()
    np.testing.assert_allclose(np.cov(drawn.T), matrix.numpy(), atol=0.08)
    with pytest.raises(ValueError, match="PositiveDefinite"):
        D.MultivariateNormal(loc, -matrix)
    with pytest.raises(ValueError, match="LowerCholesky"):
        D.MultivariateNormal(loc, scale_tril=matrix)


def test_independent_normals_are_a_multivariate_one() -> None:
    loc, scale, x = f64([1.0, 2.0]), f64([0.5, 2.0]), f64([[0.0, 1.0], [2.0, 2.0]])
    parts, whole = D.Independent(D.Normal(loc, scale), 1), D.MultivariateNormal(loc, scale_tril=lamina.diag(scale))
    np.testing.assert_allclose(parts.log_prob(x).numpy(), whole.log_prob(x).numpy())
    assert float(parts.entropy()) == pytest.approx(float(whole.entropy()))
    assert parts.expand((4,)).sample().shape == (4, 2)


def test_dirichlet_samples_lie_on_the_simplex_and_have_the_mean() -> None:
    lamina.manual_seed(0)
    a = f64([0.5, 3.0, 0.01]).requires_grad_()
    distribution = D.Dirichlet(a)
    values = distribution.rsample((5000,))
    assert bool(constraints.simplex.check(values.detach()).all())
    np.testing.assert_allclose(values.detach().mean(0).numpy(), distribution.mean.detach().numpy(), atol=0.02)
    # The mean's derivative, by the samples' and by its formula.
    sampled, exact = (lamina.autograd.grad(x[1], a)[0] for x in (values.mean(0), distribution.mean))
    np.testing.assert_allclose(sampled.numpy(), exact.numpy(), atol=0.03)
    two = D.Dirichlet(f64([2.5, 1.5]))
    assert float(two.log_prob(f64([0.3, 0.7]))) == pytest.approx(float(D.Beta(f64(2.5), f64(1.5)).log_prob(f64(0.3))))


@pytest.mark.parametrize("a", [0.01, 0.7, 3.0, 200.0])
@pytest.mark.parametrize("b", [0.01, 0.7, 3.0, 200.0])
@pytest.mark.parametrize("place", [0.3, 0.95])
def test_quantiles_of_beta_move_with_its_first_concentration(a: float, b: float, place: float) -> None:
    # By differences in a of the distribution function's series: Abramowitz and Stegun, 26.5.4.
    def log_probability(a: float, x: float) -> float:
        total, term = 0.0, 1 / a
        for k in range(2000):
            total += term
            term *= (a + b + k) / (a + 1 + k) * x
        power = a * math.log(x) + b * math.log1p(-x)
        return math.log(total) + power + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)

    x, step = place * a / (a + b), 1e-5 * a
    slope = (log_probability(a + step, x) - log_probability(a - step, x)) / (2 * step)
    density = (a - 1) * math.log(x) + (b - 1) * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    expected = -slope * math.exp(log_probability(a, x) - density)
    assert float(shift_of_quantiles(f64(x), f64(a), f64(b))) == pytest.approx(expected, rel=2e-6)


LOW_RANK = D.LowRankMultivariateNormal(
    f64([1.0, 2.0, 3.0]), f64([[0.5, 0.1], [-0.3, 1.0], [0.2, 0.7]]), f64([0.5, 1.0, 0.3])
)
FULL = D.MultivariateNormal(LOW_RANK.loc, LOW_RANK.covariance_matrix)
OTHER = D.MultivariateNormal(f64([0.5, 2.0, 2.5]), covariance())


def test_low_rank_normals_are_multivariate_ones() -> None:
    x = f64([[0.5, 2.5, 2.0], [1.0, 0.0, 4.0]])
    np.testing.assert_allclose(LOW_RANK.log_prob(x).numpy(), FULL.log_prob(x).numpy())
    assert float(LOW_RANK.entropy()) == pytest.approx(float(FULL.entropy()))
    for matrix in ("variance", "scale_tril", "covariance_matrix", "precision_matrix"):
        np.testing.assert_allclose(getattr(LOW_RANK, matrix).numpy(), getattr(FULL, matrix).numpy(), atol=1e-12)
    for p, q in [(LOW_RANK, OTHER), (OTHER, LOW_RANK)]:
        full_p, full_q = (FULL if x is LOW_RANK else x for x in (p, q))
        assert float(D.kl_divergence(p, q)) == pytest.approx(float(D.kl_divergence(full_p, full_q)))
    assert float(D.kl_divergence(LOW_RANK, LOW_RANK)) == pytest.approx(0, abs=1e-9)
    larger = LOW_RANK.expand((4,))
    np.testing.assert_allclose(larger.log_prob(x[0]).numpy(), LOW_RANK.log_prob(x[0]).expand(4).numpy())
    with pytest.raises(ValueError, match="matrices with shape 3 x m"):
        D.LowRankMultivariateNormal(lamina.zeros(3), lamina.zeros(2, 3), lamina.ones(3))
    with pytest.raises(ValueError, match="vectors with shape"):
        D.LowRankMultivariateNormal(lamina.zeros(3), lamina.zeros(3, 2), lamina.ones(2))
    with pytest.raises(ValueError, match="Incompatible batch shapes"):
        D.LowRankMultivariateNormal(lamina.zeros(2, 3), lamina.zeros(4, 3, 2), lamina.ones(3))


def scaled_covariance() -> lamina.Tensor:
    return covariance() / 4


WISHARTS = [
    D.Wishart(f64(4.5), covariance_matrix=scaled_covariance()),
    D.Wishart(f64(4.5), precision_matrix=lamina.linalg.inv(scaled_covariance())),
    D.Wishart(4.5, scale_tril=lamina.linalg.cholesky(scaled_covariance())),
]


def test_a_wishart_matrix_of_one_row_is_a_gamma_variable() -> None:
    wishart, gamma = D.Wishart(f64(5.0), f64([[0.7]])), D.Gamma(f64(2.5), f64(1 / 1.4))
    x = f64([0.3, 2.0]).reshape(2, 1, 1)
    np.testing.assert_allclose(wishart.log_prob(x).numpy(), gamma.log_prob(x.flatten()).numpy())
    assert float(wishart.entropy()) == pytest.approx(float(gamma.entropy()))
    assert float(wishart.mean) == pytest.approx(float(gamma.mean))
    assert float(wishart.variance) == pytest.approx(float(gamma.variance))
    assert float(wishart.mode) == pytest.approx(float(gamma.mode))
    other, other_gamma = D.Wishart(f64(3.0), f64([[0.4]])), D.Gamma(f64(1.5), f64(1 / 0.8))
    assert float(D.kl_divergence(wishart, other)) == pytest.approx(float(D.kl_divergence(gamma, other_gamma)))


def test_wishart_is_one_distribution_in_all_three_forms() -> None:
    value = f64([[1.0, 0.2, 0.0], [0.2, 2.0, 0.3], [0.0, 0.3, 0.5]])
    for form in WISHARTS:
        assert form.log_prob(value).item() == pytest.approx(WISHARTS[0].log_prob(value).item())
        assert D.kl_divergence(form, WISHARTS[0]).item() == pytest.approx(0, abs=1e-9)
        assert form.entropy().item() == pytest.approx(D.ExponentialFamily.entropy(form).item())
        assert form.expand((2,)).sample((5,)).shape == (5, 2, 3, 3)
    assert bool(WISHARTS[0].mode.equal(0.5 * WISHARTS[0].covariance_matrix))


def test_wishart_samples_have_the_moments_and_the_divergence() -> None:
    lamina.manual_seed(0)
    p, q = WISHARTS[0], D.Wishart(f64(6.0), covariance_matrix=0.3 * lamina.eye(3, dtype=lamina.float64))
    values = p.sample((20000,))
    np.testing.assert_allclose(values.mean(0).numpy(), p.mean.numpy(), atol=0.05)
    np.testing.assert_allclose(values.var(0).numpy(), p.variance.numpy(), rtol=0.1)
    assert float(-p.log_prob(values).mean()) == pytest.approx(float(p.entropy()), abs=0.1)
    ratio = (p.log_prob(values) - q.log_prob(values)).mean()
    assert float(D.kl_divergence(p, q)) == pytest.approx(float(ratio), abs=0.1)


def test_wishart_refuses_too_few_degrees_of_freedom_and_warns_of_few() -> None:
    with pytest.raises(ValueError, match="greater than ndim - 1 = 2"):
        D.Wishart(2.0, covariance())
    with pytest.warns(UserWarning, match="Low df"):
        D.Wishart(2.5, covariance())
    with pytest.raises(ValueError, match="PositiveDefinite"):
        D.Wishart(4.0, -covariance())


@pytest.mark.parametrize("concentration", [0.5, 1.0, 3.0])
def test_lkj_is_the_density_of_a_correlation_of_two(concentration: float) -> None:
    # Of two variables (1 - r²)^(c - 1); the factor is [[1, 0], [r, sqrt(1 - r²)]], so r itself is below the diagonal.
    distribution = D.LKJCholesky(2, f64(concentration))
    nodes, weights = np.polynomial.legendre.leggauss(200)
    r, w = np.sin(nodes * np.pi / 2), weights * np.cos(nodes * np.pi / 2) * np.pi / 2
    factors = np.zeros((len(r), 2, 2))
    factors[:, 0, 0], factors[:, 1, 0], factors[:, 1, 1] = 1, r, np.sqrt(1 - r * r)
    density = distribution.log_prob(f64(factors)).exp().numpy()
    assert density @ w == pytest.approx(1, abs=1e-4)
    expected = ((1 - r**2) / (1 - r[100] ** 2)) ** (concentration - 1)
    np.testing.assert_allclose(density / density[100], expected, rtol=1e-9)


@pytest.mark.parametrize("concentration", [1.0, 4.0])
def test_lkj_samples_have_correlations_of_beta_distributions(concentration: float) -> None:
    lamina.manual_seed(0)
    distribution = D.LKJCholesky(4, f64(concentration))
    factors = distribution.sample((6000,))
    assert bool(constraints.corr_cholesky.check(factors).all())
    correlations = (factors @ factors.mT).numpy()
    # Each is 2 b - 1 for b of the beta distribution of c - 1 + 4/2, twice: Lewandowski, Kurowicka and Joe.
    variance = 1 / (2 * (concentration + 1) + 1)
    for i in range(4):
        for j in range(i):
            assert np.var(correlations[:, i, j]) == pytest.approx(variance, rel=0.08)
            assert np.mean(correlations[:, i, j]) == pytest.approx(0, abs=0.03)


def test_lkj_integrates_to_one_over_three_correlations() -> None:
    # By importance: even values within the ball of each row.
    lamina.manual_seed(0)
    n = 20000
    first = 2 * lamina.rand(n, dtype=lamina.float64) - 1
    angle, radius = 2 * math.pi * lamina.rand(n, dtype=lamina.float64), lamina.rand(n, dtype=lamina.float64).sqrt()
    below = lamina.stack([radius * angle.cos(), radius * angle.sin()], -1)
    factors = lamina.zeros(n, 3, 3, dtype=lamina.float64)
    factors[:, 0, 0] = 1
    factors[:, 1, 0], factors[:, 1, 1] = first, (1 - first.square()).sqrt()
    factors[:, 2, :2], factors[:, 2, 2] = below, (1 - radius.square()).sqrt()
    density = D.LKJCholesky(3, f64(2.0)).log_prob(factors).exp()
    assert float(density.mean()) * 2 * math.pi == pytest.approx(1, abs=0.03)
    assert D.LKJCholesky(3, 2.0).expand((4,)).sample((2,)).shape == (2, 4, 3, 3)
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        D.LKJCholesky(1)


def test_relaxed_categories_have_a_density_on_the_simplex_and_a_gradient() -> None:
    temperature, probs = f64([0.9]), f64([0.2, 0.5, 0.3])
    distribution = D.RelaxedOneHotCategorical(temperature, probs)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    u, w = (nodes + 1) / 2, weights / 2
    first, second = np.meshgrid(u, u, indexing="ij")
    parts = np.stack([first, (1 - first) * second, (1 - first) * (1 - second)], -1)
    # With respect to the first two parts; PyTorch's is with respect to the logarithms, and the Jacobian of all three.
    density = distribution.log_prob(f64(parts)).exp().numpy()
    assert (density * (1 - first) * w[:, None] * w).sum() == pytest.approx(1, abs=1e-3)
    logits = probs.log().requires_grad_()
    values = D.RelaxedOneHotCategorical(temperature, logits=logits).rsample((3,))
    assert bool(constraints.simplex.check(values.detach()).all())
    (values * f64([1.0, 2.0, 3.0])).sum().backward()
    assert logits.grad is not None
    assert float(logits.grad.sum()) == pytest.approx(0, abs=1e-9)
    cold = D.RelaxedOneHotCategorical(0.01, probs).sample((2000,))
    np.testing.assert_allclose((cold > 0.5).double().mean(0).numpy(), probs.numpy(), atol=0.05)
    assert distribution.expand((2,)).sample().shape == (2, 3)


def test_exponential_families_have_the_entropy_and_the_divergence_of_their_normalizer() -> None:
    pairs = [
        (D.Bernoulli(f64(0.3)), D.Bernoulli(f64(0.6))),
        (D.Beta(f64(2.5), f64(1.5)), D.Beta(f64(1.5), f64(1.2))),
        (D.ContinuousBernoulli(f64(0.3)), D.ContinuousBernoulli(f64(0.4999))),
        (D.Dirichlet(f64([2.5, 0.5, 1.0])), D.Dirichlet(f64([1.5, 1.0, 2.0]))),
        (D.Exponential(f64(1.5)), D.Exponential(f64(0.7))),
        (D.Gamma(f64(2.5), f64(1.5)), D.Gamma(f64(1.5), f64(2.0))),
        (D.Normal(f64(0.5), f64(1.5)), D.Normal(f64(-0.5), f64(2.0))),
        (WISHARTS[0], D.Wishart(f64(6.0), covariance())),
    ]
    for p, q in pairs:
        assert D.ExponentialFamily.entropy(p).item() == pytest.approx(p.entropy().item(), abs=1e-9), p
        bregman = D.kl._kl_expfamily_expfamily(p, q)
        assert bregman.item() == pytest.approx(D.kl_divergence(p, q).item(), abs=1e-9), p
    scale = f64(1.5).requires_grad_()
    (slope,) = lamina.autograd.grad(D.ExponentialFamily.entropy(D.Normal(f64(0.5), scale)), scale)
    assert float(slope) == pytest.approx(1 / 1.5)


def test_von_mises_has_a_circular_variance_and_samples_within_a_turn() -> None:
    lamina.manual_seed(0)
    distribution = D.VonMises(f64(3.0), f64(2.0))
    values = distribution.sample((20000,))
    assert bool((values.abs() <= math.pi).all())
    assert float((values - 3).cos().mean()) == pytest.approx(1 - float(distribution.variance), abs=0.02)
    assert float(distribution.log_prob(f64(3.0))) == pytest.approx(float(distribution.log_prob(f64(3.0 - 2 * math.pi))))
    assert not distribution.has_rsample


def test_constraints_that_are_not_there_are_warned_of() -> None:
    class Bare(D.Distribution):
        def log_prob(self, value: lamina.Tensor) -> lamina.Tensor:
            self._validate_sample(value)
            return value

    with pytest.warns(UserWarning, match="does not define `arg_constraints`"):
        bare = Bare()
    with pytest.warns(UserWarning, match="does not define `support`"):
        bare.log_prob(lamina.zeros(2))


def test_a_mixture_allows_what_all_its_components_allow() -> None:
    uniforms = D.Uniform(f64([0.0, 1.0]), f64([2.0, 3.0]))
    mixture = D.MixtureSameFamily(D.Categorical(f64([0.25, 0.75])), uniforms)
    assert mixture.support.check(f64([1.5, 0.5, 2.5, 4.0])).tolist() == [True, False, False, False]
    assert float(mixture.log_prob(f64(1.5))) == pytest.approx(math.log(0.5))


def test_tails_of_generalized_pareto_are_exact_far_out() -> None:
    distribution = D.GeneralizedPareto(f64(0.0), f64(1.0), f64(0.0))
    assert float(distribution.log_survival_function(f64(100.0))) == -100
    assert float(distribution.log_cdf(f64(1e-20))) == pytest.approx(math.log(1e-20))
    assert distribution.cdf(f64([0.0, math.inf])).tolist() == [0.0, 1.0]
    assert float(distribution.log_prob(f64(math.inf))) == -math.inf


@pytest.mark.parametrize("family", [D.LogNormal, D.Weibull, D.InverseGamma])
def test_the_probability_is_0_where_an_open_support_begins(family: Any) -> None:
    distribution = family(f64(1.0), f64(2.0))
    assert float(distribution.cdf(f64(0.0))) == 0
    for call, value in ((distribution.log_prob, 0.0), (distribution.cdf, -1.0)):
        with pytest.raises(ValueError, match="within the support"):
            call(f64(value))


def test_the_former_name_of_several_samples_warns() -> None:
    with pytest.warns(UserWarning, match="sample_n will be deprecated"):
        assert D.Normal(lamina.zeros(3), 1.0).sample_n(4).shape == (4, 3)
