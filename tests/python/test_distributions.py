"""Distributions against their definitions: densities add up to 1, and moments, divergences and gradients follow."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from distribution_samples import CATEGORICAL, CONTINUOUS, DISCRETE, Row, interval

import lamina
from lamina import distributions as D
from lamina.distributions.gamma_samples import sample_log_gamma

ROWS = [*CONTINUOUS, *DISCRETE]


def named(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


def made(row: Row, values: tuple[float, ...]) -> D.Distribution:
    return row.make(*(lamina.tensor(value, dtype=lamina.float64) for value in values))


def f64(values: object) -> lamina.Tensor:
    return lamina.tensor(values, dtype=lamina.float64)


def log_density(distribution: D.Distribution, row: Row) -> np.ndarray:
    return distribution.log_prob(f64(row.nodes[0])).numpy()


def has(method: Callable[[D.Distribution, D.Distribution], object], rows: list[Row]) -> list[Row]:
    """The rows whose distributions have it; which ones these are is PyTorch's choice, listed below."""
    kept = []
    for row in rows:
        try:
            method(made(row, row.parameters), made(row, row.others))
        except NotImplementedError:
            continue
        kept.append(row)
    return kept


HAVE_MOMENTS = has(lambda p, _: (p.mean, p.variance), ROWS)
HAVE_ENTROPY = has(lambda p, _: p.entropy(), [*ROWS, CATEGORICAL])
HAVE_DIVERGENCE = has(lambda p, q: D.kl_divergence(p, q), [*ROWS, CATEGORICAL])
HAVE_CDF = has(lambda p, _: p.cdf(p.sample()), CONTINUOUS)
HAVE_ICDF = has(lambda p, _: p.icdf(f64(0.5)), HAVE_CDF)


def test_what_is_absent_is_absent() -> None:
    def without(rows: list[Row], present: list[Row]) -> set[str]:
        return {row.name for row in rows} - {row.name for row in present}

    assert without(ROWS, HAVE_MOMENTS) == {"RelaxedBernoulli", "TransformedDistribution"}
    without_entropy = {"FisherSnedecor", "MixtureSameFamily", "NegativeBinomial", "Poisson", "VonMises"}
    assert without([*ROWS, CATEGORICAL], HAVE_ENTROPY) == {*without(ROWS, HAVE_MOMENTS), *without_entropy}
    assert without(CONTINUOUS, HAVE_CDF) == {"Beta", "FisherSnedecor", "RelaxedBernoulli", "StudentT", "VonMises"}
    gammas = {"Gamma", "Gamma of a small concentration", "Chi2", "InverseGamma"}
    assert without(HAVE_CDF, HAVE_ICDF) == {*gammas, "MixtureSameFamily"}


@named([*ROWS, CATEGORICAL])
def test_probabilities_add_up_to_one(row: Row) -> None:
    assert row.nodes[1] @ np.exp(log_density(made(row, row.parameters), row)) == pytest.approx(1, abs=1e-5)


@named([row for row in HAVE_MOMENTS if "Cauchy" not in row.name and row.name != "VonMises"])
def test_mean_and_variance_are_the_moments(row: Row) -> None:
    distribution = made(row, row.parameters)
    x, w = row.nodes
    mass = w * np.exp(log_density(distribution, row))
    assert float(distribution.mean) == pytest.approx(mass @ x, abs=1e-4)
    spread = mass @ (x - mass @ x) ** 2
    assert float(distribution.variance) == pytest.approx(spread, rel=1e-2 if row.name == "StudentT" else 1e-4)
    assert float(distribution.stddev) == pytest.approx(math.sqrt(float(distribution.variance)))


UNIFORMS = [  # for divergences to and from them
    Row("Uniform within 1", D.Uniform, (0.2, 0.7), (0.0, 1.0), interval(0.2, 0.7)),
    Row("Uniform far out", D.Uniform, (1.6, 2.7), (1.0, 3.0), interval(1.6, 2.7)),
]


