"""Random numbers: reproducible, independent of when they are computed, and distributed as they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina

SOURCES: dict[str, Callable[..., Any]] = {
    "rand": lambda **g: lamina.rand(3, 5, **g),
    "randn": lambda **g: lamina.randn(3, 5, **g),
    "randint": lambda **g: lamina.randint(0, 100, (15,), **g),
    "randperm": lambda **g: lamina.randperm(30, **g),
    "bernoulli": lambda **g: lamina.bernoulli(lamina.full((40,), 0.5), **g),
    "normal": lambda **g: lamina.normal(0.0, 1.0, (15,), **g),
    "normal of tensors": lambda **g: lamina.normal(lamina.zeros(15), lamina.ones(15), **g),
    "uniform_": lambda **g: lamina.empty(15).uniform_(-1, 1, **g),
    "normal_": lambda **g: lamina.empty(15).normal_(0, 1, **g),
    "random_": lambda **g: lamina.empty(15, dtype=lamina.int64).random_(0, 1000, **g),
    "bernoulli_": lambda **g: lamina.empty(40).bernoulli_(0.5, **g),
}

every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


@every_source
def test_seed_repeats(source: Callable[..., Any]) -> None:
    lamina.manual_seed(11)
    first, second = source(), source()
    lamina.manual_seed(11)
    assert lamina.equal(source(), first)
    assert lamina.equal(source(), second)
    assert not lamina.equal(first, second)
    lamina.manual_seed(12)
    assert not lamina.equal(source(), first)


@every_source
def test_position_is_fixed_when_recorded(source: Callable[..., Any]) -> None:
    """Looking early, late, in another order or never changes no number."""
    lamina.manual_seed(5)
    values = [source() for _ in range(4)]
    early = [v.tolist() for v in values]
    lamina.manual_seed(5)
    again = []
    for _ in range(4):
        value = source()
        value.tolist()
        again.append(value.tolist())
    assert again == early
    lamina.manual_seed(5)
    late = [source() for _ in range(4)]
    lamina.manual_seed(99)
    assert [v.tolist() for v in reversed(late)][::-1] == early
    lamina.manual_seed(5)
    source()
    source()
    assert source().tolist() == early[2]


@every_source
def test_generator(source: Callable[..., Any]) -> None:
    lamina.manual_seed(0)
    generator = lamina.Generator().manual_seed(3)
    first = source(generator=generator)
    untouched = source()
    lamina.manual_seed(0)
    assert lamina.equal(source(), untouched)
    assert lamina.equal(source(generator=lamina.Generator().manual_seed(3)), first)
    assert generator.initial_seed() == 3


def test_state_is_saved_and_restored() -> None:
    lamina.manual_seed(7)
    lamina.rand(5)
    state = lamina.get_rng_state()
    first = lamina.randn(4)
    lamina.set_rng_state(state)
    assert lamina.equal(lamina.randn(4), first)
    assert lamina.initial_seed() == 7
    generator = lamina.Generator()
    generator.manual_seed(1)
    saved = generator.get_state()
    drawn = lamina.rand(3, generator=generator)
    generator.set_state(saved)
    assert lamina.equal(lamina.rand(3, generator=generator), drawn)
    assert isinstance(lamina.default_generator, lamina.Generator)


def test_seeding_returns_the_generator() -> None:
    assert isinstance(lamina.manual_seed(3), lamina.Generator)


def test_streams_of_one_seed_do_not_overlap() -> None:
    lamina.manual_seed(0)
    a, b = lamina.rand(10_000), lamina.rand(10_000)
    assert len(set(a.tolist()) & set(b.tolist())) < 50
    lamina.manual_seed(0)
    one = lamina.rand(20_000)
    assert abs(np.corrcoef(a.numpy(), b.numpy())[0, 1]) < 0.05
    assert len(set(one.tolist())) > 19_000


def test_neighbouring_seeds_are_unrelated() -> None:
    drawn = []
    for seed in range(4):
        lamina.manual_seed(seed)
        drawn.append(lamina.randn(20_000).numpy())
    correlations = np.corrcoef(drawn) - np.eye(4)
    assert np.abs(correlations).max() < 0.04


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_distribution(dtype: str) -> None:
    lamina.manual_seed(1)
    x = lamina.rand(200_000, dtype=getattr(lamina, dtype)).numpy().astype(np.float64)
    assert x.min() >= 0
    assert x.max() < 1
    assert x.mean() == pytest.approx(0.5, abs=0.004)
    assert x.var() == pytest.approx(1 / 12, abs=0.002)
    counts = np.histogram(x, 64, (0, 1))[0]
    assert ((counts - 3125) ** 2 / 3125).sum() < 130  # chi-square of 63 degrees: 130 is past 1e-6
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.012
    y = lamina.empty(50_000).uniform_(-3, 5).numpy()
    assert y.min() >= -3
    assert y.max() < 5
    assert y.mean() == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_distribution(dtype: str) -> None:
    lamina.manual_seed(2)
    x = lamina.randn(200_001, dtype=getattr(lamina, dtype)).numpy().astype(np.float64)
    assert np.isfinite(x).all()
    assert x.mean() == pytest.approx(0, abs=0.012)
    assert x.std() == pytest.approx(1, abs=0.01)
    assert (x**3).mean() == pytest.approx(0, abs=0.05)
    assert (x**4).mean() == pytest.approx(3, abs=0.12)
    assert (np.abs(x) < 1).mean() == pytest.approx(0.6827, abs=0.006)
    assert np.abs(x).max() > 3.7
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.012
    y = lamina.empty(100_000).normal_(3, 0.5).numpy()
    assert y.mean() == pytest.approx(3, abs=0.01)
    assert y.std() == pytest.approx(0.5, abs=0.01)
    z = lamina.normal(lamina.arange(3.0).expand(20_000, 3), 0.1).numpy()
    np.testing.assert_allclose(z.mean(0), [0, 1, 2], atol=0.01)


def test_draws_depend_on_their_parameters_with_a_gradient_of_zero() -> None:
    parameter = lamina.full((3,), 0.5, requires_grad=True)
    for drawn in (
        lamina.normal(parameter, 0.1),
        lamina.normal(0.0, parameter),
        lamina.normal(parameter, parameter, (2, 3)),
        lamina.bernoulli(parameter),
    ):
        parameter.grad = None
        drawn.sum().backward()
        assert parameter.grad is not None
        assert parameter.grad.tolist() == [0, 0, 0]
    assert not lamina.normal(parameter.detach(), 0.1).requires_grad


def test_integer_distribution() -> None:
    lamina.manual_seed(3)
    x = lamina.randint(-3, 4, (70_000,))
    assert x.dtype == lamina.int64
    values, counts = np.unique(x.numpy(), return_counts=True)
    assert values.tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert np.abs(counts - 10_000).max() < 500
    assert lamina.randint(5, (100,)).max().item() < 5
    assert lamina.randint(2**40, (1000,)).max().item() > 2**38
    assert lamina.randint(0, 2, (3,), dtype=lamina.int32).dtype == lamina.int32


def test_permutations() -> None:
    lamina.manual_seed(4)
    for n in (0, 1, 2, 17, 10_000):
        x = lamina.randperm(n)
        assert x.dtype == lamina.int64
        np.testing.assert_array_equal(np.sort(x.numpy()), np.arange(n))
    firsts = np.array([lamina.randperm(4).tolist() for _ in range(4000)])
    for place in range(4):
        assert np.abs(np.bincount(firsts[:, place], minlength=4) - 1000).max() < 150
    assert len({tuple(row) for row in firsts.tolist()}) == 24


@pytest.mark.parametrize("p", [2, -0.1, float("nan")])
def test_bernoulli_wants_a_probability(p: float) -> None:
    for draw in (lamina.zeros(3).bernoulli, lamina.zeros(3).bernoulli_):
        with pytest.raises(RuntimeError, match=r"expects p to be in \[0, 1\]"):
            draw(p)


def test_bernoulli_distribution() -> None:
    lamina.manual_seed(5)
    p = lamina.tensor([0.0, 0.25, 0.9, 1.0]).expand(20_000, 4)
    x = lamina.bernoulli(p)
    assert x.dtype == lamina.float32
    np.testing.assert_allclose(x.mean(0).numpy(), [0, 0.25, 0.9, 1], atol=0.015)
    assert x[:, 0].sum().item() == 0
    assert x[:, 3].sum().item() == 20_000


def test_large_draw_does_not_depend_on_threads() -> None:
    threads = lamina.get_num_threads()
    drawn = []
    try:
        for count in (1, 2):
            lamina.set_num_threads(count)
            lamina.manual_seed(9)
            drawn.append((lamina.randn(300_001).numpy(), lamina.rand(300_001).numpy()))
    finally:
        lamina.set_num_threads(threads)
    np.testing.assert_array_equal(drawn[0][0], drawn[1][0])
    np.testing.assert_array_equal(drawn[0][1], drawn[1][1])


def test_python_seed_types() -> None:
    for seed in (0, 2**32, 2**63 - 1, -1, np.int64(5), True):
        lamina.manual_seed(seed)
        assert 0 <= lamina.rand(()).item() < 1
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        lamina.manual_seed("seed")


def test_random_numbers_carry_gradients_of_what_they_scale() -> None:
    lamina.manual_seed(6)
    scale = lamina.tensor(2.0, requires_grad=True)
    noise = lamina.randn(5)
    (scale * noise).sum().backward()
    assert scale.grad.item() == pytest.approx(noise.sum().item(), rel=1e-5)
    assert not noise.requires_grad


def test_fork_rng_gives_the_stream_back() -> None:
    with lamina.random.fork_rng():
        inside = lamina.rand(3)
    assert lamina.equal(inside, lamina.rand(3))
    with lamina.random.fork_rng(enabled=False):
        inside = lamina.rand(3)
    assert not lamina.equal(inside, lamina.rand(3))


def test_generators_have_a_device_and_can_be_pickled() -> None:
    import pickle

    generator = lamina.Generator(device="cpu").manual_seed(3)
    lamina.rand(5, generator=generator)
    again = pickle.loads(pickle.dumps(generator))
    assert again.device == generator.device == lamina.device("cpu")
    assert again.initial_seed() == 3
    assert lamina.equal(lamina.rand(3, generator=again), lamina.rand(3, generator=generator))
    with pytest.raises(RuntimeError, match="'cuda'"):
        lamina.Generator("cuda")


@pytest.mark.parametrize("dtype", [lamina.int8, lamina.uint8, lamina.int64, lamina.float16, lamina.bool], ids=str)
def test_random_from_a_number_up_to_what_the_type_holds(dtype: lamina.dtype) -> None:
    whole = not dtype.is_floating_point and dtype != lamina.bool
    low, high = (
        (lamina.iinfo(dtype).min, lamina.iinfo(dtype).max) if whole else (0, 1 if dtype == lamina.bool else 2048)
    )
    drawn = lamina.empty(20_000, dtype=dtype).random_(low, None).double()
    assert low <= drawn.min() <= low + (high - low) / 100
    assert high >= drawn.max() >= high - (high - low) / 100
