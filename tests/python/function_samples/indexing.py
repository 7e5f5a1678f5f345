"""Rows of functions that read and write chosen elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from .row import Array, index, row, x

__all__ = ["INDEXING"]


def _put_rows(a: Array, dim: int, i: Array, source: Array, add: bool, alpha: float = 1) -> Array:
    out = np.moveaxis(a.copy(), dim, 0)
    values = np.moveaxis(source, dim, 0)
    if add:
        np.add.at(out, i, alpha * values)
    else:
        out[i] = values
    return np.moveaxis(out, 0, dim)


def _masked(a: Array, mask: Array, value: Any) -> Array:
    return np.where(mask, value, a)


MASK = np.array([[True, False, True], [False, True, False]])

INDEXING = [
    row("masked_fill", x(2, 3), MASK, 7.0, reference=_masked),
    row("masked_fill", x(3), MASK, np.array(0.25), reference=_masked),
    row("masked_select", x(2, 3), MASK, reference=lambda a, m: a[m]),
    row("masked_select", x(3), MASK, reference=lambda a, m: np.broadcast_to(a, m.shape)[m]),
    row(
        "masked_scatter",
        x(2, 3),
        MASK,
        x(4, seed=5),
        reference=lambda a, m, s: np.array([[s[0], a[0, 1], s[1]], [a[1, 0], s[2], a[1, 2]]]),
    ),
    row(
        "index_add",
        x(3, 2),
        0,
        index(2, 0, 2),
        x(3, 2, seed=1),
        reference=lambda a, d, i, s: _put_rows(a, d, i, s, True),
    ),
    row(
        "index_add",
        x(2, 3),
        1,
        index(1, 1),
        x(2, 2),
        alpha=0.5,
        reference=lambda a, d, i, s, alpha: _put_rows(a, d, i, s, True, alpha),
    ),
    row("index_copy", x(3, 2), 0, index(2, 0), x(2, 2), reference=lambda a, d, i, s: _put_rows(a, d, i, s, False)),
    row(
        "index_fill", x(2, 3), 1, index(2, 0, 2), 1.5, reference=lambda a, d, i, v: np.where([True, False, True], v, a)
    ),
    row(
        "index_fill",
        x(2, 3),
        1,
        index(2, 2),
        np.array(0.5),
        reference=lambda a, d, i, v: np.where([False, False, True], v, a),
    ),
    row(
        "index_put",
        x(3, 2),
        (index(0, 2), index(1, 1)),
        x(2),
        reference=lambda a, i, v: np.array([[a[0, 0], v[0]], a[1], [a[2, 0], v[1]]]),
    ),
    row(
        "index_put",
        x(3, 2),
        (index(1, 1),),
        x(2, 2),
        True,
        reference=lambda a, i, v, accumulate: np.array([a[0], a[1] + v.sum(0), a[2]]),
    ),
    row("put", x(2, 2), index(3, -4), x(2), reference=lambda a, i, s: np.array([[s[1], a[0, 1]], [a[1, 0], s[0]]])),
    row(
        "put",
        x(2, 2),
        index(3, 3),
        x(2),
        True,
        reference=lambda a, i, s, accumulate: a + np.array([[0, 0], [0, s.sum()]]),
    ),
    row("take", x(2, 3), np.array([[0, -1], [4, 0]]), reference=np.take),
    row("take_along_dim", x(2, 3), np.array([[2, 0]]), 1, reference=lambda a, i, d: a[:, [2, 0]]),
    row("take_along_dim", x(2, 3), index(5, -6), reference=lambda a, i: a.reshape(-1)[i]),
    row("unravel_index", index(5, 0, 3), (2, 3), reference=np.unravel_index, gradient=False),
    row("unravel_index", index(5, 0), 6, reference=np.unravel_index, gradient=False),
    row("select_scatter", x(2, 3), x(2, seed=1), 1, 2, reference=lambda a, s, d, i: np.column_stack([a[:, :2], s])),
    row(
        "slice_scatter",
        x(4, 2),
        x(2, 2, seed=1),
        0,
        1,
        4,
        2,
        reference=lambda a, s, *w: np.stack([a[0], s[0], a[2], s[1]]),
    ),
    row(
        "as_strided_scatter",
        x(3, 4),
        x(2, 2, seed=1),
        (2, 2),
        (5, 2),
        1,
        reference=lambda a, s, *w: np.concatenate(
            [a.flat[:1], s[0, :1], a.flat[2:3], s[0, 1:], a.flat[4:6], s[1, :1], a.flat[7:8], s[1, 1:], a.flat[9:]]
        ).reshape(3, 4),
    ),
    row("slice_copy", x(5, 2), 0, 1, 5, 2, reference=lambda a, *w: a[1:5:2]),
    row("alias_copy", x(2, 3), reference=np.copy),
    row("argwhere", MASK, reference=np.argwhere, gradient=False),
    row("nonzero_static", MASK, size=1, reference=lambda a, size: np.argwhere(a)[:size], gradient=False),
    row(
        "nonzero_static",
        MASK,
        size=9,
        fill_value=7,
        reference=lambda a, size, fill_value: np.concatenate(
            [np.argwhere(a), np.full((size - a.sum(), a.ndim), fill_value)]
        ),
        gradient=False,
    ),
]
