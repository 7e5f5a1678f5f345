"""Transforms against their derivatives, the constraints they lead to, and distributions of transformed variables."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import distributions as D
from lamina.distributions import constraints, transforms
from lamina.distributions.utils import tril_matrix_to_vec, vec_to_tril_matrix


def f64(values: object) -> lamina.Tensor:
    return lamina.tensor(values, dtype=lamina.float64)


HALVED = transforms.AffineTransform(0.0, 0.5)  # twice in one composition
INVERTIBLE = [
    transforms.ExpTransform(),
    transforms.SigmoidTransform(),
    transforms.SoftplusTransform(),
    transforms.TanhTransform(),
    transforms.AffineTransform(0.5, -2.0),
    transforms.AffineTransform(f64([0.5]), f64([3.0])),
    transforms.ComposeTransform([transforms.AffineTransform(0.1, 2.0), transforms.TanhTransform()]),
    transforms.ComposeTransform([transforms.ExpTransform(), transforms.PowerTransform(2.0)]),
    transforms.ComposeTransform([HALVED, transforms.ExpTransform(), HALVED]),
    transforms.CatTransform([transforms.ExpTransform(), transforms.AffineTransform(1.0, 2.0)], 0, [2, 1]),
    transforms.StackTransform([transforms.ExpTransform(), transforms.TanhTransform(), transforms.identity_transform]),
    transforms.CumulativeDistributionTransform(D.Normal(f64(0.0), f64(1.0))),
    transforms.identity_transform,
]


@pytest.mark.parametrize("transform", INVERTIBLE, ids=repr)
def test_transforms_invert_and_know_their_stretch(transform: transforms.Transform) -> None:
    x = f64([-1.0, 0.2, 0.8]).requires_grad_()
    y = transform(x)
    assert bool(transform.codomain.check(y.detach()).all())
    np.testing.assert_allclose(transform.inv(y).detach().numpy(), x.detach().numpy(), rtol=1e-9)
    (slope,) = lamina.autograd.grad(y.sum(), x)
    stretch = transform.log_abs_det_jacobian(x, y).detach().numpy()
    np.testing.assert_allclose(stretch, slope.abs().log().numpy(), rtol=1e-9)
    np.testing.assert_allclose(transform.inv.log_abs_det_jacobian(y, x).detach().numpy(), -stretch)
    assert transform.inv.inv is transform
    if not isinstance(transform, (transforms.CatTransform, transforms.StackTransform)):
        assert bool((lamina.as_tensor(transform.sign) == slope.sign()).all())


def test_a_cached_transform_gives_back_the_very_input() -> None:
    transform = transforms.TanhTransform(cache_size=1)
    x = lamina.tensor([20.0])  # tanh is 1, its inverse infinite
    assert transform.inv(transform(x)) is x
    assert not bool(transforms.TanhTransform().inv(transform(x)).isfinite())


def test_events_of_transformed_distributions() -> None:
    scale = transforms.AffineTransform(f64([1.0, 2.0]), f64([3.0, -2.0]), event_dim=1)
    distribution = D.TransformedDistribution(D.Normal(f64([0.5, -1.0]), f64([1.0, 2.0])), [scale])
    assert distribution.batch_shape == ()
    assert distribution.event_shape == (2,)
    direct = D.Independent(D.Normal(f64([2.5, 4.0]), f64([3.0, 4.0])), 1)
    x = f64([[0.1, 0.2], [3.0, 4.0]])
    np.testing.assert_allclose(distribution.log_prob(x).numpy(), direct.log_prob(x).numpy())
    assert distribution.expand((4, 3)).sample((2,)).shape == (2, 4, 3, 2)
    # A falling transform exchanges the tails.
    falling = D.TransformedDistribution(D.Normal(0.0, 1.0), transforms.AffineTransform(0.0, -2.0))
    assert float(falling.cdf(lamina.tensor(2.0))) == pytest.approx(float(D.Normal(0.0, 2.0).cdf(lamina.tensor(2.0))))


def lower(x: lamina.Tensor) -> lamina.Tensor:
    return tril_matrix_to_vec(x, -1)


# Transforms of events, with an input and with those elements of the value that determine the rest.
OF_EVENTS = [
    (transforms.StickBreakingTransform(), f64([0.3, -1.0, 2.0]), lambda y: y[:-1]),
    (transforms.CorrCholeskyTransform(), f64([0.3, -1.0, 0.8, 0.1, 0.5, -0.4]), lower),
    (transforms.IndependentTransform(transforms.ExpTransform(), 1), f64([0.3, -1.0, 2.0]), lambda y: y),
    (transforms.ReshapeTransform((4,), (2, 2)), f64([0.3, -1.0, 2.0, 0.5]), lambda y: y.flatten()),
]


@pytest.mark.parametrize(("transform", "x", "free"), OF_EVENTS, ids=lambda part: type(part).__name__)
def test_transforms_of_events_invert_and_know_their_stretch(transform, x, free) -> None:  # type: ignore[no-untyped-def]
    y = transform(x)
    assert bool(transform.codomain.check(y))
    assert y.shape == transform.forward_shape(x.shape)
    assert x.shape == transform.inverse_shape(y.shape)
    np.testing.assert_allclose(transform.inv(y).numpy(), x.numpy(), rtol=1e-9)
    jacobian = lamina.autograd.functional.jacobian(lambda x: free(transform(x)), x)
    assert isinstance(jacobian, lamina.Tensor)
    expected = float(lamina.linalg.slogdet(jacobian).logabsdet)
    assert float(transform.log_abs_det_jacobian(x, y)) == pytest.approx(expected, abs=1e-9)
    batch = lamina.stack([x, x / 2])
    assert transform(batch).shape == transform.forward_shape(batch.shape)
    assert transform.log_abs_det_jacobian(batch, transform(batch)).shape == (2,)


ONTO = [
    transforms.AbsTransform(),
    transforms.SoftmaxTransform(),
    transforms.LowerCholeskyTransform(),
    transforms.PositiveDefiniteTransform(),
]


@pytest.mark.parametrize("transform", ONTO, ids=repr)
def test_transforms_that_are_not_one_to_one_have_an_inverse_that_leads_to_the_same_value(
    transform: transforms.Transform,
) -> None:
    lamina.manual_seed(0)
    y = transform(lamina.randn(2, 3, 3, dtype=lamina.float64))
    assert bool(transform.codomain.check(y).all())
    np.testing.assert_allclose(transform(transform.inv(y)).numpy(), y.numpy(), rtol=1e-9)
    assert not transform.bijective
    assert transform == type(transform)()
    with pytest.raises(NotImplementedError):
        transform.log_abs_det_jacobian(y, y)


def test_shapes_that_transforms_do_not_take_are_refused() -> None:
    with pytest.raises(ValueError, match="different numbers"):
        transforms.ReshapeTransform((2, 3), (5,))
    with pytest.raises(ValueError, match="Shape mismatch"):
        transforms.ReshapeTransform((2, 3), (6,))(lamina.zeros(3, 2))
    with pytest.raises(ValueError, match="Too few"):
        transforms.StickBreakingTransform().forward_shape(())
    with pytest.raises(ValueError, match="not a flattened"):
        transforms.CorrCholeskyTransform()(lamina.zeros(4))
    with pytest.raises(ValueError, match="3 places"):
        transforms.CatTransform([transforms.ExpTransform()], lengths=[3])(lamina.zeros(4))
    with pytest.raises(ValueError, match="out of range"):
        transforms.StackTransform([transforms.ExpTransform()], dim=1)(lamina.zeros(4))
    with pytest.raises(ValueError, match="event_dim"):
        _ = transforms.ReshapeTransform((4,), (2, 2)).event_dim


BOUNDED = [
    constraints.real,
    constraints.positive,
    constraints.nonnegative,
    constraints.less_than(-2.0),
    constraints.greater_than(f64([0.0, 1.0, 2.0])),
    constraints.unit_interval,
    constraints.half_open_interval(-1.0, 3.0),
    constraints.simplex,
    constraints.real_vector,
    constraints.independent(constraints.positive, 1),
    constraints.corr_cholesky,
    constraints.lower_cholesky,
    constraints.positive_definite,
    constraints.positive_semidefinite,
    constraints.cat([constraints.positive, constraints.real], -1, [1, 2]),
    constraints.stack([constraints.positive, constraints.real, constraints.unit_interval], -1),
]


@pytest.mark.parametrize("constraint", BOUNDED, ids=repr)
@pytest.mark.parametrize("registry", [D.biject_to, D.transform_to], ids=["biject_to", "transform_to"])
def test_registered_transforms_lead_to_what_the_constraint_allows(
    registry: D.constraint_registry.ConstraintRegistry, constraint: constraints.Constraint
) -> None:
    if registry is D.biject_to and type(constraint) in set(D.transform_to._factories) - set(D.biject_to._factories):
        with pytest.raises(NotImplementedError, match="Cannot transform"):
            registry(constraint)
        return
    lamina.manual_seed(0)
    x = lamina.randn(2, 3, 3, dtype=lamina.float64)
    transform = registry(constraint)
    y = transform(x)
    assert bool(constraint.check(y).all())
    np.testing.assert_allclose(transform(transform.inv(y)).numpy(), y.numpy(), rtol=1e-6, atol=1e-9)
    if registry is D.biject_to:
        assert transform.bijective
        np.testing.assert_allclose(transform.inv(y).numpy(), x.numpy(), rtol=1e-6)


def test_own_constraints_can_be_registered() -> None:
    class Even(constraints.Constraint):
        pass

    registry = D.constraint_registry.ConstraintRegistry()
    registry.register(Even, lambda _: transforms.AffineTransform(0.0, 2.0))
    assert float(registry(Even())(f64(3.0))) == 6
    with pytest.raises(TypeError, match="Constraint subclass or instance"):
        registry.register(int, lambda _: transforms.ExpTransform())


MIXED = constraints.MixtureSameFamilyConstraint(constraints.interval(f64([0, 1]), f64([2, 3])))


@pytest.mark.parametrize(
    ("constraint", "allowed", "refused"),
    [
        (constraints.symmetric, [[1.0, 2.0], [2.0, 0.0]], [[1.0, 2.0], [2.1, 0.0]]),
        (constraints.symmetric, [[1.0]], [[1.0, 2.0]]),
        (constraints.square, [[1.0]], [[1.0, 2.0]]),
        (constraints.positive_semidefinite, [[1.0, 2.0], [2.0, 4.0]], [[1.0, 2.0], [2.0, 3.0]]),
        (constraints.positive_definite, [[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 4.0]]),
        (constraints.lower_triangular, [[0.0, 0.0], [1.0, -1.0]], [[0.0, 1.0], [1.0, 1.0]]),
        (constraints.corr_cholesky, [[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.6, 0.7]]),
        (constraints.cat([constraints.positive, constraints.boolean]), [3.0, 1.0], [3.0, 3.0]),
        (constraints.stack([constraints.positive, constraints.boolean]), [3.0, 1.0], [-3.0, 1.0]),
        (
            constraints.MixtureSameFamilyConstraint(constraints.interval(f64([0, 1]), f64([2, 3]))),
            [1.5, 1.0],
            [0.5, 1.5],
        ),
        (constraints.multinomial(3), [1.0, 2.0], [2.0, 2.0]),
        (constraints.one_hot, [0.0, 1.0], [1.0, 1.0]),
    ],
    ids=repr,
)
def test_constraints_tell_what_they_allow(
    constraint: constraints.Constraint, allowed: list[object], refused: list[object]
) -> None:
    assert bool(constraint.check(f64(allowed)).all())
    assert not bool(constraint.check(f64(refused)).all())


def test_dependent_constraints_say_what_they_know() -> None:
    assert constraints.is_dependent(D.Uniform.support)
    assert D.Binomial.support.is_discrete
    assert D.Uniform(0.0, 2.0).support.upper_bound == 2
    with pytest.raises(NotImplementedError, match="event_dim"):
        _ = D.Independent.support.event_dim
    with pytest.raises(ValueError, match="dependent"):
        constraints.dependent.check(lamina.zeros(2))
    assert constraints.dependent(is_discrete=True, event_dim=1).event_dim == 1


@pytest.mark.parametrize("diagonal", range(-3, 3))
def test_lower_triangles_are_vectors_and_back(diagonal: int) -> None:
    x = lamina.arange(18.0).reshape(2, 3, 3) + 1
    triangle = x.tril(diagonal)
    vectors = tril_matrix_to_vec(triangle, diagonal)
    np.testing.assert_array_equal(vec_to_tril_matrix(vectors, diagonal).numpy(), triangle.numpy())
    with pytest.raises(ValueError, match="outside"):
        tril_matrix_to_vec(x, 3)
    with pytest.raises(ValueError, match="lower triangular"):
        vec_to_tril_matrix(lamina.zeros(4))


def test_logistic_normal_is_the_density_of_what_breaks_the_stick() -> None:
    loc, scale = f64([0.3, -0.5]), f64([0.7, 1.2])
    distribution = D.LogisticNormal(loc, scale)
    assert distribution.event_shape == (3,)
    np.testing.assert_array_equal(distribution.loc.numpy(), loc.numpy())
    # Over the triangle of the first two parts the density integrates to 1.
    nodes, weights = np.polynomial.legendre.leggauss(60)
    u, w = (nodes + 1) / 2, weights / 2
    first, second = np.meshgrid(u, u, indexing="ij")
    parts = np.stack([first, (1 - first) * second, (1 - first) * (1 - second)], -1)
    density = distribution.log_prob(f64(parts)).exp().numpy()
    assert (density * (1 - first) * w[:, None] * w).sum() == pytest.approx(1, abs=1e-6)
    assert D.LogisticNormal(0.2, 0.6).sample().shape == (2,)
    assert distribution.expand((4,)).rsample().shape == (4, 3)
