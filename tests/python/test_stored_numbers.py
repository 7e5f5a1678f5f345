"""Which numbers a type can store, what `out=` accepts, and what half precision rounds."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

import lamina
from lamina import Tensor


@pytest.mark.parametrize(
    "store",
    [
        lambda number, dtype: lamina.full((1,), number, dtype=dtype),
        lambda number, dtype: lamina.zeros(1, dtype=dtype).fill_(number),
        lambda number, dtype: lamina.tensor([number], dtype=dtype),
        lambda number, dtype: lamina.where(lamina.tensor([True]), number, lamina.zeros(1, dtype=dtype)),
    ],
)
def test_negative_whole_numbers_wrap_in_uint8_and_nothing_else_does(
    store: Callable[[float, lamina.dtype], Tensor],
) -> None:
    assert store(-3, lamina.uint8).tolist() == [253]
    for number, dtype in ((-256, lamina.uint8), (300, lamina.uint8), (128, lamina.int8), (2**31, lamina.int32)):
        with pytest.raises(RuntimeError, match="without overflow"):
            store(number, dtype)


def test_a_refused_number_changes_nothing() -> None:
    x = lamina.zeros(2, dtype=lamina.int8)
    with pytest.raises(RuntimeError, match="without overflow"):
        x[0] = 300
    with pytest.raises(RuntimeError, match="source and destination dtypes match"):
        x[lamina.tensor([0])] = lamina.ones(1)
    assert x.tolist() == [0, 0]


def test_out_wants_its_own_type_where_pytorch_does() -> None:
    x = lamina.zeros(3)
    with pytest.raises(RuntimeError, match="expected scalar type 'Float' but got 'Double' for values"):
        lamina.mode(x, 0, out=(lamina.empty((), dtype=lamina.float64), lamina.empty((), dtype=lamina.int64)))
    with pytest.raises(RuntimeError, match="any only supports bool tensor for result, got: Float"):
        lamina.any(x, 0, out=lamina.empty(()))
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype float32"):
        lamina.amax(x, 0, out=lamina.empty((), dtype=lamina.float64))
    assert lamina.sum(x, 0, out=lamina.ones((), dtype=lamina.float64)).item() == 0


def test_out_that_shares_some_elements_with_an_operand_is_refused() -> None:
    x = lamina.arange(6.0)
    with pytest.raises(RuntimeError, match="unsupported operation: some elements"):
        lamina.add(x[1:4], 1, out=x[0:3])
    with pytest.raises(RuntimeError, match="unsupported operation: some elements"):
        lamina.hypot(x[1:4], x[3:6], out=x[2:5])
    lamina.add(x[0:3], 1, out=x[0:3])
    lamina.add(x[3:6], 1, out=x[0:3])
    assert x.tolist() == [4, 5, 6, 3, 4, 5]


def test_half_precision_rounds_once() -> None:
    tiny = lamina.tensor([1e-5], dtype=lamina.float16)
    assert (tiny * 1e5).item() == pytest.approx(1.001, rel=1e-3)
    assert (lamina.tensor([100.0], dtype=lamina.float16) / 1e5).item() == pytest.approx(1e-3, rel=1e-3)
    start, end = (lamina.tensor([v], dtype=lamina.float16) for v in (0.0, 0.1))
    assert lamina.lerp(start, end, 70000).item() == pytest.approx(7000, rel=1e-3)


def test_bool_alpha_and_nan_bounds() -> None:
    with pytest.raises(RuntimeError, match="Boolean alpha only supported for Boolean results"):
        lamina.add(1, 1, alpha=True)
    with pytest.raises(TypeError, match="must be Number, not Tensor"):
        lamina.add(lamina.ones(1), 1, alpha=lamina.tensor(2.0, requires_grad=True))
    assert math.isnan(lamina.ones(1).clamp(0, math.nan).item())


def test_functions_in_place() -> None:
    x = lamina.tensor([0.5, 3.0])
    assert lamina.clamp_(x, 1, 2) is x
    assert lamina.xlogy_(x, 1.0).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", ["float32", "float64", "int64", "int32", "uint8", "float16", "bool", "complex64"])
def test_equal_of_numbers_that_are_there_runs_nothing(name: str) -> None:
    x = (lamina.arange(3000) % 5).to(getattr(lamina, name)).reshape(50, 60)
    y, wider = x.clone(), lamina.zeros(2)
    lamina.flush()
    before, pending = lamina.plan_stats()["flushes"], wider + 1
    assert x.equal(y)
    assert x[1:].equal(y[1:])
    if name not in ("float16", "bool", "complex64"):
        assert lamina.plan_stats()["flushes"] == before
    assert x.mT.equal(y.mT)
    y[-1, -1] = 0
    lamina.flush()
    assert not x.equal(y)
    assert not x[:, 1:].equal(y[:, 1:])
    assert lamina.equal(lamina.zeros(1), -lamina.zeros(1))
    assert pending.equal(lamina.ones(2))
