"""Samples of the ops that scan, order or count along an axis."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import lamina

from .reductions import ALONG
from .row import ALL, FLOATS, NUMBERS, Case, Domain, Index, Op, case

__all__ = ["OPS"]


def _scan(function: Callable[..., Any]) -> Callable[..., Any]:
    def scan(x: np.ndarray, dim: int, dtype: str | None = None) -> Any:
        x = x if dtype is None else x.astype(dtype)
        x = x if x.dtype.kind == "f" else x.astype(np.int64)
        return function(x, axis=dim) if x.ndim else x

    return scan


def _argsort(x: np.ndarray, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    if x.ndim == 0:
        return np.int64(0)
    if descending:
        return np.flip(x.shape[dim] - 1 - np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)
    return np.argsort(x, axis=dim, kind="stable")


def _sort(x: np.ndarray, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    order = _argsort(x, dim, descending)
    return (np.take_along_axis(x, order, dim) if x.ndim else x), order


def _topk(x: np.ndarray, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    values, order = _sort(x, dim, descending=largest)
    return np.take(values, range(k), axis=dim), np.take(order, range(k), axis=dim)


def _running(extreme: Any, x: np.ndarray, dim: int) -> Any:
    if x.ndim == 0:
        return x, np.int64(0)
    values = extreme.accumulate(x, axis=dim)
    places = np.arange(x.shape[dim]).reshape([-1 if axis == dim % x.ndim else 1 for axis in range(x.ndim)])
    return values, np.maximum.accumulate(np.where((x == values) | np.isnan(x), places, 0), axis=dim)


def _sorted(*shape: int) -> np.ndarray:
    """Whole numbers that every type has, of which some are equal."""
    return np.sort(np.random.default_rng(1).integers(0, 6, shape), -1)


def _search(rows: np.ndarray, numbers: np.ndarray, behind_equals: bool) -> Any:
    below = np.less_equal if behind_equals else np.less
    found = below(rows[..., None, :], numbers[..., None]) if rows.ndim > 1 else below(rows, numbers[..., None])
    return (found | np.isnan(numbers)[..., None]).sum(-1)


def _op(
    name: str, reference: Callable[..., Any], cases: tuple[Case, ...], dtypes: tuple[str, ...] = ALL, **more: Any
) -> Op:
    more.setdefault("domains", (Domain(),))
    return Op(name, reference, cases, dtypes=dtypes, **more)


_DISTINCT = (Domain(distinct=True),)
_SORTS = (
    case((3, 4)),
    case((3, 4), dim=0),
    case((3, 4), dim=1, descending=True),
    case((2, 3, 4), dim=1),
    case(()),
    case((0,)),
    case((2, 0)),
    case((67,)),
    case((3, 50_001), large=True),
)

OPS: tuple[Op, ...] = (
    _op("cumsum", _scan(np.cumsum), ALONG, result="accumulate", rtol=1e-5, atol=1e-3, inplace=False),
    _op("cumprod", _scan(np.cumprod), ALONG[:-2], result="accumulate", domains=(Domain(0.4, 2.0),), rtol=1e-5),
    *(
        _op(name, partial(_running, extreme), ALONG, domains=_DISTINCT)
        for name, extreme in (("cummax", np.maximum), ("cummin", np.minimum))
    ),
    _op("sort", _sort, _SORTS, FLOATS, domains=_DISTINCT),
    _op("sort", _sort, tuple(case(*i.operands, stable=True, **i.kwargs) for i in _SORTS), differentiable=False),
    _op("argsort", _argsort, _SORTS, FLOATS, domains=_DISTINCT, result="int64", differentiable=False),
    _op(
        "topk",
        _topk,
        (
            case((3, 4), k=2),
            case((3, 4), k=2, dim=0),
            case((3, 4), k=1, largest=False),
            case((5,), k=5),
            case((3, 4), k=0),
            case((2, 67), k=9),
            case((2, 300), k=5),
            case((2, 300), k=5, largest=False),
            case((2, 300), k=80, dim=1),
            case((2, 70_001), k=150, large=True),
        ),
        FLOATS,
        domains=_DISTINCT,
    ),
    Op(
        "search",
        _search,
        (
            case(_sorted(5), (3, 4), args=(False,)),
            case(_sorted(5), (3, 4), args=(True,)),
            case(_sorted(2, 3, 64), (2, 3, 7), args=(True,)),
            case(_sorted(2, 3, 7), (2, 3, 65), args=(False,)),
            case(_sorted(9), (), args=(False,)),
            case(_sorted(1), (2, 2), args=(False,)),
            case(_sorted(0), (2, 2), args=(True,)),
            case(_sorted(2, 3), (2, 0), args=(True,)),
            case(_sorted(0, 3), (0, 2), args=(False,)),
            case(_sorted(1000), (300, 301), args=(True,), large=True),
            case(_sorted(3, 400), (3, 30_001), args=(False,), large=True),
        ),
        dtypes=NUMBERS,
        result="int64",
        differentiable=False,
        call=lambda rows, numbers, *args: lamina._core._search(rows.to(numbers.dtype), numbers, *args),
    ),
    Op(
        "nonzero",
        lambda x: np.argwhere(x),
        (case((3, 4)), case((67,)), case((0, 2)), case((2, 3, 4)), case(())),
        result="int64",
        differentiable=False,
    ),
    Op(
        "one_hot",
        lambda x, n: np.eye(n, dtype=np.int64)[x],
        (
            case(Index((3,), 4), args=(5,)),
            case(Index((2, 3), 4), args=(4,)),
            case(Index((), 3), args=(3,)),
            case(Index((0,), 3), args=(3,)),
        ),
        dtypes=("int64",),
        result="int64",
        differentiable=False,
        call=lambda x, n: lamina.nn.functional.one_hot(x, n),
    ),
)
