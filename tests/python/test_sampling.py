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
    assert set(lamina.randint_like(lamina.zeros(100), high=2).tolist()) == {0.0, 1.0}
    assert set(lamina.randint_like(lamina.zeros(100), low=-2, high=0).tolist()) == {-2.0, -1.0}
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'high'"):
        lamina.randint_like(lamina.zeros(2))


@pytest.mark.parametrize(
    ("low", "high", "dtype", "message"),
    [
        (0, 2, "complex64", "handles only integral, floating-point and boolean"),
        (0, 257, "uint8", "to - 1 is out of bounds for unsigned char"),
        (-1, 3, "uint8", "from is out of bounds for unsigned char"),
        (0, 3, "bool", "to - 1 is out of bounds for bool"),
        (0, 70000, "float16", "to - 1 is out of bounds for c10::Half"),
        (3, 3, "int64", "from=3 >= to=3"),
    ],
)
def test_randint_refuses_what_the_type_does_not_hold(low: int, high: int, dtype: str, message: str) -> None:
    kind = getattr(lamina, dtype)
    with pytest.raises(RuntimeError, match=message):
        lamina.randint(low, high, (2,), dtype=kind)
    with pytest.raises(RuntimeError, match=message):
        lamina.randint_like(lamina.zeros(2, dtype=kind), low, high)


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
        ([1.0, -1.0], 1, "element < 0"),
        ([float("nan")], 1, "nan"),
        ([0.0, 0.0], 1, "sum of probabilities <= 0"),
        ([1.0, 0.0], 3, r"n_sample > prob_dist.size\(-1\)"),
        ([1.0], 0, "n_sample <= 0"),
        ([], 1, "n_sample > prob_dist"),
        ([1, 2], 1, "floating-point"),
        ([[[1.0]]], 1, "1 or 2 dim"),
    ],
)
def test_multinomial_refuses(weights: Any, count: int, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        lamina.multinomial(lamina.tensor(weights), count)


def test_multinomial_without_replacement_ends_with_weights_of_zero() -> None:
    assert lamina.tensor([0.0, 1.0]).multinomial(2).tolist() == [1, 0]
    assert lamina.zeros(0, 3).multinomial(2).shape == (0, 2)


@pytest.mark.parametrize("dtype", [lamina.float32, lamina.float64, lamina.float16])
def test_poisson(dtype: Any) -> None:
    generator = lamina.Generator().manual_seed(7)
    rates = lamina.tensor([0.0, 2.0, 9.0], dtype=dtype).expand(4000, 3)
    drawn = lamina.poisson(rates, generator)
    assert (drawn.dtype, drawn.shape) == (dtype, (4000, 3))
    assert lamina.equal(drawn, drawn.trunc())
    # Five standard deviations of the mean of 4000; variance and mean are the rate.
    assert (drawn.float().mean(0) - rates[0].float()).abs().tolist() < [1e-9, 0.112, 0.238]
    assert (drawn.float().var(0) - rates[0].float()).abs().max() < 1.5
    assert lamina.equal(drawn, lamina.poisson(rates, generator.manual_seed(7)))
    assert not lamina.equal(drawn, lamina.poisson(rates, generator))


def test_binomial() -> None:
    lamina.manual_seed(2)
    count, chance = lamina.tensor([10.0, 40.0]), lamina.tensor([[0.5], [1.0], [0.0]])
    drawn = lamina.binomial(count.expand(3000, 1, 2), chance)
    assert drawn.shape == (3000, 3, 2)
    assert drawn[:, 1:].amax(0).tolist() == drawn[:, 1:].amin(0).tolist() == [[10.0, 40.0], [0.0, 0.0]]
    # Five standard deviations of the means.
    assert (drawn[:, 0].mean(0) - lamina.tensor([5.0, 20.0])).abs().tolist() < [0.145, 0.289]


def test_random_counts_have_a_gradient_of_zero() -> None:
    rates = lamina.tensor([1.0, lamina.inf]).clamp(max=3).requires_grad_()
    lamina.poisson(rates).sum().backward()
    assert rates.grad is not None
    assert rates.grad.tolist() == [0.0, 0.0]
    chance = lamina.tensor([0.5], requires_grad=True)
    lamina.binomial(lamina.tensor([3.0]), chance).sum().backward()
    assert chance.grad is not None
    assert chance.grad.tolist() == [0.0]


def test_random_counts_refuse() -> None:
    with pytest.raises(RuntimeError, match="invalid Poisson rate"):
        lamina.poisson(lamina.tensor([-1.0]))
    with pytest.raises(NotImplementedError, match="not implemented for 'Long'"):
        lamina.poisson(lamina.tensor([1]))
    with pytest.raises(ValueError, match="for count, got: Long"):
        lamina.binomial(lamina.tensor([1]), lamina.tensor([0.5]))


def test_a_permutation_must_fit_its_type() -> None:
    assert sorted(lamina.randperm(256, dtype=lamina.uint8).tolist()) == list(range(256))
    for dtype, count in ((lamina.uint8, 257), (lamina.int8, 129), (lamina.float16, 2050), (lamina.float32, 2**24 + 2)):
        with pytest.raises(RuntimeError, match=r"without overflow|cannot be greater than"):
            lamina.randperm(count, dtype=dtype)
    with pytest.raises(NotImplementedError, match="'Bool'"):
        lamina.randperm(1, dtype=lamina.bool)
