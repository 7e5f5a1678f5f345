"""The gradient of what several slices show: whatever overlaps, however often it is differentiated, whoever looks."""

import numpy as np
import pytest

import lamina


def windows(x: lamina.Tensor) -> lamina.Tensor:
    """Of all kinds of slices of a (5, 6): rows, columns, steps, overlaps, the same twice, all of it, turned round."""
    parts = [x[1:3], x[0], x[:, 2:5] ** 2, x[::2, ::3], x[2:5].sin(), x[1:3] * 3, x.flip(0) * x, x[4:5, 1:1]]
    return sum(((k + 1) * part.exp().sum() for k, part in enumerate(parts)), lamina.zeros((), dtype=x.dtype))


def test_any_order_of_derivatives() -> None:
    lamina.manual_seed(0)
    x = lamina.randn(5, 6, dtype=lamina.float64, requires_grad=True)
    assert lamina.autograd.gradcheck(lambda x: windows(x * 1.5), (x,))
    assert lamina.autograd.gradgradcheck(lambda x: windows(x * 1.5), (x,))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "float16"])
def test_each_row_by_itself(dtype: str) -> None:
    x = lamina.ones(4, 3, dtype=getattr(lamina, dtype), requires_grad=True)
    y = x * 2
    sum((k * y[k] for k in range(4)), lamina.zeros(3, dtype=x.dtype)).sum().abs().backward()
    expected = np.repeat(2 * np.arange(4.0), 3).reshape(4, 3)
    np.testing.assert_array_equal(x.grad.numpy(), expected.astype(dtype))


def test_hooks_see_whole_gradients() -> None:
    x = lamina.ones(4, requires_grad=True)
    y = x * 2
    y.retain_grad()
    seen = []
    first, last = y[:2], y[2:]
    first.register_hook(lambda g: seen.append(g.tolist()))
    last.grad_fn.register_hook(lambda inputs, outputs: seen.append([g.tolist() for g in inputs]))
    (first * 3 + last * 5).sum().backward()
    assert sorted(seen, key=str) == [[3.0, 3.0], [[0.0, 0.0, 5.0, 5.0]]]
    assert y.grad.tolist() == [3.0, 3.0, 5.0, 5.0]
    assert x.grad.tolist() == [6.0, 6.0, 10.0, 10.0]


def test_a_shared_gradient_is_not_written_to() -> None:
    a, b = lamina.ones(6, requires_grad=True), lamina.ones(6, requires_grad=True)
    y, z = a * 1, b * 1
    (y[1:3].sum() * 10 + (y + z).square().sum()).backward()  # the sum's gradient is one value for both
    assert b.grad.tolist() == [4.0] * 6
    assert a.grad.tolist() == [4.0, 14.0, 14.0, 4.0, 4.0, 4.0]


def test_steps_of_a_loop_take_no_longer_for_a_longer_sequence() -> None:
    """A step's gradient is put in its place, where once all of a sequence was filled with zeros and added for each."""
    x = lamina.ones(64, 8, requires_grad=True)
    y = x * 2
    sum((y[t] * t for t in range(64)), lamina.zeros(8)).sum().backward()
    plan = str(lamina.plan())
    assert "elementwise [64, 8]: add" not in plan
    np.testing.assert_array_equal(x.grad.numpy()[:, 0], 2 * np.arange(64.0))
