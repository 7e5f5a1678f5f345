"""Rows of reductions, scans, order statistics and counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .row import Array, index, row, x

__all__ = ["REDUCING"]


def _running(a: Array, dim: int, pick: Callable[[Array], Any]) -> tuple[Array, Array]:
    moved = np.moveaxis(a, dim, -1)
    best = np.empty(moved.shape, dtype=np.int64)
    for place in np.ndindex(moved.shape[:-1]):
        for k in range(moved.shape[-1]):
            best[(*place, k)] = pick(moved[place][: k + 1])
    best = np.moveaxis(best, -1, dim)
    return np.take_along_axis(a, best, dim), best


def _kth(a: Array, k: int, dim: int) -> tuple[Array, Array]:
    where = np.take(np.argsort(a, axis=dim), k - 1, axis=dim)
    return np.take_along_axis(a, np.expand_dims(where, dim), dim).squeeze(dim), where


def _nan(a: Array) -> Array:
    out = a.copy()
    out.flat[1] = np.nan
    return out


REDUCING = [
    row("aminmax", x(2, 3), reference=lambda a: (a.min(), a.max())),
    row(
        "aminmax",
        x(2, 3),
        dim=1,
        keepdim=True,
        reference=lambda a, dim, keepdim: (a.min(1, keepdims=True), a.max(1, keepdims=True)),
    ),
    row("count_nonzero", np.array([[0.0, 1.0], [2.0, 0.0]]), 0, reference=np.count_nonzero, gradient=False),
    row("count_nonzero", np.array([[0.0, 1.0], [2.0, 0.0]]), reference=np.count_nonzero, gradient=False),
    row("nansum", _nan(x(2, 3)), 1, reference=np.nansum, gradient=False),
    row("nanmean", _nan(x(2, 3)), reference=np.nanmean, gradient=False),
    row("nansum", x(2, 3), (0, 1), reference=np.nansum),
    row("nanmean", x(2, 3), 0, True, reference=lambda a, d, k: np.nanmean(a, d, keepdims=k)),
    row("std_mean", x(2, 3), 1, reference=lambda a, d: (a.std(d, ddof=1), a.mean(d))),
    row("var_mean", x(2, 3), reference=lambda a: (a.var(ddof=1), a.mean())),
    row("var_mean", x(2, 3), False, reference=lambda a, unbiased: (a.var(), a.mean())),
    row("dist", x(2, 3), x(3, seed=1), 3, reference=lambda a, b, p: (np.abs(a - b) ** p).sum() ** (1 / p)),
    row("trapezoid", x(2, 4), reference=lambda y: ((y[:, 1:] + y[:, :-1]) / 2).sum(1)),
    row(
        "trapezoid",
        x(2, 4),
        np.array([0.0, 1.0, 3.0, 3.5]),
        reference=lambda y, t: ((y[:, 1:] + y[:, :-1]) * np.diff(t) / 2).sum(1),
    ),
    row("cummax", x(2, 5), 1, reference=lambda a, d: _running(a, d, np.argmax)),
    row("cummin", x(5, 2), 0, reference=lambda a, d: _running(a, d, np.argmin)),
    row("logcumsumexp", x(2, 5), 1, reference=lambda a, d: np.log(np.cumsum(np.exp(a), d))),
    row("diff", x(2, 4), reference=np.diff),
    row("diff", x(4, 2), 2, 0, x(1, 2), reference=lambda a, n, d, p: np.diff(a, n, d, p)),
    row("kthvalue", x(2, 5), 2, reference=lambda a, k: _kth(a, k, 1)),
    row("kthvalue", x(5, 2), 4, 0, reference=_kth),
    row("median", x(2, 5), reference=lambda a: np.sort(a.reshape(-1))[4]),
    row("median", x(2, 5), 1, reference=lambda a, d: _kth(a, 3, d)),
    row("nanmedian", _nan(x(2, 4)), reference=lambda a: np.sort(a.reshape(-1))[3], gradient=False),
    row("nanmedian", x(4, 2), 0, reference=lambda a, d: _kth(a, 2, d)),
    row("nanmedian", _nan(x(2, 4)), 1, reference=lambda a, d: _kth(np.where(np.isnan(a), 9, a), 2, d), gradient=False),
    *(
        row(
            "quantile",
            x(3, 4),
            0.3,
            1,
            interpolation=method,
            reference=lambda a, q, d, interpolation: np.quantile(a, q, d, method=interpolation),
        )
        for method in ("linear", "lower", "higher", "midpoint", "nearest")
    ),
    row(
        "quantile",
        x(3, 4),
        np.array([0.1, 0.9]),
        0,
        True,
        reference=lambda a, q, d, k: np.quantile(a, q, d, keepdims=k),
        second=False,
    ),
    row("quantile", x(2, 3, 2), np.array([0.05, 0.55]), reference=np.quantile, second=False),
    row("nanquantile", _nan(x(2, 4)), 0.4, 1, reference=np.nanquantile, gradient=False),
    row("nanquantile", x(2, 4), 0.4, reference=np.nanquantile),
    row("unique", np.array([3.0, 1.0, 2.0, 1.0, 3.0]), reference=np.unique, gradient=False),
    row(
        "unique",
        np.array([[3, 1], [2, 1]]),
        return_inverse=True,
        return_counts=True,
        gradient=False,
        reference=lambda a, **k: (np.unique(a), np.array([[2, 0], [1, 0]]), np.array([2, 1, 1])),
    ),
    row(
        "unique",
        np.array([[1, 2], [0, 9], [1, 2]]),
        dim=0,
        reference=lambda a, dim: np.unique(a, axis=dim),
        gradient=False,
    ),
    row(
        "unique",
        np.array([[1, 0, 1], [2, 9, 2]]),
        dim=1,
        reference=lambda a, dim: np.unique(a, axis=dim),
        gradient=False,
    ),
    row(
        "unique_consecutive",
        index(1, 1, 2, 2, 1),
        return_counts=True,
        gradient=False,
        reference=lambda a, return_counts: (np.array([1, 2, 1]), np.array([2, 2, 1])),
    ),
    row("bincount", index(1, 3, 1), minlength=6, reference=np.bincount, gradient=False),
    row("bincount", index(1, 3, 1), x(3), reference=np.bincount, gradient=False),
    row("isin", index(1, 2, 3), index(3, 1), reference=np.isin, gradient=False),
]
