"""Properties that hold for any program: random graphs, views and writes agree with NumPy, flushed or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lamina

from op_samples import ALL, FLOATS
from op_samples.gradients import check_gradient

MANY = settings(max_examples=100)
SOME = settings(max_examples=40)

shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)
full_shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
seeds = st.integers(0, 2**32 - 1)


def _array(shape: tuple[int, ...], seed: int, dtype: str = "float64") -> np.ndarray:
    rng = np.random.default_rng(seed)
    if dtype in FLOATS:
        return rng.uniform(-2, 2, shape).astype(dtype)
    return rng.integers(0, 2 if dtype == "bool" else 6, shape).astype(dtype)


@st.composite
def broadcastable(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes that broadcast: each axis of the result is kept, made 1 or left out in front."""
    result = draw(shapes)
    pair = []
    for _ in range(2):
        kept = [n if draw(st.booleans()) else 1 for n in result]
        pair.append(tuple(kept[draw(st.integers(0, len(kept))) :]) if draw(st.booleans()) else tuple(kept))
    return pair[0], pair[1]


@MANY
@given(broadcastable(), seeds, st.sampled_from(["add", "mul", "maximum", "sub"]))
def test_broadcasting(pair: tuple[tuple[int, ...], tuple[int, ...]], seed: int, name: str) -> None:
    a, b = _array(pair[0], seed), _array(pair[1], seed + 1)
    wanted = getattr(np, {"sub": "subtract", "mul": "multiply"}.get(name, name))(a, b)
    x, y = lamina.tensor(a, requires_grad=True), lamina.tensor(b, requires_grad=True)
    result = getattr(lamina, name)(x, y)
    assert tuple(result.shape) == wanted.shape
    np.testing.assert_allclose(result.detach().numpy(), wanted, rtol=1e-14)
    result.sum().backward()
    assert x.grad.shape == x.shape
    assert y.grad.shape == y.shape


@MANY
@given(shapes, shapes)
def test_shapes_broadcast_where_numpy_says_so(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    try:
        wanted = np.broadcast_shapes(left, right)
    except ValueError:
        with pytest.raises(RuntimeError, match="must match the size"):
            lamina.zeros(left) + lamina.zeros(right)
    else:
        assert tuple((lamina.zeros(left) + lamina.zeros(right)).shape) == wanted


@MANY
@given(shapes, seeds, st.sampled_from(ALL), st.data())
def test_sum_over_any_axes(shape: tuple[int, ...], seed: int, dtype: str, data: st.DataObject) -> None:
    array = _array(shape, seed, dtype)
    dims = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True, min_size=1) if shape else st.just([]))
    signed = [d - len(shape) if data.draw(st.booleans()) else d for d in dims]
    keepdim = data.draw(st.booleans())
    wide = array.astype(np.int64 if array.dtype.kind in "iub" else np.float64)
    wanted = wide.sum(axis=tuple(dims) or None, keepdims=keepdim and bool(dims))
    x = lamina.tensor(array)
    got = x.sum(tuple(signed), keepdim=keepdim) if dims else x.sum()
    assert tuple(got.shape) == wanted.shape
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-5, atol=1e-5)


UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": np.negative,
    "tanh": np.tanh,
    "sin": np.sin,
    "exp": lambda a: np.exp(np.clip(a, -3, 3)),
    "abs": np.abs,
    "relu": lambda a: np.maximum(a, 0),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "square": lambda a: np.square(np.clip(a, -3, 3)),
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": lambda a, b: np.clip(a, -3, 3) * np.clip(b, -3, 3),
    "maximum": np.maximum,
    "minimum": np.minimum,
}
CLIPPED = {"exp", "square", "mul"}


