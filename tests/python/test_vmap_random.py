"""vmap over what draws random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import lamina
from lamina.func import vmap


def test_the_same_numbers_are_drawn_for_all_chunks() -> None:
    x = lamina.zeros(5, 2)
    drawn = vmap(lambda a: a + lamina.rand(2), randomness="same", chunk_size=2)(x)
    assert lamina.equal(drawn, drawn[:1].expand(5, 2))
    means = vmap(lamina.normal, randomness="different")(x, lamina.ones(5, 2))
    assert len(means.unique()) == 10


@pytest.mark.parametrize(
    "draw",
    [
        lambda x, g: x + lamina.rand(3, generator=g),
        lambda x, g: lamina.randn(3, generator=g),
        lambda x, g: lamina.randint(1000, (3,), generator=g),
        lambda x, g: lamina.normal(x, 1.0, generator=g),
        lambda x, g: x.clone().exponential_(generator=g),
    ],
)
def test_examples_are_drawn_from_the_generator_that_is_named(draw: Callable[..., Any]) -> None:
    x, generator = lamina.zeros(4, 3), lamina.Generator()
    others = lamina.get_rng_state()
    drawn = vmap(lambda a: draw(a, generator), randomness="different")(x)
    assert len(drawn.unique()) == 12
    further = vmap(lambda a: draw(a, generator), randomness="different")(x)
    assert not lamina.equal(drawn, further)
    again = vmap(lambda a: draw(a, lamina.Generator()), randomness="different")(x)  # gone when numbers are drawn
    assert lamina.equal(drawn, again)
    assert lamina.equal(lamina.get_rng_state(), others)


def test_examples_have_permutations_of_their_own() -> None:
    drawn = vmap(lambda a: lamina.randperm(20), randomness="different")(lamina.zeros(3))
    assert lamina.equal(drawn.sort(-1)[0], lamina.arange(20).expand(3, 20))
    assert len(drawn.unique(dim=0)) == 3


@pytest.mark.parametrize(
    ("outer", "inner", "rows", "columns"),
    [
        ("same", "same", 1, 1),
        ("same", "different", 1, 4),
        ("different", "same", 3, 1),
        ("different", "different", 3, 4),
    ],
)
def test_each_level_says_whether_its_examples_differ(outer: str, inner: str, rows: int, columns: int) -> None:
    def function(a: Any) -> Any:
        return a + lamina.rand(())

    drawn = vmap(vmap(function, randomness=inner), randomness=outer)(lamina.zeros(3, 4))
    assert len(drawn[0].unique()) == columns
    assert len(drawn[:, 0].unique()) == rows
    assert len(drawn.unique()) == rows * columns


@pytest.mark.parametrize("inner", ["same", "different", "error"])
def test_no_numbers_are_drawn_within_a_level_that_draws_none(inner: str) -> None:
    with pytest.raises(RuntimeError, match="random operation while in randomness error mode"):
        vmap(vmap(lambda a: a + lamina.rand(()), randomness=inner))(lamina.zeros(3, 4))


def test_examples_have_poisson_and_binomial_numbers_of_their_own() -> None:
    rates = lamina.tensor([[1e6, 2e6], [3e6, 4e6], [5e6, 6e6]])
    drawn = vmap(lamina.poisson, randomness="different")(rates)
    assert drawn.shape == (3, 2)
    assert lamina.allclose(drawn, rates, rtol=0.02)
    assert not lamina.equal(drawn, vmap(lamina.poisson, randomness="different")(rates))
    for_all = vmap(lambda a: lamina.poisson(lamina.full((2,), 1e6)) + 0 * a, randomness="different")(rates)
    assert len(for_all.unique()) > 4
    for_all = vmap(lambda a: lamina.poisson(lamina.full((2,), 1e6)) + 0 * a, randomness="same")(rates)
    assert lamina.equal(for_all, for_all[:1].expand(3, 2))
    drawn = vmap(lamina.binomial, (0, None), randomness="different")(rates, lamina.tensor([0.5, 0.25]))
    assert lamina.allclose(drawn, rates * lamina.tensor([0.5, 0.25]), rtol=0.02)
    columns = vmap(vmap(lamina.poisson, 1, 1, randomness="different"), randomness="different")(rates.reshape(3, 1, 2))
    assert lamina.allclose(columns, rates.reshape(3, 1, 2), rtol=0.02)


def test_poisson_numbers_in_vmap_are_those_of_the_generator() -> None:
    rates, generator = lamina.full((3, 2), 1e6), lamina.Generator()
    draw = vmap(lambda a: lamina.poisson(a, generator), randomness="different")
    first = draw(rates)
    assert not lamina.equal(draw(rates), first)
    generator.manual_seed(lamina.Generator().initial_seed())
    assert lamina.equal(draw(rates), first)
    gradient = lamina.func.grad(lambda x: vmap(lamina.poisson, randomness="different")(x).sum())(rates)
    assert gradient.tolist() == [[0, 0]] * 3


@pytest.mark.parametrize(
    ("randomness", "words"),
    [("error", "in randomness error mode"), ("same", "cannot be drawn for examples that differ")],
)
def test_poisson_rates_that_differ_need_numbers_that_do(randomness: str, words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        vmap(lamina.poisson, randomness=randomness)(lamina.ones(3, 2))
    with pytest.raises(RuntimeError, match="invalid Poisson rate"):
        vmap(lamina.poisson, randomness="different")(lamina.tensor([1.0, -1.0]))