@named([*ROWS, *UNIFORMS])
def test_divergence_from_other_families_is_the_expected_ratio(row: Row) -> None:
    p = made(row, row.parameters)
    x, w = row.nodes
    log_p = np.maximum(log_density(p, row), -1e300)
    for other in [*ROWS, *UNIFORMS]:
        q = made(other, other.parameters)
        try:
            divergence = float(D.kl_divergence(p, q))
        except NotImplementedError:
            continue
        values = f64(x)
        allowed = q.support.check(values)
        if not bool(allowed.all()):
            assert divergence == math.inf, other.name
            continue
        log_q = np.maximum(q.log_prob(values).numpy(), -1e300)
        expected = np.sum(w * np.exp(log_p) * (log_p - log_q))
        assert divergence == pytest.approx(expected, abs=5e-3, rel=1e-3), other.name


@named(HAVE_ENTROPY)
def test_entropy_is_the_expected_surprise(row: Row) -> None:
    distribution = made(row, row.parameters)
    log_p = np.maximum(log_density(distribution, row), -1e300)
    assert float(distribution.entropy()) == pytest.approx(-(row.nodes[1] * np.exp(log_p)) @ log_p, abs=2e-3)
    assert float(distribution.perplexity()) == pytest.approx(math.exp(float(distribution.entropy())))


@named(HAVE_DIVERGENCE)
def test_divergence_is_the_expected_ratio(row: Row) -> None:
    p, q = made(row, row.parameters), made(row, row.others)
    log_p, log_q = (np.maximum(log_density(x, row), -1e300) for x in (p, q))
    expected = np.sum(row.nodes[1] * np.exp(log_p) * (log_p - log_q))
    assert float(D.kl_divergence(p, q)) == pytest.approx(expected, abs=2e-3)
    assert float(D.kl_divergence(p, p)) == pytest.approx(0, abs=1e-9)


@named(HAVE_CDF)
def test_cdf_is_the_integral_of_the_density(row: Row) -> None:
    distribution = made(row, row.parameters)
    x = distribution.sample((20,)).requires_grad_()
    (slope,) = lamina.autograd.grad(distribution.cdf(x).sum(), x)
    np.testing.assert_allclose(slope.numpy(), distribution.log_prob(x).exp().detach().numpy(), rtol=1e-6)


@named(HAVE_ICDF)
def test_icdf_inverts_cdf(row: Row) -> None:
    distribution = made(row, row.parameters)
    p = f64([0.05, 0.3, 0.5, 0.9])
    np.testing.assert_allclose(distribution.cdf(distribution.icdf(p)).numpy(), p.numpy(), rtol=1e-6)


@named([row for row in HAVE_CDF if row.name != "MixtureSameFamily"])
def test_samples_move_with_the_parameters_along_their_quantile(row: Row) -> None:
    step = 1e-5
    for i in range(len(row.parameters)):
        tensors = [f64(value) for value in row.parameters]
        tensors[i].requires_grad_()
        distribution = row.make(*tensors)
        x = distribution.rsample()
        (slope,) = lamina.autograd.grad(x, tensors[i])
        shifted = [tuple(v + s * step * (i == j) for j, v in enumerate(row.parameters)) for s in (1, -1)]
        value = x.detach()
        above, below = (made(row, parameters).cdf(value).item() for parameters in shifted)
        density = distribution.log_prob(value).exp().item()
        assert float(slope) == pytest.approx(-(above - below) / (2 * step) / density, rel=1e-3, abs=1e-6)