@st.composite
def programs(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Steps over a growing list of (4, 3) values: an op, the places of its operands, whether to look at the result."""
    steps: list[tuple[Any, ...]] = []
    for count in range(2, draw(st.integers(3, 25))):
        kind = draw(st.sampled_from(["unary", "binary", "binary", "scalar", "reduce", "row", "matmul", "transpose"]))
        name = draw(st.sampled_from(sorted(UNARY if kind == "unary" else BINARY)))
        places = draw(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)))
        number = draw(st.sampled_from([0.0, 1.0, -1.5, 0.25, 2]))
        steps.append((kind, name, places, number, draw(st.integers(0, 5)) == 0, draw(st.integers(0, 7)) == 0))
    return steps


def _run(steps: list[tuple[Any, ...]], values: list[Any], numpy: bool, look: bool) -> Any:
    for kind, name, (i, j), number, seen, dropped in steps:
        a, b = values[i], values[j]
        if kind == "unary" or kind == "binary":
            operands = (a,) if kind == "unary" else (a, b)
            if numpy:
                value = (UNARY if kind == "unary" else BINARY)[name](*operands)
            else:
                limited = [v.clamp(-3, 3) for v in operands] if name in CLIPPED else operands
                value = getattr(lamina, name)(*limited)
        elif kind == "scalar":
            value = a * number + (1 - number)
        elif kind == "reduce":
            value = a - (a.mean(0, keepdims=True) if numpy else a.mean(0, keepdim=True))
        elif kind == "row":
            value = a + b[1:2]
        elif kind == "matmul":
            value = ((a @ b.T) @ a) * 0.01
        else:
            value = a.T.reshape(4, 3)
        if look and seen:
            value.sum().item()
        values.append(value)
        if dropped and len(values) > 3:
            values[i] = values[-1]
    return values[-1]


@MANY
@given(programs(), seeds, st.booleans())
def test_random_programs_agree_with_numpy(steps: list[tuple[Any, ...]], seed: int, look: bool) -> None:
    a, b = _array((4, 3), seed), _array((4, 3), seed + 1)
    wanted = _run(steps, [a, b], numpy=True, look=False)
    assume(np.abs(wanted).max() < 1e6)
    got = _run(steps, [lamina.tensor(a), lamina.tensor(b)], numpy=False, look=look)
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-9, atol=1e-9)


@SOME
@given(programs(), seeds)
def test_gradients_do_not_depend_on_looking(steps: list[tuple[Any, ...]], seed: int) -> None:
    gradients = []
    for look in (False, True):
        x = lamina.tensor(_array((4, 3), seed), requires_grad=True)
        y = lamina.tensor(_array((4, 3), seed + 1), requires_grad=True)
        result = _run(steps, [x, y], numpy=False, look=look)
        got = lamina.autograd.grad(result.tanh().sum(), (x, y), allow_unused=True) if result.requires_grad else ()
        gradients.append([None if g is None else g.numpy() for g in got])
    for unseen, seen in zip(*gradients, strict=True):
        assert (unseen is None) == (seen is None)
        if unseen is not None:
            np.testing.assert_allclose(unseen, seen, rtol=1e-10, atol=1e-12)


SMOOTH = ["neg", "tanh", "sin", "sigmoid"]


@settings(max_examples=15)
@given(programs(), seeds)
def test_random_programs_have_the_right_gradient(steps: list[tuple[Any, ...]], seed: int) -> None:
    smooth = [
        (kind, SMOOTH[len(name) % len(SMOOTH)] if kind == "unary" else "add" if kind == "binary" else name, *rest)
        for kind, name, *rest in steps[:12]
    ]

    def function(x: Any, y: Any) -> list[Any]:
        return [_run(smooth, [x, y], numpy=False, look=False).tanh()]

    check_gradient(function, [_array((4, 3), seed), _array((4, 3), seed + 1)], rtol=1e-4, atol=1e-5)


@st.composite
def basic_indices(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Any, ...]:
    index: list[Any] = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        choice = draw(st.integers(0, 3))
        if choice == 0 and n:
            index.append(draw(st.integers(-n, n - 1)))
        elif choice == 1:
            index.append(slice(None))
        else:
            bounds = st.none() | st.integers(-n - 1, n + 1)
            index.append(slice(draw(bounds), draw(bounds), draw(st.none() | st.integers(1, 3))))
        if draw(st.integers(0, 6)) == 0:
            index.append(None)
    if draw(st.integers(0, 4)) == 0:
        index.append(...)
    return tuple(index)


@MANY
@given(shapes, seeds, st.data())
def test_any_basic_index(shape: tuple[int, ...], seed: int, data: st.DataObject) -> None:
    array = _array(shape, seed)
    index = data.draw(basic_indices(shape))
    x = lamina.tensor(array)
    np.testing.assert_array_equal(x[index].numpy(), array[index])
    x[index] = 9.0
    array[index] = 9.0
    np.testing.assert_array_equal(x.numpy(), array)


@st.composite
def writes(draw: st.DrawFn) -> list[tuple[str, Any, int, float]]:
    kinds = st.sampled_from(["select", "slice", "transpose", "column", "flat", "add", "mul", "set", "read", "look"])
    step = st.tuples(kinds, st.integers(0, 3), st.integers(0, 50), st.sampled_from([0.5, 2.0, -1.0, 3.0]))
    return draw(st.lists(step, min_size=1, max_size=25))


@MANY
@given(writes(), st.booleans())
def test_views_and_writes_agree_with_numpy(steps: list[tuple[str, int, int, float]], outside: bool) -> None:
    """Any web of views over one base, written through any of them, reads as NumPy's does."""
    base = np.arange(16.0).reshape(4, 4)
    arrays = [base.copy()]
    tensors = [lamina.from_numpy(base.copy()) if outside else lamina.arange(16.0, dtype=lamina.float64).view(4, 4)]
    readings: list[tuple[np.ndarray, Any]] = []
    for kind, place, which, number in steps:
        a, t = arrays[which % len(arrays)], tensors[which % len(tensors)]
        if kind == "select" and a.ndim and a.shape[0]:
            arrays.append(a[place % a.shape[0], ...])
            tensors.append(t[place % a.shape[0]])
        elif kind == "slice" and a.ndim:
            arrays.append(a[place % 2 :: 1 + place % 3])
            tensors.append(t[place % 2 :: 1 + place % 3])
        elif kind == "transpose":
            arrays.append(a.T)
            tensors.append(t.permute(*range(a.ndim)[::-1]) if a.ndim else t.view(()))
        elif kind == "column" and a.ndim == 2 and a.shape[1]:
            arrays.append(a[:, place % a.shape[1]])
            tensors.append(t[:, place % a.shape[1]])
        elif kind == "flat" and a.flags.c_contiguous:
            arrays.append(a.reshape(-1))
            tensors.append(t.view(-1))
        elif kind == "add":
            a += number
            t.add_(number)
        elif kind == "mul":
            a *= number
            t *= number
        elif kind == "set" and a.ndim and a.shape[0]:
            a[place % a.shape[0]] = number
            t[place % a.shape[0]] = number
        elif kind == "read":
            readings.append((a * 2 + 1, t * 2 + 1))
        elif kind == "look":
            np.testing.assert_array_equal(t.numpy() if place else np.array(t.tolist()), a)
    for wanted, reading in readings:
        np.testing.assert_array_equal(reading.numpy(), wanted)
    for array, tensor in zip(arrays, tensors, strict=True):
        np.testing.assert_array_equal(tensor.numpy(), array)


@MANY
@given(full_shapes, seeds, st.data())
def test_reshape_and_permute_round_trip(shape: tuple[int, ...], seed: int, data: st.DataObject) -> None:
    array = _array(shape, seed)
    order = data.draw(st.permutations(range(len(shape))))
    x = lamina.tensor(array).permute(*order)
    np.testing.assert_array_equal(x.numpy(), array.transpose(order))
    np.testing.assert_array_equal(x.reshape(-1).numpy(), array.transpose(order).reshape(-1))
    back = x.contiguous().permute(*np.argsort(order).tolist())
    np.testing.assert_array_equal(back.numpy(), array)
    assert x.contiguous().is_contiguous()


@MANY
@given(st.integers(1, 4), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), seeds)
def test_products_of_any_size(batch: int, m: int, k: int, n: int, seed: int) -> None:
    a, b = _array((batch, m, k), seed, "float32"), _array((k, n), seed + 1, "float32")
    got = (lamina.tensor(a) @ lamina.tensor(b)).numpy()
    np.testing.assert_allclose(got, a.astype(np.float64) @ b.astype(np.float64), rtol=1e-4, atol=1e-4)


