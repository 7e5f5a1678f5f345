"""Sizes that no memory holds are refused at once, with the bytes or the parts that were asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import lamina
from lamina.nn import functional as F


@pytest.mark.parametrize(
    "make",
    [
        lambda: lamina.combinations(lamina.ones(100), 50),
        lambda: lamina.combinations(lamina.ones(100), 10),
        lambda: lamina.combinations(lamina.ones(100), 50, with_replacement=True),
        lambda: lamina.tensor_split(lamina.ones(4), 2**40),
        lambda: F.adaptive_avg_pool1d(lamina.ones(1, 1, 4), 2**40),
        lambda: F.adaptive_avg_pool2d(lamina.ones(1, 1, 4, 4), (2**40, 1)),
        lambda: F.adaptive_avg_pool3d(lamina.ones(1, 1, 4, 4, 4), (2**40, 1, 1)),
        lambda: F.adaptive_max_pool1d(lamina.ones(1, 1, 4), 2**40),
        lambda: F.adaptive_max_pool2d(lamina.ones(1, 1, 4, 4), (2**40, 1)),
        lambda: F.interpolate(lamina.ones(1, 1, 4, 4), (2**40, 1), mode="bilinear"),
        lambda: F.interpolate(lamina.ones(1, 1, 4, 4), (2**40, 1), mode="bicubic"),
    ],
)
def test_more_parts_than_can_be_listed(make: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError, match=r"^(combinations|tensor_split|adaptive pooling|interpolate): \d+ parts are"):
        make()


@pytest.mark.parametrize("kind", ["hermite_polynomial_h", "laguerre_polynomial_l", "chebyshev_polynomial_t"])
def test_degrees_that_nobody_would_wait_for(kind: str) -> None:
    polynomial = getattr(lamina.special, kind)
    few = lamina.tensor([1, 2], dtype=lamina.int8)
    assert polynomial(lamina.ones(2) / 2, few).equal(polynomial(lamina.ones(2) / 2, few.long()))
    for degree in (2**40, lamina.tensor([1, 2**40]), lamina.tensor([1e30])):
        with pytest.raises(RuntimeError, match=f"{kind}: degrees above 1048576 are not supported"):
            polynomial(lamina.ones(2) / 2, degree)


def test_bins_that_no_memory_holds() -> None:
    with pytest.raises(RuntimeError, match="1152921504606846976 bins are more than memory holds"):
        lamina.histogramdd(lamina.ones(4, 2), [2**30, 2**30])
    with pytest.raises(RuntimeError, match="1180591620717411303424 bins"):
        lamina.histogramdd(lamina.ones(4, 7), 2**10)


def test_layers_that_no_address_space_holds() -> None:
    with pytest.raises(MemoryError, match="4503599627370496 bytes"):
        lamina.nn.Linear(2**40, 2**10)
    assert lamina.nn.Linear(2**40, 2**10, device="meta").weight.shape == (2**10, 2**40)


def test_folding_counts_windows_before_it_lists_them() -> None:
    with pytest.raises(RuntimeError, match="calculated number of sliding blocks 1152921502459363329"):
        F.fold(lamina.ones(1, 4, 4), (2**30, 2**30), (2, 2))


def test_polygamma_of_an_enormous_order_is_infinite() -> None:
    assert lamina.polygamma(2**40, lamina.ones(2)).tolist() == [-float("inf")] * 2
    assert lamina.polygamma(171, lamina.ones(2)).tolist() == [float("inf")] * 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: lamina.ones(4).repeat(2**40), "17592186044416 bytes: the result of clone, float32 of shape [1099"),
        (lambda: lamina.zeros(2**40), "4398046511104 bytes: the result of expand, float32 of shape [1099511627776]"),
        (lambda: lamina.eye(2**20), "bytes: the result of slice_update, float32 of shape [1099511627776]"),
        (lambda: F.one_hot(lamina.tensor([1]), 2**40), "8796093022208 bytes: the result of scatter, int64 of shape"),
        (lambda: lamina.zeros(2**40).sum(), "4398046511104 bytes on the way to the result of sum, float32 of shape []"),
        (lambda: lamina.arange(2**40), "8796093022208 bytes"),
        (lambda: lamina.randperm(2**40), "8796093022208 bytes"),
    ],
)
def test_memory_that_ran_out_says_how_much_was_asked_for(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(MemoryError) as caught:
        make().tolist()
    assert str(caught.value).startswith("lamina: not enough memory for ")
    assert words in str(caught.value)


def test_combinations_of_few_are_listed() -> None:
    assert lamina.combinations(lamina.arange(100), 99).shape == (100, 99)
    assert lamina.combinations(lamina.arange(0), 3, with_replacement=True).shape == (0, 3)
    assert lamina.combinations(lamina.arange(2), 3, with_replacement=True).shape == (4, 3)
    assert lamina.combinations(lamina.arange(2), 3).shape == (0, 3)
