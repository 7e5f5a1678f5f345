"""Samples of the ops that read and write by index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lamina

from .row import FLOATS, Case, Index, Op, case

__all__ = ["INDEX_EXPRESSIONS", "OPS", "tensor_index"]

# Each is applied to a (4, 3, 5) operand by NumPy and by lamina; arrays become tensors there.
INDEX_EXPRESSIONS: dict[str, Any] = {
    "integer": 1,
    "negative integer": -1,
    "two integers": (1, 2),
    "all integers": (1, 2, -1),
    "slice": slice(1, 3),
    "open slice": slice(None),
    "stepped slice": slice(0, 4, 2),
    "negative bounds": slice(-3, -1),
    "slice past the end": slice(2, 100),
    "empty slice": slice(3, 1),
    "slices": (slice(1, 3), slice(None), slice(0, 5, 3)),
    "mixed": (slice(None), 1, slice(2, None)),
    "ellipsis": (..., 2),
    "ellipsis in the middle": (1, ..., slice(1, 3)),
    "new axis": (None, 1),
    "new axes": (slice(None), None, 0, ..., None),
    "list": ([0, 2, 2],),
    "array": np.array([3, 0, 0, -1]),
    "array of two axes": np.array([[0, 1], [2, 3]]),
    "two arrays": (np.array([0, 1, 3]), np.array([2, 0, 1])),
    "arrays that broadcast": (np.array([[0], [3]]), np.array([2, 0, 1])),
    "array then slice": (np.array([0, 3]), slice(1, 3)),
    "slice then array": (slice(None), np.array([0, 2, 2])),
    "arrays apart": (np.array([0, 3]), slice(None), np.array([1, 4])),
    "array and integer": (np.array([0, 3]), 1),
    "array, ellipsis": (np.array([1]), ..., slice(0, 2)),
    "empty array": np.zeros(0, np.int64),
    "mask of the first axis": np.array([True, False, True, True]),
    "mask of two axes": np.arange(12).reshape(4, 3) % 2 == 0,
    "full mask": np.arange(60).reshape(4, 3, 5) % 7 < 3,
    "mask of nothing": np.zeros(4, bool),
    "mask and integer": (np.array([True, False, True, True]), slice(None), 2),
}


def tensor_index(index: Any) -> Any:
    """The same index with tensors in place of arrays."""
    if isinstance(index, tuple):
        return tuple(tensor_index(part) for part in index)
    return lamina.tensor(index) if isinstance(index, np.ndarray) else index


def _set(x: Any, value: Any, index: Any) -> Any:
    """`x[index] = value` as a function."""
    changed = x.copy() if isinstance(x, np.ndarray) else x.clone()
    changed[index if isinstance(x, np.ndarray) else tensor_index(index)] = value
    return changed


# For a (3, 4) operand; no element is named twice, so that what is written is determined.
_INDICES: tuple[Any, ...] = (
    1,
    (2, -1),
    slice(0, 2),
    (slice(None), slice(0, 4, 2)),
    (None, 0),
    (..., 1),
    np.array([2, 0]),
    (slice(None), np.array([3, 1])),
    (np.array([0, 2]), np.array([1, 1])),
    np.array([[True, False, True, False]] * 3),
    np.array([False, True, True]),
)


def _along(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function(out, position, source position)` for every element of the index, then out."""

    def apply(x: np.ndarray, dim: int, index: np.ndarray, source: Any) -> np.ndarray:
        out = x.copy()
        for place in np.ndindex(*index.shape):
            target = list(place)
            target[dim] = index[place]
            function(out, tuple(target), source[place] if isinstance(source, np.ndarray) else source)
        return out

    return apply


def _put(out: np.ndarray, place: tuple[int, ...], value: Any) -> None:
    out[place] = value


def _accumulate(out: np.ndarray, place: tuple[int, ...], value: Any) -> None:
    out[place] = np.logical_or(out[place], value) if out.dtype == bool else out[place] + value


def _gather(x: np.ndarray, dim: int, index: np.ndarray) -> np.ndarray:
    inside = x[tuple(slice(None) if d == dim % x.ndim else slice(n) for d, n in enumerate(index.shape))]
    return np.take_along_axis(inside, index, dim)


def _last_two_swapped(name: str, reference: Callable[..., Any], cases: tuple[Case, ...], **more: Any) -> Op:
    """PyTorch writes `f(x, dim, index, ...)`; the table keeps operands first, so dim comes as a keyword."""

    def call(*operands: Any, dim: int) -> Any:
        return getattr(lamina, name)(operands[0], dim, *operands[1:])

    def expected(*operands: Any, dim: int) -> Any:
        return reference(operands[0], dim, *operands[1:])

    return Op(name, expected, cases, call=call, **more)


def _weighed(x: np.ndarray, index: np.ndarray, weights: np.ndarray) -> np.ndarray:
    batches = [np.einsum("opki,pk->opi", x[b][:, index[b]], weights[b]) for b in range(len(x))]
    return np.array(batches).reshape(*x.shape[:2], index.shape[1], x.shape[3])


def _weighed_back(y: np.ndarray, index: np.ndarray, weights: np.ndarray, places: int) -> np.ndarray:
    x = np.zeros((*y.shape[:2], places, y.shape[3]))
    for b, j, k in np.ndindex(*index.shape):
        x[b, :, index[b, j, k]] += weights[b, j, k] * y[b, :, j]
    return x


def _weighed_products(x: np.ndarray, index: np.ndarray, y: np.ndarray) -> np.ndarray:
    batches = [np.einsum("opki,opi->pk", x[b][:, index[b]], y[b]) for b in range(len(x))]
    return np.array(batches).reshape(index.shape)


