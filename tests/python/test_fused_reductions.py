"""Reductions of what an elementwise pass computes: shapes at the edges of tiles, parts and strips; any thread count."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

import lamina

# (shape, axes): rows short, of a tile and longer; parts; few and many columns; strips; axes in between and apart.
CASES = [
    ((7,), (0,)),
    ((5, 3), (1,)),
    ((9, 255), (1,)),
    ((3, 256), (1,)),
    ((3, 257), (1,)),
    ((2, 512), (1,)),
    ((2, 513), (1,)),
    ((2, 70000), (1,)),
    ((300, 700), (0, 1)),
    ((140001,), (0,)),
    ((1000, 3), (0,)),
    ((4000, 7), (0,)),
    ((50, 256), (0,)),
    ((50, 257), (0,)),
    ((300, 600), (0,)),
    ((9, 5000), (0,)),
    ((2, 150, 300), (1,)),
    ((4, 33, 5), (1,)),
    ((3, 4, 5, 6), (1, 2)),
    ((3, 40, 50), (0, 2)),
    ((3, 4, 5, 6), (0, 2)),
    ((6, 1, 130), (0, 2)),
]


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = lamina.get_num_threads()
    lamina.set_num_threads(request.param)
    yield request.param
    lamina.set_num_threads(before)


def _operands(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(len(shape) + sum(shape))
    x = random.standard_normal(shape, dtype=np.float32)
    return x, random.standard_normal(shape[-1:], dtype=np.float32), random.standard_normal((*shape[:-1], 1), np.float32)


@pytest.mark.parametrize(("shape", "axes"), CASES)
def test_fused_reductions_values(shape: tuple[int, ...], axes: tuple[int, ...], threads: int) -> None:
    x, row, column = _operands(shape)
    y = (lamina.tensor(x) - lamina.tensor(column)) * lamina.tensor(row)
    wide = (x.astype(np.float64) - column) * row
    total, largest, smallest = y.sum(axes), y.amax(axes), (y * 2).amin(axes, keepdim=True)
    np.testing.assert_allclose(total.numpy(), wide.sum(axes), rtol=1e-5, atol=1e-6 * np.abs(wide).sum(axes).max())
    np.testing.assert_allclose(largest.numpy(), wide.max(axes), rtol=1e-5)
    np.testing.assert_allclose(smallest.numpy(), 2 * wide.min(axes, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(y.numpy(), wide, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("shape", "axes"), CASES)
def test_fused_reductions_thread_count(shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    x, row, _ = map(lamina.tensor, _operands(shape))
    before, results = lamina.get_num_threads(), []
    for count in (1, 2, 3):
        lamina.set_num_threads(count)
        results.append(((x * row).square().sum(axes).numpy(), x.sum(axes).numpy(), x.softmax(-1).numpy()))
    lamina.set_num_threads(before)
    for other in results[1:]:
        for got, expected in zip(other, results[0]):
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(("shape", "axis"), [((1500, 300), 0), ((2, 1500, 300), 1), ((3, 70001), 1), ((40, 9, 70), 1)])
def test_long_reductions_in_blocks(shape: tuple[int, ...], axis: int, threads: int) -> None:
    x = np.random.default_rng(1).integers(-50, 50, shape).astype(np.float32)  # with ties
    y = lamina.tensor(x)
    np.testing.assert_array_equal(y.sum(axis).numpy(), x.sum(axis))
    np.testing.assert_array_equal(y.amin(axis).numpy(), x.min(axis))
    np.testing.assert_array_equal(y.argmax(axis).numpy(), x.argmax(axis))
    np.testing.assert_array_equal((y > 48).any(axis).numpy(), (x > 48).any(axis))
    x.reshape(-1)[-1] = np.nan
    assert lamina.tensor(x).argmin(axis).numpy().flat[-1] == shape[axis] - 1


@pytest.mark.parametrize(("shape", "axes"), [((3, 300), (1,)), ((300, 5), (0,)), ((70, 300), (0,)), ((200000,), (0,))])
def test_fused_reductions_nan_and_types(shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(-9, 9, shape)
    whole = lamina.tensor(x)
    np.testing.assert_array_equal((whole * whole).sum(axes).numpy(), (x * x).sum(axes))
    np.testing.assert_array_equal((whole + 1).amax(axes).numpy(), (x + 1).max(axes))
    real = x.astype(np.float64)
    real.flat[-1] = np.nan
    doubled = lamina.tensor(real) * 2
    for result in (doubled.sum(axes), doubled.amax(axes), doubled.amin(axes)):
        assert np.isnan(result.numpy().flat[-1])


def test_fused_reductions_large_sum() -> None:
    x = np.random.default_rng(3).random(10**7, dtype=np.float32)
    exact = x.sum(dtype=np.float64)
    for total in (lamina.tensor(x).sum(), (lamina.tensor(x) * 1).sum()):
        assert abs(total.item() - exact) <= 1e-6 * exact


def test_results_larger_than_caches() -> None:
    x = np.arange((1 << 25) + 5, dtype=np.float32)
    y = lamina.from_numpy(x) * 2
    total = y.amax()
    assert total.item() == 2 * x[-1]
    assert np.array_equal(y.numpy(), x * 2)


@pytest.mark.parametrize("shape", list(itertools.product((0, 2), repeat=4)))
def test_sums_of_nothing_over_axes_with_others_between(shape: tuple[int, ...]) -> None:
    array = np.ones(shape, np.float32)
    for dims in ((0, 2), (1, 3), (0, 3), (0, 1, 3)):
        x = lamina.tensor(array)
        np.testing.assert_array_equal(x.sum(dims).numpy(), array.sum(dims))
        np.testing.assert_array_equal((x * 2).sum(dims).numpy(), 2 * array.sum(dims))


@pytest.mark.parametrize("columns", [512, 513, 2100])
def test_sums_read_what_a_result_could_take_over(columns: int) -> None:
    array = np.random.default_rng(4).random((3, columns))
    x = lamina.tensor(array)
    x.numpy()
    doubled = x * 2
    products, squares = (doubled * x).sum(1), (doubled * doubled).sum(1)
    del x
    np.testing.assert_allclose(products.numpy(), 2 * (array * array).sum(1), rtol=1e-12)
    np.testing.assert_allclose(squares.numpy(), 4 * (array * array).sum(1), rtol=1e-12)
    np.testing.assert_array_equal(doubled.numpy(), 2 * array)
