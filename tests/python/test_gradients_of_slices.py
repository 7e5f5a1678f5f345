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


@pytest.mark.parametrize("tied", [False, True])
def test_rows_that_every_step_reads_are_added_to_one_gradient(tied: bool) -> None:
    """Once a matrix was filled with zeros, and added, for each step. Tied: it is read as a whole, too."""
    lamina.manual_seed(0)
    table, words = lamina.randn(50, 8, requires_grad=True), lamina.randint(0, 50, (4, 6))
    state = lamina.zeros(4, 8)
    for t in range(6):
        state = (state + lamina.nn.functional.embedding(words[:, t], table)).tanh()
    (state @ table.T if tied else state).square().sum().backward()
    plan = str(lamina.plan())
    assert "elementwise [50, 8]: add" not in plan
    assert plan.count("put_rows 4x8") == 6
    twin = table.detach().double().requires_grad_()
    state = lamina.zeros(4, 8, dtype=lamina.float64)
    for t in range(6):
        state = (state + lamina.nn.functional.one_hot(words[:, t], 50).double() @ twin).tanh()
    (state @ twin.T if tied else state).square().sum().backward()
    np.testing.assert_allclose(table.grad.numpy(), twin.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_rows_and_slices_of_one_value() -> None:
    def mixed(x: lamina.Tensor, order: list[int]) -> lamina.Tensor:
        y, index = x * 2, lamina.tensor([3, 0, 3])
        terms = [
            lambda: y[index].exp(),
            lambda: y[1:3].sin(),
            lambda: y[index[:2]] ** 2,
            lambda: y.cos(),
            lambda: y[:2],
        ]
        return sum((terms[k]().sum() * (k + 1) for k in order), lamina.zeros((), dtype=x.dtype))

    x = lamina.arange(8.0, dtype=lamina.float64).reshape(4, 2).div(8).requires_grad_()
    for order in ([0, 1], [1, 0, 2], [3, 0, 1, 2], [0, 3, 1, 4], [4, 1, 2, 3, 0]):
        assert lamina.autograd.gradcheck(lambda x, order=order: mixed(x, order), (x,))
        assert lamina.autograd.gradgradcheck(lambda x, order=order: mixed(x, order), (x,))


def test_pieces_that_cover_all_are_joined() -> None:
    x = lamina.ones(2, 6, requires_grad=True)
    y = x * 2
    (y[:, :2].sum() + (y[:, 5:] * 3).sum() + (y[:, 2:5] * 2).sum()).backward()
    assert "slice_update" not in str(lamina.plan())
    assert x.grad.tolist() == [[2.0, 2.0, 4.0, 4.0, 4.0, 6.0]] * 2