@MANY
@given(st.lists(st.integers(-5, 5), max_size=40), st.booleans())
def test_sort_and_topk(values: list[int], descending: bool) -> None:
    x = lamina.tensor(values, dtype=lamina.int64)
    ordered, order = lamina.sort(x, descending=descending, stable=True)
    assert ordered.tolist() == sorted(values, reverse=descending)
    assert [values[i] for i in order.tolist()] == ordered.tolist()
    assert order.tolist() == sorted(range(len(values)), key=lambda i: -values[i] if descending else values[i])
    k = len(values) // 2
    assert x.topk(k).values.tolist() == sorted(values, reverse=True)[:k]


@MANY
@given(st.sampled_from(ALL), st.sampled_from(ALL), st.sampled_from(ALL))
def test_promotion_is_a_lattice(a: str, b: str, c: str) -> None:
    x, y, z = (lamina.ones(1, dtype=getattr(lamina, name)) for name in (a, b, c))
    assert (x * y).dtype == (y * x).dtype
    assert ((x * y) * z).dtype == (x * (y * z)).dtype
    assert (x * x).dtype == x.dtype


@SOME
@given(full_shapes, seeds)
def test_algebra(shape: tuple[int, ...], seed: int) -> None:
    x, y = lamina.tensor(_array(shape, seed)), lamina.tensor(_array(shape, seed + 1))
    assert lamina.equal(x + y, y + x)
    assert lamina.equal(-1 * -x, x)
    assert lamina.equal(x - x, lamina.zeros_like(x))
    assert lamina.equal(lamina.maximum(x, y) + lamina.minimum(x, y), x + y)
    assert lamina.allclose(x.exp().log(), x)
    assert lamina.allclose(x.softmax(-1).sum(-1), lamina.ones(shape[:-1], dtype=lamina.float64))
    assert lamina.allclose(x.softmax(0).log(), x.log_softmax(0))
    assert lamina.equal(lamina.cat([x, y])[: shape[0]], x)
    assert lamina.equal(lamina.where(x > y, x, y), lamina.maximum(x, y))
