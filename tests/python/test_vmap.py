"""vmap: every op of the table in a batch as one example after the other; nesting, randomness and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn
from lamina.func import grad, vmap

from op_samples import OPS
from op_samples.row import Case, Index, Op, draw, to_tensor

ROWS = [op for op in OPS if op.check is None and op.reference is not None and any(c.operands for c in op.cases)]


def _stacked(tensors: list[Any]) -> Any:
    return (
        lamina.stack(tensors) if tensors[0].ndim else lamina.tensor([t.item() for t in tensors], dtype=tensors[0].dtype)
    )


def _compare(op: Op, item: Case, mapped: tuple[bool, ...], rng: np.random.Generator) -> None:
    dtype = "float64" if "float64" in op.dtypes else op.dtypes[0]
    examples = [[to_tensor(array) for array in draw(rng, op, item, dtype)] for _ in range(3)]
    if not all(mapped):
        for example in examples:
            example[: len(mapped)] = [
                x if is_mapped else first for x, first, is_mapped in zip(example, examples[0], mapped, strict=True)
            ]
    batches = [
        _stacked(list(column)) if is_mapped else column[0]
        for column, is_mapped in zip(zip(*examples, strict=True), mapped, strict=True)
    ]
    dims = tuple(0 if is_mapped else None for is_mapped in mapped)
    try:
        got = vmap(lambda *operands: op.invoke(operands, item), in_dims=dims)(*batches)
    except RuntimeError as error:
        if "vmap: It looks like" not in str(error):
            raise
        return  # the op looks at numbers
    for number, example in enumerate(examples):
        for whole, single in zip(got, op.invoke(tuple(example), item), strict=True):
            assert (whole[number].shape, whole.dtype) == (single.shape, single.dtype)
            np.testing.assert_allclose(whole[number].detach().numpy(), single.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("op", ROWS, ids=[op.name for op in ROWS])
def test_op(op: Op) -> None:
    rng = np.random.default_rng(0)
    for item in op.cases:
        if item.large or not item.operands or any(isinstance(o, np.ndarray) for o in item.operands):
            continue
        count = len(item.operands)
        _compare(op, item, (True,) * count, rng)
        if count > 1 and not isinstance(item.operands[0], Index):
            _compare(op, item, (True,) + (False,) * (count - 1), rng)
            _compare(op, item, (False,) + (True,) * (count - 1), rng)


def test_axes() -> None:
    x, y = lamina.rand(2, 3, 4), lamina.rand(4)
    assert vmap(lambda a: a.sum(), in_dims=1)(x).shape == (3,)
    assert lamina.equal(vmap(lambda a, b: a * b, in_dims=(-1, 0), out_dims=2)(x, y), x * y)
    a, b = vmap(lambda a: (a, a.sum()), out_dims=(1, 0))(x)
    assert (a.shape, b.shape) == ((3, 2, 4), (2,))
    tree = vmap(lambda d, c: {"sum": d["x"] + d["y"][0] + c}, in_dims=({"x": 0, "y": None}, None))(
        {"x": y, "y": [lamina.ones(())]}, 2.0
    )
    assert lamina.equal(tree["sum"], y + 3)
    assert lamina.equal(vmap(lambda a, *, b: a + b)(y, b=y), 2 * y)
    assert vmap(lambda a: lamina.ones(2))(y).shape == (4, 2)
    assert vmap(lambda a: lamina.ones(2), out_dims=None)(y).shape == (2,)
    assert vmap(lambda a: "same", out_dims=None)(y) == "same"
    total, shape = vmap(lambda a: (a.sum(), a.shape), out_dims=(0, None))(x)
    assert (total.shape, shape) == (x.shape[:1], x.shape[1:])


@pytest.mark.parametrize("chunk_size", [1, 3, 100])
def test_chunks(chunk_size: int) -> None:
    x = lamina.rand(7, 2)
    assert lamina.equal(vmap(lamina.sin, chunk_size=chunk_size)(x), x.sin())


def test_nesting() -> None:
    x, y = lamina.rand(3, 2), lamina.rand(4, 2)
    pairs = vmap(vmap(lamina.dot, in_dims=(None, 0)), in_dims=(0, None))(x, y)
    assert lamina.allclose(pairs, x @ y.T)


def test_gradients_of_each_example() -> None:
    """The classic: per-example gradients of a net, against a loop."""
    lamina.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    parameters = {name: p.detach() for name, p in net.named_parameters()}
    x, y = lamina.randn(4, 3, dtype=lamina.float64), lamina.tensor([0, 1, 1, 0])

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        return nn.functional.cross_entropy(lamina.func.functional_call(net, parameters, (x,)), y)

    each = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, x, y)
    for number in range(4):
        single = grad(loss)(parameters, x[number], y[number])
        for name in parameters:
            assert lamina.allclose(each[name][number], single[name], atol=1e-12)


def test_gradients_through_a_batch() -> None:
    x = lamina.rand(3, 2, dtype=lamina.float64, requires_grad=True)
    w = lamina.rand(2, dtype=lamina.float64, requires_grad=True)

    def f(x: Any, w: Any) -> Any:
        hidden = (x * w).exp()
        with lamina.no_grad():
            scale = hidden.sum()
        return (hidden / scale).sum() * x.detach()[0]

    assert lamina.autograd.gradcheck(lambda x: vmap(lambda r: (r.exp() * r.sum()).tanh())(x), (x,))
    got = lamina.autograd.grad(vmap(f, in_dims=(0, None))(x, w).sum(), (x, w))
    wanted = lamina.autograd.grad(sum(f(row, w) for row in x), (x, w))
    for a, b in zip(got, wanted, strict=True):
        assert lamina.allclose(a, b, atol=1e-12)


def test_indexing_and_views_inside() -> None:
    x, at = lamina.rand(3, 4, 5), lamina.tensor([[0, 2], [3, -1], [1, 1]])

    def f(x: Any, at: Any) -> Any:
        y = lamina.zeros(4, 5)
        y[1:3] += x[0:2]
        y[:, 0] = x[:, -1]
        return y, x[at], x[:, at], x.gather(0, at.abs()[None, :].expand(1, 2)), x.index_select(1, at % 5)

    got = vmap(f)(x, at)
    for number in range(3):
        for whole, single in zip(got, f(x[number], at[number]), strict=True):
            assert lamina.equal(whole[number], single)
    with pytest.raises(IndexError, match="out of bounds"):
        vmap(lambda x, at: x[at])(x, at + 10)


def test_in_place_operations_change_the_argument() -> None:
    x = lamina.arange(6.0).reshape(3, 2)
    assert vmap(lambda a: a.add_(1))(x).tolist() == x.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert vmap(lambda a: a.mul_(a.sum()), in_dims=1, chunk_size=1)(x).tolist() == x.T.tolist()
    x = lamina.zeros(3, 2)

    def filled(a: lamina.Tensor) -> lamina.Tensor:
        a[0] = 5
        return a.sum()

    assert vmap(filled)(x).tolist() == [5, 5, 5]
    assert x.tolist() == [[5, 0]] * 3
    assert vmap(vmap(lambda a: a.neg_()))(x).tolist() == x.tolist()
    leaf = lamina.ones(3, requires_grad=True)
    product = leaf * 1
    vmap(lambda a: a.mul_(2))(product).sum().backward()
    assert leaf.grad.tolist() == [2, 2, 2]
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        vmap(lambda a: a.add_(1))(leaf)


def test_single_numbers_select_in_each_example() -> None:
    x, i, j = lamina.arange(12.0).reshape(3, 2, 2), lamina.tensor([1, 0, 1]), lamina.tensor([0, 1, 1])
    assert vmap(lambda a, i: a[i])(x, i).tolist() == [[2, 3], [4, 5], [10, 11]]
    assert vmap(lambda a, i, j: a[i, j])(x, i, j).tolist() == [2, 5, 11]
    assert vmap(lambda a, i: a[:, i])(x, i).tolist() == [[1, 3], [4, 6], [9, 11]]
    assert vmap(lambda i: x[0, i])(i).tolist() == [[2, 3], [0, 1], [2, 3]]
    assert vmap(lambda a, i: a[i, lamina.tensor([1, 0])])(x, i).tolist() == [[3, 2], [5, 4], [11, 10]]

    def written(a: lamina.Tensor, i: lamina.Tensor) -> lamina.Tensor:
        copy = a.clone()
        copy[i] = 0
        return copy.sum()

    assert vmap(written)(x, i).tolist() == [1, 13, 17]
    with pytest.raises(IndexError, match="out of bounds"):
        vmap(lambda a, i: a[i])(x, i + 1)
    with pytest.raises(RuntimeError, match="select first"):
        vmap(lambda i: lamina.zeros(2, 2, 2)[i, :, lamina.tensor([0, 1])])(i)


def test_randomness() -> None:
    x = lamina.zeros(3, 4)
    with pytest.raises(RuntimeError, match="randomness error mode"):
        vmap(lambda a: a + lamina.rand(4))(x)
    same = vmap(lambda a: a + lamina.rand(4), randomness="same")(x)
    assert lamina.equal(same[0], same[1])
    different = vmap(lambda a: nn.functional.dropout(a + 1) + lamina.randn(4), randomness="different")(x)
    assert different.shape == (3, 4)
    assert not lamina.equal(different[0], different[1])
    nested = vmap(vmap(lambda a: a + lamina.rand(()), randomness="different"), randomness="different")(x)
    assert len(set(nested.flatten().tolist())) == 12


def test_what_cannot_be_done_says_so() -> None:
    x = lamina.rand(3, 2)
    for look in (lambda a: a if a.sum() > 0 else -a, lambda a: a * a.sum().item(), lambda a: a[a > 0.5]):
        with pytest.raises(RuntimeError, match="data-dependent control flow"):
            vmap(look)(x)
    outside = lamina.zeros(2)
    with pytest.raises(RuntimeError, match="inplace arithmetic"):
        vmap(lambda a: outside.add_(a))(x)
    assert outside.tolist() == [0, 0]

    class Double(lamina.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return gradient * 2

    assert lamina.equal(vmap(Double.apply)(x), 2 * x)
    assert lamina.equal(vmap(grad(lambda a: Double.apply(a).sum()))(x), 2 * lamina.ones(3, 2))
    with pytest.raises(RuntimeError, match=r"no rule .* autograd.Function"):
        vmap(Double.apply)(x.requires_grad_())


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: vmap(lamina.sin, in_dims="0")(x), "expected `in_dims` to be int or"),
        (lambda x: vmap(lambda: 1)(), "got no inputs"),
        (lambda x: vmap(lamina.add, in_dims=(0,))(x, x), "not compatible with the structure"),
        (lambda x: vmap(lamina.add)(x, 2.0), "cannot vmap over non-Tensor arguments"),
        (lambda x: vmap(lamina.sin, in_dims=2)(x), "expected in_dim to satisfy"),
        (lambda x: vmap(lamina.add)(x, x[:2]), "same size in the mapped dimension"),
        (lambda x: vmap(lambda a: 1)(x), "must only return Tensors"),
        (lambda x: vmap(lamina.sin, out_dims=None)(x), "can not return a BatchedTensor when out_dim is None"),
        (lambda x: vmap(lamina.sin, out_dims=(0, 0))(x), "out_dims is not compatible"),
        (lambda x: vmap(lamina.sin, chunk_size=0)(x), "chunk_size should be None or greater than 0"),
    ],
)
def test_wrong_use(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call(lamina.ones(3, 2))


def test_a_function_may_overwrite_what_it_maps_over_with_constants() -> None:
    x, y = lamina.ones(3, 2), lamina.arange(3.0)
    assert vmap(lamina.Tensor.zero_)(x).tolist() == x.tolist() == [[0, 0]] * 3
    vmap(lamina.Tensor.copy_, in_dims=(1, None))(x, y)
    assert x.tolist() == [[0, 0], [1, 1], [2, 2]]


def test_trials_with_each_examples_probabilities() -> None:
    p = lamina.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    assert vmap(lamina.bernoulli, randomness="different")(p).tolist() == p.tolist()