def _weighted_put(y: Any, index: Any, weights: Any, places: int) -> Any:
    """Recorded as the gradient of what is weighed."""
    x = y.new_zeros(*y.shape[:2], places, y.shape[3], requires_grad=True)
    with lamina.enable_grad():
        result = lamina._core._weighted_take(x, index, weights)
        return lamina.autograd.grad(result, x, y, create_graph=True)[0]


def _weighted_dots(x: Any, index: Any, y: Any) -> Any:
    """Recorded as the gradient of the weights."""
    weights = x.new_zeros(*index.shape, requires_grad=True)
    with lamina.enable_grad():
        result = lamina._core._weighted_take(x, index, weights)
        return lamina.autograd.grad(result, weights, y, create_graph=True)[0]


# (batch, outer, places, inner), then the index's (batch, count, taps).
_WEIGHED = (
    ((2, 3, 4, 5), (2, 6, 3)),
    ((2, 3, 4, 1), (2, 6, 4)),
    ((1, 2, 5, 17), (1, 3, 1)),
    ((1, 2, 5, 37), (1, 3, 2)),
    ((1, 2, 5, 16), (1, 3, 4)),
    ((0, 2, 4, 3), (0, 2, 2)),
    ((1, 2, 4, 3), (1, 0, 2)),
    ((2, 70, 30, 1), (2, 600, 2)),
    ((1, 2, 30, 150), (1, 300, 2)),
    ((3, 4, 50, 40), (3, 90, 5)),
)
_LARGE_WEIGHED = 7

OPS: tuple[Op, ...] = (
    Op(
        "weighted_take",
        _weighed,
        tuple(
            case(shape, Index(entries, shape[2]), entries, large=n >= _LARGE_WEIGHED)
            for n, (shape, entries) in enumerate(_WEIGHED)
        ),
        dtypes=FLOATS,
        rejected=("bool", "int64"),
        call=lamina._core._weighted_take,
        rtol=1e-5,
        atol=1e-4,
        signed_zero=False,
    ),
    Op(
        "weighted_put",
        _weighed_back,
        tuple(
            case(
                (*shape[:2], entries[1], shape[3]),
                Index(entries, shape[2]),
                entries,
                args=(shape[2],),
                large=n >= _LARGE_WEIGHED,
            )
            for n, (shape, entries) in enumerate(_WEIGHED)
        ),
        dtypes=FLOATS,
        call=_weighted_put,
        rtol=1e-5,
        atol=1e-4,
        signed_zero=False,
    ),
    Op(
        "weighted_dots",
        _weighed_products,
        tuple(
            case(shape, Index(entries, shape[2]), (*shape[:2], entries[1], shape[3]), large=n >= _LARGE_WEIGHED)
            for n, (shape, entries) in enumerate(_WEIGHED)
        ),
        dtypes=FLOATS,
        call=_weighted_dots,
        rtol=1e-5,
        atol=1e-3,
        signed_zero=False,
    ),
    Op(
        "__getitem__",
        lambda x, index: x[index],
        tuple(case((3, 4), args=(index,)) for index in (*_INDICES, np.array([0, 2, 0]), slice(2, 2))),
        call=lambda x, index: x[tensor_index(index)],
    ),
    Op(
        "__setitem__",
        _set,
        (
            *(case((3, 4), np.zeros((3, 4))[index].shape, args=(index,)) for index in _INDICES),
            case((3, 4), (), args=(1,)),
            case((3, 4), (4,), args=(slice(0, 2),)),
        ),
        call=_set,
    ),
    _last_two_swapped(
        "gather",
        _gather,
        (
            case((3, 4), Index((3, 2), 4), dim=1),
            case((3, 4), Index((5, 4), 3), dim=0),
            case((2, 3, 4), Index((2, 3, 1), 4), dim=-1),
            case((3, 4), Index((2, 2), 4), dim=1),
            case((3, 4), Index((0, 4), 3), dim=0),
            case((301, 401), Index((301, 401), 401), dim=1, large=True),
        ),
    ),
    _last_two_swapped(
        "scatter",
        _along(_put),
        (
            case((3, 4), Index((3, 4), 4, distinct=True), (3, 4), dim=1),
            case((3, 4), Index((2, 4), 4, distinct=True), (2, 4), dim=1),
            case((3, 4), Index((0, 4), 3), (0, 4), dim=0),
        ),
    ),
    _last_two_swapped(
        "scatter_add",
        _along(_accumulate),
        (
            case((3, 4), Index((3, 6), 4), (3, 6), dim=1),
            case((3, 4), Index((5, 4), 3), (5, 4), dim=0),
            case((2, 3, 2), Index((2, 4, 2), 3), (2, 4, 2), dim=1),
            case((3, 4), Index((3, 0), 4), (3, 0), dim=1),
            case((5,), Index((7,), 5), (7,), dim=0),
        ),
    ),
    _last_two_swapped(
        "scatter_add",
        _along(_accumulate),
        (case((3, 4), Index((2, 3), 4), (3, 3), dim=1),),
        differentiable=False,  # PyTorch has no gradient where the source is larger than the index
    ),
    _last_two_swapped(
        "index_select",
        lambda x, dim, index: np.take(x, index, axis=dim),
        (
            case((3, 4), Index((5,), 3), dim=0),
            case((3, 4), Index((2,), 4), dim=1),
            case((2, 3, 4), Index((3,), 3), dim=-2),
            case((2, 3, 9), Index((4,), 3), dim=1),
            case((3, 4), Index((0,), 4), dim=1),
            case((401, 301), Index((500,), 401), dim=0, large=True),
        ),
    ),
)