@named([*ROWS, CATEGORICAL])
def test_samples_have_the_distribution(row: Row) -> None:
    lamina.manual_seed(0)
    distribution = made(row, row.parameters)
    values = distribution.sample((4000,))
    assert values.shape == (4000,)
    assert not values.requires_grad
    assert bool(distribution.support.check(values).all())
    # The probability of being at most the middle value, against the share of samples that are.
    x, w = row.nodes
    mass = w * np.exp(log_density(distribution, row))
    middle = x[np.searchsorted(np.cumsum(mass), 0.5)]
    expected = mass[x <= middle].sum()
    deviation = math.sqrt(max(expected * (1 - expected), 1e-3) / 4000)
    assert float((values <= middle).double().mean()) == pytest.approx(expected, abs=5 * deviation)


@named([*ROWS, CATEGORICAL])
def test_expand_repeats_the_distribution(row: Row) -> None:
    distribution = made(row, row.parameters)
    larger = distribution.expand((2, 3))
    assert type(larger) is type(distribution)
    assert larger.batch_shape == (2, 3)
    values = larger.sample((4,))
    assert values.shape == (4, 2, 3)
    np.testing.assert_array_equal(larger.log_prob(values).numpy(), distribution.log_prob(values).numpy())
    if distribution.has_enumerate_support:
        assert larger.enumerate_support().shape[1:] == (2, 3)
        assert larger.enumerate_support(expand=False).shape[1:] == (1, 1)


@named([row for row in [*ROWS, CATEGORICAL] if row.wrong is not None])
def test_wrong_parameters_are_refused_and_wrong_values_too(row: Row) -> None:
    assert row.wrong is not None
    with pytest.raises(ValueError, match=r"to satisfy the constraint|above 0|not defined"):
        made(row, row.wrong)
    with pytest.raises(ValueError, match="within the support"):
        made(row, row.parameters).log_prob(f64(math.nan))


def test_a_parameter_that_a_sample_asked_for_first_has_its_gradient() -> None:
    logits = lamina.zeros(3, requires_grad=True)
    policy = D.Categorical(logits=logits)
    policy.sample()
    assert policy.probs.requires_grad
    assert policy.entropy().requires_grad


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="not broadcastable"):
        D.Normal(lamina.zeros(3), 1.0).log_prob(lamina.zeros(2))
    with pytest.raises(ValueError, match="must match event_shape"):
        D.Dirichlet(lamina.ones(3)).log_prob(lamina.zeros(2))
    with pytest.raises(ValueError, match="either `probs` or `logits`"):
        D.Categorical()
    with pytest.raises(ValueError, match="at least one-dimensional"):
        D.Categorical(lamina.tensor(0.5))
    with pytest.raises(ValueError, match="reinterpreted_batch_ndims"):
        D.Independent(D.Normal(0.0, 1.0), 1)
    with pytest.raises(NotImplementedError, match="no rsample"):
        D.Bernoulli(0.5).rsample()
    with pytest.raises(NotImplementedError, match="No KL"):
        D.kl_divergence(D.StudentT(3.0), D.Bernoulli(0.5))
    with pytest.raises(NotImplementedError, match="different exponential families"):
        D.kl_divergence(D.Normal(0.0, 1.0), D.Bernoulli(0.5))


def test_validation_can_be_turned_off() -> None:
    assert float(D.Normal(0.0, -1.0, validate_args=False).scale) == -1
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="scale"):
        D.Normal(0.0, -1.0)


def test_logits_and_probs_are_the_same_distribution() -> None:
    logits = f64([[0.3, -1.0, 2.0], [0.0, 0.0, -math.inf]])
    by_logits = D.Categorical(logits=logits)
    by_probs = D.Categorical(by_logits.probs)
    np.testing.assert_allclose(by_logits.entropy().numpy(), by_probs.entropy().numpy())
    value = lamina.tensor([2, 1])
    np.testing.assert_allclose(by_logits.log_prob(value).numpy(), by_probs.log_prob(value).numpy())
    assert float(D.kl_divergence(D.Categorical(f64([0.5, 0.5])), D.Categorical(f64([1.0, 0.0])))) == math.inf


