"""Differences, signal windows, scatters that combine, joint histograms: what the tables of samples do not show."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lamina


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: lamina.gradient(x, edge_order=3), "edge_order=1 and edge_order=2"),
        (lambda x: lamina.gradient(x, spacing=[1.0]), r"length equal to 'self.dim\(\) = 2'"),
        (lambda x: lamina.gradient(x, spacing=[1.0], dim=(0, 1)), "to have the same length"),
        (lambda x: lamina.gradient(x[:1]), r"at least edge_order\+1"),
        (lambda x: lamina.gradient(x, dim=(0, -2)), "repeated dim"),
        (lambda x: lamina.trapezoid(x, x[0, :2]), "one `x` value for each sample point"),
        (lambda x: lamina.cumulative_trapezoid(x, x[0, :2]), "one `x` value for each sample point"),
        (lambda x: x.diff(prepend=x[0]), "same dimension as input"),
        (lambda x: x.diff(append=x[:1]), r"input.size\(0\) = 2, but got tensor.size\(0\) = 1"),
        (lambda x: x.scatter(0, lamina.tensor([[0]]), 1.0, reduce="mean"), "either add or multiply"),
        (lambda x: lamina.hann_window(-1), "non-negative window_length"),
        (lambda x: lamina.hann_window(3, dtype=lamina.int64), "floating point dtypes"),
    ],
)
def test_what_is_refused_of_differences_scatters_and_windows(call: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        call(lamina.ones(2, 3))


def test_scatter_in_place_combines() -> None:
    x = lamina.tensor([1, 2, 3])
    assert x.scatter_(0, lamina.tensor([0, 0]), lamina.tensor([5, 6]), reduce="add") is x
    assert x.tolist() == [12, 2, 3]
    assert x.scatter_(0, lamina.tensor([2, 2]), value=2, reduce="multiply").tolist() == [12, 2, 12]


@pytest.mark.parametrize("dtype", [lamina.float64, lamina.float32])
@pytest.mark.parametrize(
    ("name", "reference", "more"),
    [
        ("bartlett", np.bartlett, ()),
        ("blackman", np.blackman, ()),
        ("hamming", np.hamming, ()),
        ("hann", np.hanning, ()),
        ("kaiser", np.kaiser, (12.0,)),
    ],
)
def test_windows(name: str, reference: Any, more: tuple[float, ...], dtype: Any) -> None:
    window = getattr(lamina, f"{name}_window")
    tolerance = 1e-12 if dtype == lamina.float64 else 1e-6
    for length in (5, 6):
        periodic, symmetric = window(length, dtype=dtype), window(length, False, dtype=dtype)
        assert periodic.dtype == symmetric.dtype == dtype
        np.testing.assert_allclose(symmetric.numpy(), reference(length, *more), tolerance, tolerance)
        # A periodic window is the symmetric one of a place more.
        np.testing.assert_allclose(periodic.numpy(), reference(length + 1, *more)[:-1], tolerance, tolerance)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient_at_uneven_places(edge_order: int) -> None:
    numbers, places = np.random.default_rng(0).uniform(-1, 1, (3, 5)), np.array([0.0, 1.0, 3.0, 3.5, 5.0])
    (slope,) = lamina.gradient(lamina.tensor(numbers), spacing=[lamina.tensor(places)], dim=1, edge_order=edge_order)
    np.testing.assert_allclose(slope.numpy(), np.gradient(numbers, places, axis=1, edge_order=edge_order), 1e-12)


def test_short_windows() -> None:
    assert lamina.kaiser_window(0).shape == (0,)
    assert lamina.hann_window(1, requires_grad=True).tolist() == [1.0]
    assert lamina.hamming_window(5, True, 0.5, 0.4, dtype=lamina.float16).dtype == lamina.float16
    assert lamina.hann_window(2).tolist() == [0.0, 1.0]


def test_what_a_tensor_is() -> None:
    x = lamina.ones(2, 3)
    assert not lamina.is_complex(x)
    assert lamina.isreal(x).all()
    assert lamina.get_device(x) == -1
    assert lamina.is_signed(x)
    assert not lamina.is_signed(x.bool())
    assert not lamina.is_signed(x.byte())
    assert lamina.is_same_size(x, x + 1)
    assert not x.is_same_size(x.t())
    assert lamina.tensor([2]).is_nonzero()
    with pytest.raises(RuntimeError, match="ambiguous"):
        x.is_nonzero()
    assert lamina.angle(lamina.tensor([-3, 0])).tolist() == pytest.approx([math.pi, 0])


@pytest.mark.parametrize("density", [False, True])
def test_joint_histogram(density: bool) -> None:
    rng = np.random.default_rng(0)
    points, weight = rng.uniform(-2, 2, (40, 2, 3)), rng.uniform(0, 1, (40, 2))
    points[0, 0, 0] = math.nan
    edges = [np.array([-1.0, 0.0, 0.25, 2.0]), np.array([-2.0, 2.0]), np.array([0.0, 1.0, 2.0])]
    flat, kept = points.reshape(-1, 3)[1:], weight.reshape(-1)[1:]
    result = lamina.histogramdd(
        lamina.tensor(points), [lamina.tensor(e) for e in edges], weight=lamina.tensor(weight), density=density
    )
    np.testing.assert_allclose(result.hist.numpy(), np.histogramdd(flat, edges, weights=kept, density=density)[0])
    assert [edge.numel() for edge in result.bin_edges] == [4, 2, 3]
    by_count = lamina.histogramdd(lamina.tensor(flat), [2, 1, 3], range=[-1, 1, -2, 2, 0.0, 2.0])
    wanted, _ = np.histogramdd(flat, [2, 1, 3], range=[(-1, 1), (-2, 2), (0, 2)])
    assert by_count.hist.tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: lamina.histogramdd(x[0], 2), "at least 2 dimensions"),
        (lambda x: lamina.histogramdd(x, [2]), "innermost dimension of the input"),
        (lambda x: lamina.histogramdd(x, 2, weight=lamina.ones(3)), "excluding its innermost dimension"),
        (lambda x: lamina.histogramdd(x, 2, range=[0, 1]), "range should have 6 elements, but got 2"),
        (lambda x: lamina.histogramdd(x, 0), "bins must be > 0"),
        (lambda x: lamina.histogram(x, x), "should have one dimension"),
        (lambda x: lamina.histogram(x, x[0, :0]), "at least 1 element"),
        (lambda x: lamina.histogram(x, 2, range=(1, 0)), "min should not exceed max"),
        (
            lambda x: lamina.histogram(x, 1, out=(lamina.ones(1).double(), lamina.ones(2))),
            "input tensor and hist tensor should have the same dtype",
        ),
    ],
)
def test_what_is_refused_of_histograms(call: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        call(lamina.ones(2, 3))
