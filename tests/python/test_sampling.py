"""Composed random functions: what is drawn, how often, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

import lamina


def test_randint_like() -> None:
    lamina.manual_seed(0)
    x = lamina.randint_like(lamina.zeros(20, 50, dtype=lamina.int32), 3, 7)
    assert (x.shape, x.dtype) == ((20, 50), lamina.int32)
    assert set(x.reshape(-1).tolist()) == {3, 4, 5, 6}
    assert set(lamina.randint_like(lamina.zeros(100), 2).tolist()) == {0.0, 1.0}
    assert lamina.randint_like(lamina.zeros(2), 5, dtype=lamina.int64).dtype == lamina.int64


def test_multinomial_with_replacement_follows_the_weights() -> None:
    generator = lamina.Generator().manual_seed(3)
    drawn = lamina.multinomial(lamina.tensor([1.0, 0.0, 3.0, 4.0]), 20000, True, generator=generator)
    assert drawn.dtype == lamina.int64
    counts = lamina.bincount(drawn, minlength=4).tolist()
    assert counts[1] == 0
    # Five standard deviations of a binomial count are at most 350.
    for count, share in zip(counts, (1 / 8, 0, 3 / 8, 4 / 8), strict=True):
        assert abs(count - 20000 * share) < 350


def test_multinomial_without_replacement() -> None:
    lamina.manual_seed(1)
    weights = lamina.tensor([[1.0, 2.0, 0.0, 1.0], [0.0, 5.0, 1.0, 1.0]])
    for _ in range(20):
        first, second = lamina.multinomial(weights, 3).tolist()
        assert sorted(first) == [0, 1, 3]
        assert sorted(second) == [1, 2, 3]
    # The heavy one comes first in its share of the draws: 1000 draws, five standard deviations are 80.
    heavy = lamina.tensor([1.0, 3.0]).expand(1000, 2)
    first_is_heavy = int(lamina.multinomial(heavy, 2)[:, 0].sum())
    assert abs(first_is_heavy - 750) < 80


def test_multinomial_repeats_with_its_generator() -> None:
    generator = lamina.Generator()
    draws = [lamina.ones(9).multinomial(4, generator=generator.manual_seed(5)).tolist() for _ in range(2)]
    assert draws[0] == draws[1]
    assert len(set(draws[0])) == 4


@pytest.mark.parametrize(
    ("weights", "count", "text"),
    [
        ([1.0, -1.0], 1, "not negative"),
        ([float("nan")], 1, "finite"),
        ([0.0, 0.0], 1, "all 0"),
        ([1.0, 0.0], 2, "fewer positive"),
        ([1.0], 0, "n_sample"),
        ([], 1, "weights"),
        ([1, 2], 1, "floating point"),
    ],
)
def test_multinomial_refuses(weights: Any, count: int, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        lamina.multinomial(lamina.tensor(weights), count)
