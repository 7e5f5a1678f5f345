"""Activation functions at NaN, infinities and empty tensors, their slopes at and beside corners, in-place forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import lamina
from lamina.nn import functional as F

nan, inf = float("nan"), float("inf")

ELEMENTWISE = [
    "relu", "relu6", "hardtanh", "hardsigmoid", "hardswish", "leaky_relu", "elu", "selu", "celu", "silu", "mish",
    "gelu", "softplus", "logsigmoid", "softsign", "tanhshrink", "hardshrink", "softshrink", "sigmoid", "tanh",
]  # fmt: skip
INPLACE = ["relu", "relu6", "hardtanh", "hardsigmoid", "hardswish", "leaky_relu", "elu", "selu", "celu", "silu", "mish"]
# What PyTorch gives as the slope at -3, 0 and 3, where some of these have a corner.
SLOPES = {
    "relu": (0, 0, 1),
    "relu6": (0, 0, 1),
    "hardtanh": (0, 1, 0),
    "hardsigmoid": (0, 1 / 6, 0),
    "hardswish": (0, 0.5, 1),
    "leaky_relu": (0.01, 0.01, 1),
    "elu": (float(np.exp(-3)), 1, 1),
    "logsigmoid": (0.95257413, 0.5, 0.04742587),
    "hardshrink": (1, 0, 1),
    "softshrink": (1, 0, 1),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_activation_edges(name: str) -> None:
    """NaN stays NaN, an empty tensor stays empty, a 0-d tensor 0-d, and infinities do not spoil their neighbors."""
    function = getattr(F, name)
    assert np.isnan(function(lamina.tensor([nan])).numpy()).all()
    assert tuple(function(lamina.zeros(2, 0)).shape) == (2, 0)
    assert function(lamina.tensor(0.5)).ndim == 0
    x = lamina.tensor([-inf, inf, 0.5, -200.0, 200.0], requires_grad=True)
    y = function(x)
    y[2:].sum().backward()
    assert np.isfinite(y.detach().numpy()[2:]).all()
    assert np.isfinite(x.grad.numpy()[2:]).all()


@pytest.mark.parametrize("name", SLOPES)
def test_activation_slopes_at_corners(name: str) -> None:
    x = lamina.tensor([-3.0, 0.0, 3.0], requires_grad=True)
    getattr(F, name)(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), SLOPES[name], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("relu", -1), ("relu6", 7), ("hardtanh", 2), ("hardsigmoid", 4), ("hardswish", -3), ("hardswish", -4),
        ("hardshrink", 0.3), ("softshrink", 0.3), ("softshrink", 0.5), ("threshold", -1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("coming", [inf, -inf, nan])
def test_nothing_comes_through_where_an_activation_is_flat(name: str, at: float, coming: float) -> None:
    """As from a square root at 0: infinity times the slope would be NaN."""
    x = lamina.tensor([at, at], dtype=lamina.float64, requires_grad=True)
    y = F.threshold(x, 0.0, 0.0) if name == "threshold" else getattr(F, name)(x)
    y.backward(lamina.tensor([coming, 1.0], dtype=lamina.float64))
    assert x.grad.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("name", "at", "slope"),
    [
        ("hardswish", 2.9999998, 1.5),
        ("hardswish", -2.9999998, -0.5),
        ("hardswish", nan, 1),
        ("hardsigmoid", nan, 0),
        ("elu", nan, 1),
        ("celu", nan, 1),
        ("selu", nan, 1.0507010),
    ],
)
def test_activation_slopes_beside_corners_and_at_nan(name: str, at: float, slope: float) -> None:
    x = lamina.tensor(at, requires_grad=True)
    getattr(F, name)(x).backward()
    assert x.grad.item() == pytest.approx(slope, abs=1e-6)


def test_mish_of_large_numbers_is_the_number() -> None:
    for dtype in (lamina.float32, lamina.float64):
        x = lamina.tensor([19.0, 20.0, 25.0, 90.0, 1e30], dtype=dtype, requires_grad=True)
        y = F.mish(x)
        np.testing.assert_allclose(y.detach().numpy(), x.detach().numpy(), rtol=1e-15 if dtype == lamina.float64 else 0)
        y.sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), 1, atol=1e-6 if dtype == lamina.float32 else 1e-14)


@pytest.mark.parametrize("name", INPLACE)
def test_activation_inplace(name: str) -> None:
    function = getattr(F, name)
    leaf = lamina.tensor([-2.0, -0.3, 0.4, 2.5], requires_grad=True)
    expected = function(leaf)
    expected.sum().backward()
    gradient, leaf.grad = leaf.grad, None
    x = leaf * 1
    assert function(x, inplace=True) is x
    np.testing.assert_array_equal(x.detach().numpy(), expected.detach().numpy())
    x.sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), gradient.numpy(), rtol=1e-6)
    with pytest.raises(RuntimeError, match="leaf"):
        function(leaf, inplace=True)


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda x: x.clamp(0, 1), 0.0),
        (lambda x: x.clamp(min=0), 0.0),
        (lambda x: x.clamp(max=1), 0.0),
        (lambda x: x.clamp(lamina.zeros(2), lamina.ones(2)), 0.0),
        (lambda x: F.margin_ranking_loss(x, lamina.zeros(2), lamina.ones(2), reduction="sum"), 0.0),
        (F.hardtanh, 1.0),
        (F.relu6, 1.0),
        (F.softshrink, 1.0),
        (F.hardshrink, 1.0),
        (F.relu, 1.0),
        (F.hardsigmoid, 0.0),
        (F.hardswish, 1.0),
    ],
)
def test_slopes_at_nan_are_those_of_one_side(function: Callable[[lamina.Tensor], lamina.Tensor], slope: float) -> None:
    x = lamina.tensor([nan, nan], requires_grad=True)
    result = function(x)
    assert result.isnan().all()
    result.sum().backward()
    assert x.grad.tolist() == [slope] * 2


def test_clamp_at_bounds_that_are_nan_has_no_slope() -> None:
    x, low, high = (lamina.tensor([n, 2.0], requires_grad=True) for n in (1.0, nan, nan))
    lamina.clamp(x, low, high).sum().backward()
    assert [t.grad.tolist() for t in (x, low, high)] == [[0, 1], [0, 0], [0, 0]]
    assert lamina.clamp(lamina.tensor([-0.0], requires_grad=True), min=0.0).signbit().item()
