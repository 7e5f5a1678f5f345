"""Parts that are made where they belong, and sums of products that run as one: the numbers are those of NumPy."""

import numpy as np
import pytest

import lamina
from lamina import nn


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shape", [(2, 3, 5), (3, 2, 200), (2, 40, 33), (1, 3, 1500), (4, 1, 1), (2, 0, 3)])
def test_elementwise_parts(shape: tuple[int, ...], axis: int, dtype: str) -> None:
    x = (np.arange(np.prod(shape)).reshape(shape) % 7).astype(dtype)
    t = lamina.tensor(x)
    parts = [t != 3, t > 2, t == 0] if dtype == "bool" else [t + 1, t * t, -t]
    expected = [x != 3, x > 2, x == 0] if dtype == "bool" else [x + 1, x * x, -x]
    np.testing.assert_array_equal(lamina.cat(parts, axis).numpy(), np.concatenate(expected, axis))


@pytest.mark.parametrize("axis", [0, 1])
def test_parts_that_are_read_again(axis: int) -> None:
    x = np.random.default_rng(0).normal(size=(6, 150)).astype("float32")
    t = lamina.tensor(x)
    a, b = t + 1, t @ t.T @ t
    whole = lamina.cat([a, b, a * b], axis)
    again = (whole.narrow(axis, 0, x.shape[axis]) - a).abs().max() + (whole * 2).sum()
    expected = np.concatenate([x + 1, x @ x.T @ x, (x + 1) * (x @ x.T @ x)], axis)
    np.testing.assert_allclose(whole.numpy(), expected, rtol=2e-5, atol=1e-4)
    np.testing.assert_allclose(again.item(), (expected * 2).sum(dtype="float64"), rtol=1e-4)


def gradient_of_steps(rows: int, steps: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """The gradients of a weight that serves every step, and of what the steps begin with."""
    rng = np.random.default_rng(1)
    weight = lamina.tensor(rng.normal(size=(48, 48)).astype("float32") / 7, requires_grad=True)
    state = start = lamina.tensor(rng.normal(size=(rows, 48)).astype("float32"), requires_grad=True)
    lamina.set_num_threads(threads)
    outputs = []
    for _ in range(steps):
        state = nn.functional.linear(state, weight).tanh()
        first, second = state.chunk(2, -1)
        outputs.append(first * second.sigmoid())
    lamina.stack(outputs).sum().backward()
    return weight.grad.numpy(), start.grad.numpy()


@pytest.mark.parametrize(("rows", "steps"), [(1, 3), (1, 20), (5, 12), (16, 9), (130, 4)])
def test_a_weight_of_every_step(rows: int, steps: int) -> None:
    before = lamina.get_num_threads()
    try:
        one, two = gradient_of_steps(rows, steps, 1), gradient_of_steps(rows, steps, 2)
    finally:
        lamina.set_num_threads(before)
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a, b)

    rng = np.random.default_rng(1)
    weight = rng.normal(size=(48, 48)).astype("float32").astype("float64") / 7
    state = rng.normal(size=(rows, 48)).astype("float32").astype("float64")
    states = [state]
    for _ in range(steps):
        states.append(np.tanh(states[-1] @ weight.T))
    into_weight, into_state = np.zeros((48, 48)), np.zeros((rows, 48))
    for before_it, after in zip(states[-2::-1], states[:0:-1]):
        first, gate = after[:, :24], 1 / (1 + np.exp(-after[:, 24:]))
        into_state = into_state + np.concatenate([gate, first * gate * (1 - gate)], 1)
        into_product = into_state * (1 - after * after)
        into_weight += into_product.T @ before_it
        into_state = into_product @ weight
    np.testing.assert_allclose(one[0], into_weight, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(one[1], into_state, rtol=1e-4, atol=1e-4)


def test_slices_of_a_part_and_what_it_is_part_of_differ_in_memory() -> None:
    x = lamina.arange(12.0).reshape(3, 4)
    part = x + 0.5
    whole = lamina.cat([part, x * 2], 1)
    part.add_(1)
    np.testing.assert_array_equal(whole[:, :4].numpy(), np.arange(12.0).reshape(3, 4) + 0.5)
    np.testing.assert_array_equal(part.numpy(), np.arange(12.0).reshape(3, 4) + 1.5)
