"""Layer norm and its gradients, which a plan makes in one step each: whatever is seen, kept, shared or added up."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import lamina
from lamina import nn
from lamina.nn import functional as F

Array = NDArray[np.float64]
EPS = 1e-5
SHAPES = [(5,), (1, 5), (7, 3), (8, 64), (9, 64), (3, 5, 17), (130, 33), (1025, 48), (2, 700), (0, 4), (20, 16384)]


class Expected:
    """Layer norm of x in float64, and what comes back from g."""

    def __init__(self, x: Array, weight: Array, bias: Array, g: Array) -> None:
        axes = tuple(range(x.ndim - 1))
        centered = x - x.mean(-1, keepdims=True)
        scale = 1 / np.sqrt((centered**2).mean(-1, keepdims=True) + EPS)
        rows, scaled = centered * scale, g * weight
        along = rows * (scaled * rows).mean(-1, keepdims=True)
        self.y = rows * weight + bias
        self.x = scale * (scaled - scaled.mean(-1, keepdims=True) - along)
        self.weight, self.bias = (g * rows).sum(axes), g.sum(axes)


def numbers(shape: tuple[int, ...], dtype: type) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(sum(shape))
    x, g = rng.standard_normal((2, *shape)).astype(dtype)
    weight, bias = rng.standard_normal((2, shape[-1])).astype(dtype)
    return x + 2, weight, bias, g


def assert_near(got: lamina.Tensor | None, expected: Array, factor: float = 1) -> None:
    assert got is not None
    tolerance = factor * (2e-5 if got.dtype == lamina.float32 else 1e-12) * (1 + np.abs(expected).max(initial=0))
    np.testing.assert_allclose(got.detach().numpy(), factor * expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("times", [1, 2], ids=["once", "added up"])
@pytest.mark.parametrize("seen", [False, True], ids=["as a whole", "forward seen first"])
def test_forward_and_gradients(shape: tuple[int, ...], dtype: type, times: int, seen: bool) -> None:
    arrays = numbers(shape, dtype)
    x, weight, bias = (lamina.tensor(array, requires_grad=True) for array in arrays[:3])
    expected = Expected(*(array.astype(np.float64) for array in arrays))
    for _ in range(times):
        y = F.layer_norm(x * 1, shape[-1:], weight, bias, EPS)
        if seen:
            assert_near(y, expected.y)
        y.backward(lamina.tensor(arrays[3]))
    assert_near(y, expected.y)
    for tensor, gradient in ((x, expected.x), (weight, expected.weight), (bias, expected.bias)):
        assert_near(tensor.grad, gradient, times)


def test_a_weight_or_input_that_needs_no_gradient() -> None:
    arrays = numbers((40, 6), np.float64)
    expected = Expected(*arrays)
    for needing in range(8):
        tensors = [lamina.tensor(array, requires_grad=bool(needing >> i & 1)) for i, array in enumerate(arrays[:3])]
        y = F.layer_norm(tensors[0], (6,), *tensors[1:])
        if needing:
            y.backward(lamina.tensor(arrays[3]))
        for tensor, gradient in zip(tensors, (expected.x, expected.weight, expected.bias), strict=True):
            if tensor.requires_grad:
                assert_near(tensor.grad, gradient)
            else:
                assert tensor.grad is None


def test_one_layer_for_several_inputs() -> None:
    norm = nn.LayerNorm(6, dtype=lamina.float64)
    arrays = [numbers((rows, 6), np.float64) for rows in (3, 40, 3)]
    total = sum((norm(lamina.tensor(x)) * lamina.tensor(g)).sum() for x, _, _, g in arrays)
    assert isinstance(total, lamina.Tensor)
    total.backward()
    expected = [Expected(x, np.ones(6), np.zeros(6), g) for x, _, _, g in arrays]
    assert_near(norm.weight.grad, sum(one.weight for one in expected))
    assert_near(norm.bias.grad, sum(one.bias for one in expected))


def test_a_weight_that_is_computed() -> None:
    arrays = numbers((30, 6), np.float64)
    x, w, bias = (lamina.tensor(array, requires_grad=True) for array in arrays[:3])
    F.layer_norm(x, (6,), w * 2, bias).backward(lamina.tensor(arrays[3]))
    expected = Expected(arrays[0], arrays[1] * 2, *arrays[2:])
    assert_near(x.grad, expected.x)
    assert_near(w.grad, 2 * expected.weight)


def test_an_update_in_place_between_forward_and_backward_is_noticed() -> None:
    norm, x = nn.LayerNorm(4), lamina.ones(3, 4, requires_grad=True)
    y = norm(x * 1)
    with lamina.no_grad():
        norm.weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize("shape", [(8, 64), (384, 256), (1000, 33), (4099, 40)], ids=str)
def test_the_same_bits_by_any_number_of_threads(shape: tuple[int, ...]) -> None:
    def gradients() -> list[bytes]:
        x, weight, bias, g = (lamina.tensor(array, requires_grad=True) for array in numbers(shape, np.float32))
        y = F.layer_norm(x, shape[-1:], weight, bias)
        found = lamina.autograd.grad(y, (x, weight, bias), g)
        return [tensor.detach().numpy().tobytes() for tensor in (y, *found)]

    before = lamina.get_num_threads()
    try:
        lamina.set_num_threads(1)
        expected = gradients()
        for threads in (2, 3, 4, 7):
            lamina.set_num_threads(threads)
            assert gradients() == expected, threads
    finally:
        lamina.set_num_threads(before)


def test_the_plan_has_a_step_for_each_direction() -> None:
    net = nn.Sequential(nn.Linear(16, 32), nn.LayerNorm(32), nn.Linear(32, 8))
    x, g = lamina.randn(64, 16), lamina.randn(64, 8)
    for tensor in (*net.parameters(), x, g):
        tensor.detach().numpy()  # so that the plan has no random numbers
    net(x).backward(g)
    plan = lamina.plan()
    assert "standardize 64x32, scaled and shifted" in plan
    assert "standardize_input 64x32, scaled, with the gradients of the scale or shift" in plan
    assert "elementwise" not in plan