def test_one_hot_and_multinomial_count_what_categorical_draws() -> None:
    probs = f64([[0.2, 0.5, 0.3], [0.6, 0.0, 0.4]])
    one_hot, index = D.OneHotCategorical(probs), D.Categorical(probs)
    vectors = one_hot.enumerate_support()
    np.testing.assert_allclose(one_hot.log_prob(vectors).numpy(), index.log_prob(index.enumerate_support()).numpy())
    counts = D.Multinomial(6, probs).sample((50,))
    assert bool((counts.sum(-1) == 6).all())
    assert bool((counts[:, 1, 1] == 0).all())
    once = D.Multinomial(1, probs)
    np.testing.assert_allclose(once.log_prob(vectors).exp().numpy(), one_hot.log_prob(vectors).exp().numpy())
    np.testing.assert_allclose(once.entropy().numpy(), one_hot.entropy().numpy(), atol=1e-12)


def test_straight_through_samples_pass_their_gradient_to_the_probabilities() -> None:
    logits = lamina.zeros(3, requires_grad=True)
    sample = D.OneHotCategoricalStraightThrough(logits=logits).rsample()
    assert sorted(sample.tolist()) == [0, 0, 1]
    (sample * lamina.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert logits.grad is not None
    np.testing.assert_allclose(logits.grad.numpy(), [-1 / 3, 0, 1 / 3], atol=1e-6)


def test_gammas_of_tiny_concentrations_do_not_underflow_as_logarithms() -> None:
    a = lamina.full((100,), 1e-4, dtype=lamina.float64, requires_grad=True)
    logarithms = sample_log_gamma(a)
    logarithms.sum().backward()
    assert a.grad is not None
    assert bool(logarithms.isfinite().all())
    # Close to 0, where all but two in a thousand lie, F(x) is x^a / gamma(a + 1).
    near = -(logarithms.detach() - lamina.digamma(a.detach() + 1)) / a.detach()
    close = (logarithms < -20).numpy()
    assert close.sum() > 90
    np.testing.assert_allclose(a.grad.numpy()[close], near.numpy()[close], rtol=1e-6)


def test_a_policy_learns_the_better_action() -> None:
    lamina.manual_seed(0)
    logits = lamina.zeros(3, requires_grad=True)
    optimizer = lamina.optim.Adam([logits], lr=0.1)
    for _ in range(100):
        policy = D.Categorical(logits=logits)
        action = policy.sample((32,))
        reward = (action == 2).float()
        loss = -(policy.log_prob(action) * (reward - reward.mean())).mean() - 0.01 * policy.entropy()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert D.Categorical(logits=logits).probs[2].item() > 0.9


def test_own_divergences_can_be_registered() -> None:
    class Shifted(D.Normal):
        pass

    @D.register_kl(Shifted, D.Normal)
    def shifted(p: Shifted, q: D.Normal) -> lamina.Tensor:
        return p.loc - q.loc

    assert float(D.kl_divergence(Shifted(2.0, 1.0), D.Normal(0.5, 1.0))) == 1.5
    assert float(D.kl_divergence(D.Normal(2.0, 1.0), Shifted(2.0, 1.0))) == 0
    with pytest.raises(TypeError, match="to be classes"):
        D.register_kl(D.Normal(0.0, 1.0), D.Normal)


def test_divergences_of_other_kinds_of_distributions_can_be_registered() -> None:
    class Fixed:  # of a library with a base class of its own
        pass

    formula = D.register_kl(Fixed, D.Normal)(lambda p, q: q.scale)
    assert D.kl_divergence(Fixed(), D.Normal(0.0, 3.0)).item() == 3
    assert formula is not None


@named([*ROWS, CATEGORICAL])
def test_samples_and_constants_lie_where_the_parameters_do(row: Row) -> None:
    distribution = made(row, row.parameters)
    with lamina.device("meta"):
        values = distribution.sample((2,))
        assert not values.is_meta
        assert not distribution.log_prob(values).is_meta
        if distribution.has_enumerate_support:
            assert not distribution.enumerate_support().is_meta
