"""In-place forms: what they write, what they refuse, and the version counters that guard gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina

from op_samples import OPS, Op, draw, to_numpy, to_tensor

MODIFIED = "one of the variables needed for gradient computation has been modified by an inplace operation"

INPLACE = [op for op in OPS if op.inplace and op.call is None]


@pytest.mark.parametrize("op", INPLACE, ids=lambda op: op.name)
def test_inplace_form(op: Op) -> None:
    """`x.op_(...)` gives x the numbers of `op(x, ...)`, keeps x's dtype and returns x itself."""
    rng = np.random.default_rng(1)
    dtype = "float32" if "float32" in op.dtypes else op.dtypes[0]
    item = op.cases[0]
    arrays = draw(rng, op, item, dtype)
    plain = op.invoke(tuple(map(to_tensor, arrays)), item)[0]
    operands = tuple(map(to_tensor, arrays))
    returned = op.invoke(operands, item, getattr(lamina.Tensor, op.name + "_"))[0]
    assert returned is operands[0]
    assert operands[0].dtype == getattr(lamina, dtype)
    np.testing.assert_array_equal(to_numpy(operands[0]), to_numpy(plain).astype(dtype))


@pytest.mark.parametrize("op", [op for op in INPLACE if op.differentiable], ids=lambda op: op.name)
def test_inplace_form_has_the_same_gradient(op: Op) -> None:
    rng = np.random.default_rng(2)
    item = op.cases[0]
    arrays = draw(rng, op, item, "float64", smooth=True)
    gradients = []
    for function in (None, getattr(lamina.Tensor, op.name + "_")):
        leaves = [to_tensor(a, requires_grad=True) for a in arrays]
        result = op.invoke((leaves[0].clone(), *leaves[1:]), item, function)[0]
        (result * result).sum().backward()
        gradients.append([leaf.grad for leaf in leaves])
    for plain, inplace in zip(*gradients, strict=True):
        np.testing.assert_allclose(to_numpy(inplace), to_numpy(plain), 1e-12, 1e-12)


def test_operators_write_in_place() -> None:
    x = lamina.tensor([1.0, 2.0, 3.0])
    same = x
    x += 1
    x *= 2
    x -= 1
    x /= 2
    x **= 2
    assert same is x
    assert x.tolist() == [2.25, 6.25, 12.25]
    x //= 2
    x %= 4
    assert same.tolist() == [1.0, 3.0, 2.0]
    mask = lamina.tensor([True, False])
    mask |= lamina.tensor([False, True])
    mask &= lamina.tensor([True, False])
    mask ^= lamina.tensor([True, True])
    assert mask.tolist() == [False, True]


def test_fills() -> None:
    x = lamina.empty(2, 2)
    assert x.fill_(3).tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert x.fill_(lamina.tensor(2.0)).sum().item() == 8
    assert x.zero_().sum().item() == 0
    assert x.copy_(lamina.tensor([1, 2])).tolist() == [[1.0, 2.0], [1.0, 2.0]]
    assert x.add_(1, alpha=2).tolist() == [[3.0, 4.0], [3.0, 4.0]]
    assert x.clamp_(max=3).tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert x.masked_fill_(x > 0, 5).sum().item() == 20


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.add_(1),
        lambda x: x.zero_(),
        lambda x: x.copy_(lamina.ones(3)),
        lambda x: x.__setitem__(0, 5),
        lambda x: x[1:].mul_(2),
        lambda x: x.view(3, 1).exp_(),
        lambda x: x.detach().add_(1),
        lambda x: x.uniform_(),
        lambda x: x.__setitem__(lamina.tensor([0]), 5),
    ],
    ids=["add_", "zero_", "copy_", "setitem", "view of part", "view", "detached", "uniform_", "index_put"],
)
def test_change_of_what_a_gradient_reads(change: Callable[[Any], Any]) -> None:
    x = lamina.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    with lamina.no_grad():
        change(y)
    with pytest.raises(RuntimeError, match=MODIFIED):
        z.sum().backward()
    assert x.grad is None
    # The tape is as good as before.
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0, 3.0]


