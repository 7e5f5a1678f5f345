"""Samples of the ops that make tensors from nothing: filled, counted and random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .row import ALL, FLOATS, NUMBERS, Case, Op, case

__all__ = ["OPS"]


def _op(name: str, reference: Callable[..., Any] | None, *cases: Case, **more: Any) -> Op:
    more.setdefault("dtypes", ("float32",))
    more.setdefault("result", "exact")
    return Op(name, reference, cases, differentiable=False, **more)


def _filled(value: float) -> Callable[..., Any]:
    def fill(*sizes: Any, dtype: str = "float32") -> np.ndarray:
        return np.full(sizes[0] if isinstance(sizes[0], tuple) else sizes, value, dtype)

    return fill


def _full(size: tuple[int, ...], fill_value: Any, dtype: str | None = None) -> np.ndarray:
    inferred = {bool: "bool", int: "int64", float: "float32"}[type(fill_value)]
    return np.full(size, fill_value, dtype or inferred)


def _arange(*limits: Any, dtype: str | None = None) -> np.ndarray:
    inferred = "float32" if any(isinstance(limit, float) for limit in limits) else "int64"
    return np.arange(*limits).astype(dtype or inferred)


def _linspace(start: float, end: float, steps: int, dtype: str = "float32") -> np.ndarray:
    return np.linspace(start, end, steps).astype(dtype)


def _between(low: float, high: float) -> Callable[[np.ndarray, Case], None]:
    def check(result: np.ndarray, item: Case) -> None:
        assert ((result >= low) & (result < high)).all()

    return check


def _is_finite(result: np.ndarray, item: Case) -> None:
    assert np.isfinite(result).all()


def _is_permutation(result: np.ndarray, item: Case) -> None:
    assert sorted(result) == list(range(item.args[0]))


def _is_zero_or_one(result: np.ndarray, item: Case) -> None:
    assert np.isin(result, (0, 1)).all()


def _has_shape(result: np.ndarray, item: Case) -> None:
    assert result.shape == item.args


def _has_shape_of_operand(result: np.ndarray, item: Case) -> None:
    assert result.shape == item.operands[0]


_SIZES = (case(args=(3, 4)), case(args=((2, 3),)), case(args=(0,)), case(args=((),)))
_TYPED = tuple(case(args=(2, 3), dtype=dtype) for dtype in ALL)
_LIKE = (case((3, 4)), case(()), case((0, 2)))

OPS: tuple[Op, ...] = (
    _op("zeros", _filled(0), *_SIZES, *_TYPED),
    _op("ones", _filled(1), *_SIZES, *_TYPED),
    _op(
        "full",
        _full,
        case(args=((2, 3), 7)),
        case(args=((2,), 1.5)),
        case(args=((), True)),
        case(args=((2, 0), 1), dtype="float64"),
    ),
    _op("empty", None, case(args=(3, 4)), case(args=(0, 2)), result="float32", check=_has_shape),
    _op(
        "eye",
        lambda n, m=None, dtype="float32": np.eye(n, m, dtype=dtype),
        case(args=(3,)),
        case(args=(2, 4)),
        case(args=(0,)),
        case(args=(3,), dtype="int64"),
    ),
    _op(
        "arange",
        _arange,
        case(args=(5,)),
        case(args=(2, 9)),
        case(args=(1, 10, 3)),
        case(args=(5.0,)),
        case(args=(0.0, 1.0, 0.25)),
        case(args=(5, 0, -2)),
        case(args=(0,)),
        case(args=(4,), dtype="float64"),
    ),
    _op(
        "linspace",
        _linspace,
        case(args=(0, 1, 5)),
        case(args=(-2.0, 2.0, 1)),
        case(args=(1, 0, 0)),
        case(args=(0, 10, 4), dtype="float64"),
        atol=1e-6,
    ),
    _op("empty_like", None, case((3, 4)), case((0, 2)), dtypes=ALL, result="same", check=_has_shape_of_operand),
    _op("zeros_like", np.zeros_like, *_LIKE, dtypes=ALL, result="same"),
    _op("ones_like", np.ones_like, *_LIKE, dtypes=ALL, result="same"),
    _op("full_like", np.full_like, case((3, 4), args=(2,)), case((), args=(1,)), dtypes=NUMBERS, result="same"),
    _op(
        "rand",
        None,
        case(args=(3, 4)),
        case(args=((0, 2),)),
        case(args=(20_000,)),
        result="float32",
        check=_between(0, 1),
    ),
    _op("randn", None, case(args=(3, 4)), case(args=((),)), case(args=(20_001,)), result="float32", check=_is_finite),
    _op("randint", None, case(args=(3, 9, (20_000,))), case(args=(3, 9, (0, 2))), result="int64", check=_between(3, 9)),
    _op("randperm", None, case(args=(1,)), case(args=(0,)), case(args=(1000,)), result="int64", check=_is_permutation),
    _op(
        "bernoulli",
        None,
        case(np.full((50, 40), 0.3, np.float32)),
        case(np.full((2, 0), 0.5, np.float32)),
        result="float32",
        check=_is_zero_or_one,
    ),
    _op("normal", None, case(args=(1.0, 2.0, (3, 4))), case(args=(0.0, 1.0, (0,))), result="float32", check=_is_finite),
    _op("rand_like", None, *_LIKE, dtypes=FLOATS, result="same", check=_between(0, 1)),
    _op("randn_like", None, *_LIKE, dtypes=FLOATS, result="same", check=_is_finite),
)
