"""The order of sort and topk: stable, NaN as the largest number, -0.0 as 0.0; by comparing, counting and selecting."""

from __future__ import annotations

import numpy as np
import pytest

import lamina

LENGTHS = (1, 5, 64, 67, 255, 256, 257, 1000, 5000)


def _order(x: np.ndarray, descending: bool) -> np.ndarray:
    if descending:
        return np.flip(x.shape[-1] - 1 - np.argsort(np.flip(x, -1), axis=-1, kind="stable"), -1)
    return np.argsort(x, axis=-1, kind="stable")


def _rows(kind: str, dtype: str, n: int) -> np.ndarray:
    random = np.random.default_rng(n)
    x = random.standard_normal((3, n)) * 100
    if kind == "ties":
        return (np.abs(x / 50) if dtype == "uint8" else x / 50).astype(dtype)
    if kind == "zeros":
        x = np.where(random.random((3, n)) < 0.5, 0.0, -0.0)
    if kind == "specials":
        for value in (np.nan, -np.nan, np.inf, -np.inf):
            x[random.random((3, n)) < 0.1] = value
    return x.astype(dtype)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(kind, dtype) for kind in ("plain", "ties", "zeros", "specials") for dtype in ("float16", "float32", "float64")]
    + [("ties", dtype) for dtype in ("uint8", "int8", "int16", "int32", "int64")],
)
def test_sorting_order(kind: str, dtype: str, descending: bool) -> None:
    for n in LENGTHS:
        x = _rows(kind, dtype, n)
        order = _order(x, descending)
        np.testing.assert_array_equal(lamina.tensor(x).argsort(-1, descending).numpy(), order)
        for k in {1, 2, n // 10, n // 4, n // 2, n} - {0}:
            if k <= n:
                values, indices = lamina.tensor(x).topk(k, -1, descending)
                np.testing.assert_array_equal(indices.numpy(), order[:, :k])
                np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, order[:, :k], -1))


def test_topk_sorted_rows() -> None:
    """Every block of an ascending row holds something larger, of a descending one nothing."""
    x = lamina.arange(4096.0)
    assert x.topk(3).indices.tolist() == [4095, 4094, 4093]
    assert x.topk(3, largest=False).indices.tolist() == [0, 1, 2]
    assert x.flip(0).topk(3).indices.tolist() == [0, 1, 2]


def test_topk_plan_selects() -> None:
    """No full order lies in memory."""
    chosen = lamina.rand(4, 1000).topk(5, -1).indices
    assert "argsort 4x1000" in str(chosen.plan())
    chosen.numpy()
    assert chosen.shape == (4, 5)


def test_topk_vmap() -> None:
    x = lamina.rand(3, 4, 100)
    found = lamina.func.vmap(lambda row: row.topk(5, -1).indices)(x)
    np.testing.assert_array_equal(found.numpy(), x.topk(5, -1).indices.numpy())


def test_scatter_reduce_extremes_share_their_gradient() -> None:
    """PyTorch's numbers: among all that are equal to what a place gets, its own one, too."""
    base = lamina.tensor([1.0, 5.0, 2.0], requires_grad=True)
    source = lamina.tensor([4.0, 4.0, 5.0, 1.0, np.nan], requires_grad=True)
    index = lamina.tensor([0, 0, 1, 1, 2])
    found = base.scatter_reduce(0, index, source, "amax")
    assert found.tolist()[:2] == [4, 5]
    assert np.isnan(found.tolist()[2])
    (found[:2] * lamina.tensor([1.0, 10.0])).sum().backward()
    assert base.grad is not None
    assert source.grad is not None
    assert base.grad.tolist()[:2] == [0, 5]
    assert source.grad.tolist()[:4] == [0.5, 0.5, 5, 0]
    least = base.detach().scatter_reduce(0, index, source.detach(), "amin", include_self=False)
    assert least.tolist()[:2] == [4, 1]
    assert np.isnan(least.tolist()[2])


def test_scatter_reduce_of_many_for_one_place() -> None:
    """Not one round for each of them."""
    many = lamina.arange(100_000) % 1000
    index = lamina.zeros(100_000, dtype=lamina.int64)
    assert lamina.zeros(2, dtype=lamina.int64).scatter_reduce(0, index, many, "amax").tolist() == [999, 0]


def test_quantile_along_an_axis_that_a_tensor_names() -> None:
    x = lamina.arange(6.0).reshape(2, 3)
    assert lamina.quantile(x, 0.5, lamina.tensor(1)).tolist() == [1.0, 4.0]


def test_quantiles_are_at_numbers_or_tensors_of_them() -> None:
    for function in (lamina.quantile, lamina.nanquantile):
        with pytest.raises(TypeError, match=r"argument 'q' \(position 2\) must be Tensor or float, not list"):
            function(lamina.arange(4.0), [0.5])