@pytest.mark.parametrize(
    ("function", "reads_result"),
    [
        (lamina.exp, True),
        (lamina.sigmoid, True),
        (lamina.tanh, True),
        (lamina.sqrt, True),
        (lambda y: lamina.softmax(y, 0), True),
        (lamina.relu, True),
        (lamina.sin, False),
        (lambda y: y + 1, False),
        (lambda y: y * 2, False),
        (lambda y: y / 2, False),
        (lambda y: y / (y + 1), False),
        (lambda y: y**2, False),
        (lambda y: y @ y, False),
        (lambda y: y.log(), False),
        (lambda y: lamina.maximum(y, y + 1), False),
        (lambda y: y.clamp(0.6, 1.5), False),
        (lambda y: y.mean(), False),
        (lambda y: y.cumsum(0), False),
        (lambda y: lamina.where(y > 0, y, 2 * y), False),
        (lambda y: y.var(), False),
        (lamina.neg, False),
        (lambda y: y.sum(), False),
        (lambda y: y.view(3, 1).transpose(0, 1) * 1, False),
    ],
)
def test_change_of_a_result(function: Callable[[Any], Any], reads_result: bool) -> None:
    """Only those gradients that are computed from the result mind when it is changed."""
    x = lamina.tensor([0.5, 1.0, 2.0], requires_grad=True)
    z = function(x * 1)
    z.mul_(2)
    if reads_result:
        with pytest.raises(RuntimeError, match=MODIFIED):
            z.sum().backward()
    else:
        z.sum().backward()
        assert x.grad is not None


@pytest.mark.parametrize(
    "product",
    [
        lambda x, c: x * c,
        lambda x, c: x @ c,
        lambda x, c: x.view(1, 2) @ c.view(2, 1),
        lambda x, c: x / c,
        lambda x, c: (x.view(1, 2) * c).sum(),
        lambda x, c: lamina.nn.functional.linear(x, c.view(1, 2)),
    ],
)
@pytest.mark.parametrize("exposed", [False, True], ids=["own", "shared with NumPy"])
def test_change_of_a_constant_that_a_gradient_reads(product: Callable[[Any, Any], Any], exposed: bool) -> None:
    """A constant counts as much as what needs gradients itself, and so does one read through a view of it."""
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    c = lamina.tensor([3.0, -4.0])
    if exposed:
        c.numpy()
    y = product(x, c)
    c.abs_()
    with pytest.raises(RuntimeError, match=MODIFIED):
        y.sum().backward()


@pytest.mark.parametrize("name", ["sin_", "square_", "log_", "abs_", "exp_"])
def test_inplace_form_on_memory_shared_with_numpy(name: str) -> None:
    """The gradient of an in-place op reads the numbers it found, though their memory is written for all to see."""
    x = lamina.tensor([0.5, 1.5], requires_grad=True)
    y = x.clone()
    seen = y.detach().numpy()
    getattr(y, name)()
    y.sum().backward()
    wanted = lamina.tensor([0.5, 1.5], requires_grad=True)
    getattr(wanted, name[:-1])().sum().backward()
    assert lamina.allclose(x.grad, wanted.grad)
    np.testing.assert_array_equal(seen, y.detach().numpy())


def test_change_of_a_result_shared_with_numpy() -> None:
    """Where memory is written in place for all to see, no gradient may read it afterwards."""
    x = lamina.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
    y = x.softmax(0)
    y.detach().numpy()
    y.exp_()
    with pytest.raises(RuntimeError, match=MODIFIED):
        y.sum().backward()


@pytest.mark.parametrize("alias", [lambda x: x.detach(), lambda x: x.data, lambda x: x.detach()[:2]])
def test_detached_alias_joins_the_graph_when_written(alias: Callable[[Any], Any]) -> None:
    """What is written into a detached alias can be differentiated through the alias, and the base sees the numbers."""
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    w = lamina.tensor([5.0, 7.0], requires_grad=True)
    d = alias(x)
    d.mul_(w)
    assert d.requires_grad
    assert x.tolist() == [5.0, 14.0]
    assert x.is_leaf
    (d * 2).sum().backward()
    assert w.grad.tolist() == [2.0, 4.0]
    assert x.grad is None


def test_change_of_an_operand_that_no_gradient_reads() -> None:
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    z = y + 1
    y.mul_(10)
    (z.sum() + y.sum()).backward()
    assert x.grad.tolist() == [33.0, 33.0]


def test_change_of_data_is_not_counted() -> None:
    """`.data` is the door past the version counter: whether the gradient reads old or new numbers is not promised."""
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    x.data.mul_(10)
    y.sum().backward()
    assert x.grad.tolist() in ([2.0, 4.0], [20.0, 40.0])
    assert x.tolist() == [10.0, 20.0]


def test_version_counts_are_shared_with_views() -> None:
    x = lamina.zeros(4)
    assert x._version == 0
    x[0] = 1
    x.view(2, 2).add_(1)
    assert x._version == 2
    assert x[1:]._version == 2
    assert x.detach()._version == 2


def test_failed_change_is_not_the_start_of_the_next() -> None:
    w = lamina.ones(3, requires_grad=True)
    x = w * 1
    with pytest.raises(RuntimeError, match="must match the size"):
        lamina.ones(3).add_(lamina.ones(5))
    y = x * x
    with lamina.no_grad():
        lamina.add(lamina.ones(3), 1, out=x)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_leaf_refuses() -> None:
    x = lamina.ones(2, requires_grad=True)
    text = "a leaf Variable that requires grad is being used in an in-place operation"
    with pytest.raises(RuntimeError, match=text):
        x.add_(1)
    with pytest.raises(RuntimeError, match=text):
        x += 1
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad is being used in an in-place"):
        x[0] = 1
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        x.view(2, 1).zero_()
    with lamina.no_grad():
        x += 1
        x[0] = 7
    assert x.tolist() == [7.0, 2.0]
    assert x.is_leaf
    assert x.requires_grad


@pytest.mark.parametrize(
    "of", [lambda x: x[1:], lambda x: x.view(2, 2).t(), lambda x: x.detach()], ids=["rows", "transposed", "detached"]
)
def test_a_view_that_is_a_leaf_refuses(of: Callable[[lamina.Tensor], lamina.Tensor]) -> None:
    x = lamina.ones(4)
    leaf = of(x).requires_grad_()
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad is being used in an in-place"):
        leaf.mul_(2)
    for part in (leaf[1:], leaf[1:].unsqueeze(0), leaf[-1]):
        with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad is being used in an"):
            part.mul_(2)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad is being used in an in-place"):
        leaf[0] = 2
    leaf.detach()[0] = 2
    x[-1] = 3
    with lamina.no_grad():
        leaf[-1] += 1
    leaf.square().sum().backward()
    assert lamina.equal(leaf.grad, 2 * leaf.detach())  # type: ignore[arg-type]


def test_gradient_flows_through_overwritten_values() -> None:
    x = lamina.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y[0] = 0
    y[1:] *= x[1:]
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 8.0, 12.0]


def test_change_of_a_view_reaches_the_base_gradient() -> None:
    x = lamina.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x.clone()
    part = y[:2]
    part.mul_(5)
    y.sum().backward()
    assert x.grad.tolist() == [5.0, 5.0, 1.0]
    x.grad = None
    y = x.clone()
    part = y[:2]
    y.mul_(3)
    (part * part).sum().backward()
    assert x.grad.tolist() == [18.0, 36.0, 0.0]


@pytest.mark.parametrize(
    "change",
    [
        lambda y: y.zero_(),
        lambda y: y.fill_(1.5),
        lambda y: y.copy_(lamina.ones(2)),
        lambda y: y.__setitem__(slice(None), 1.5),
        lambda y: y.__setitem__(..., 1.5),
        lambda y: y.__setitem__(y > 0, 1.5),
        lambda y: y.normal_(),
    ],
    ids=["zero_", "fill_", "copy_", "slice", "ellipsis", "mask", "normal_"],
)
def test_overwritten_tensor_still_requires_grad(change: Callable[[Any], Any]) -> None:
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    change(y)
    assert y.requires_grad
    assert not y.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]


def test_requires_grad_arrives_in_place() -> None:
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    y = lamina.zeros(2)
    assert not y.requires_grad
    y += x
    assert y.requires_grad
    assert not y.is_leaf
    buffer = lamina.zeros(2, 2)
    buffer[0] = x * x
    assert buffer.requires_grad
    buffer.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_partial_overlap_reads_before_it_writes() -> None:
    x = lamina.arange(5.0)
    x[1:].add_(x[:-1])
    assert x.tolist() == [0.0, 1.0, 3.0, 5.0, 7.0]
    x[:-1] = x[1:]
    assert x.tolist() == [1.0, 3.0, 5.0, 7.0, 7.0]


def test_full_overlap_is_fine() -> None:
    x = lamina.arange(3.0)
    x.add_(x)
    x.mul_(x.view(3))
    assert x.tolist() == [0.0, 4.0, 16.0]


def test_change_of_one_view_of_several() -> None:
    x = lamina.ones(4, requires_grad=True)
    y = x * 1
    first, _ = y[:2], y[2:]
    first.mul_(3)
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0, 1.0, 1.0]


def test_many_inplace_steps() -> None:
    x = lamina.zeros(100)
    for step in range(1000):
        x[step % 100] += step
        x.mul_(1.0)
    assert x.sum().item() == sum(range(1000))


def test_logical_forms_keep_the_history() -> None:
    leaf = lamina.tensor([0.0, 2.0], requires_grad=True)
    assert leaf.logical_not_() is leaf
    assert leaf.tolist() == [1, 0]
    assert leaf.requires_grad
    assert leaf.is_leaf
    made = leaf.clone()
    made.logical_or_(lamina.tensor([0.0, 1.0])).sum().backward()
    assert made.tolist() == [1, 1]
    assert leaf.grad.tolist() == [1, 1]
    leaf.logical_and_(0)
    leaf.logical_xor_(lamina.tensor([True, False]))
    assert leaf.tolist() == [1, 0]
