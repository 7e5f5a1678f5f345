"""Rows of functions of the gamma family, whole numbers, histograms, statistics, creation and reductions by index."""

from __future__ import annotations

import itertools
import statistics
from typing import Any

import numpy as np

from .row import Array, index, row, x

__all__ = ["MORE"]


def _mode(a: Array) -> tuple[Array, Array]:
    chosen = [min(set(line), key=lambda v: (-list(line).count(v), v)) for line in a]
    return np.array(chosen), np.array([max(np.flatnonzero(line == v)) for line, v in zip(a, chosen, strict=True)])


def _scattered(reduce: str, keep: bool) -> Any:
    def reference(base: Array, dim: int, places: Array, source: Array, *_: Any, **__: Any) -> Array:
        result = base.copy()
        for column in range(places.shape[1]):
            for target in set(places[:, column]):
                chosen = source[np.flatnonzero(places[:, column] == target), column]
                pool = np.append(chosen, base[target, column]) if keep else chosen
                result[target, column] = getattr(np, reduce)(pool)
        return result

    return reference


def _with_diagonal(a: Array, diagonal: Array) -> Array:
    result = a.copy()
    np.fill_diagonal(result, diagonal)
    return result


def _distances(a: Array, b: Array, p: float = 2) -> Array:
    return np.asarray((np.abs(a[..., :, None, :] - b[..., None, :, :]) ** p).sum(-1) ** (1 / p))


_PLACES = np.array([[0, 1, 2], [0, 2, 2]])
_WHOLE = np.array([12, -18, 0, 7, 30])
_OTHER = np.array([18, 12, 5, -7, 0])

MORE = [
    row("heaviside", np.array([-1.0, 0.0, 2.0]), x(3), reference=np.heaviside, gradient=False),
    row("nextafter", np.array([0.0, 1, -1, 2]), np.array([1.0, 2, -2, 2]), reference=np.nextafter, gradient=False),
    row("logaddexp2", x(2, 3), x(3, seed=1), reference=np.logaddexp2),
    row("ldexp", x(3), index(1, -2, 0), reference=np.ldexp),
    row("special.xlog1py", x(2, 3), x(3, low=-0.5), reference=lambda a, b: a * np.log1p(b)),
    row("special.entr", x(3, low=0.1), reference=lambda a: -a * np.log(a)),
    row("special.ndtr", x(4), reference=np.vectorize(statistics.NormalDist().cdf)),
    row("gcd", _WHOLE, _OTHER, reference=np.gcd, gradient=False),
    row("lcm", _WHOLE, _OTHER, reference=np.lcm, gradient=False),
    row("bitwise_left_shift", _WHOLE, index(0, 1, 2, 3, 4), reference=np.left_shift, gradient=False),
    row("bitwise_right_shift", _WHOLE, index(0, 1, 2, 3, 4), reference=np.right_shift, gradient=False),
    row(
        "histc", x(20), 5, -1, 1, reference=lambda a, *b: np.histogram(a, b[0], b[1:])[0].astype(float), gradient=False
    ),
    row("searchsorted", index(1, 3, 3, 5), index(0, 3, 6), reference=np.searchsorted, gradient=False),
    row(
        "searchsorted",
        index(1, 3, 3, 5),
        index(0, 3, 6),
        side="right",
        reference=lambda a, b, side: np.searchsorted(a, b, side),
        gradient=False,
    ),
    row("bucketize", x(2, 3), np.array([-1.0, 0, 1]), reference=np.digitize, gradient=False),
    row("msort", x(4, 3), reference=lambda a: np.sort(a, 0)),
    row("mode", np.array([[2.0, 1, 2, 1, 3], [3, 3, 1, 3, 1]]), reference=_mode, gradient=False),
    row("cov", x(3, 5), reference=np.cov),
    row("cov", x(1, 5), reference=np.cov),
    row("cov", x(3, 5), correction=0, reference=lambda a, correction: np.cov(a, ddof=correction)),
    row("corrcoef", x(3, 6), reference=np.corrcoef, second=False),
    row("cdist", x(3, 4), x(2, 4, seed=1), reference=_distances),
    row("cdist", x(2, 3, 4), x(2, 2, 4, seed=1), 3.0, reference=_distances),
    row("cdist", x(2, 26, 3), x(3, 3, seed=1), reference=_distances),  # by a product
    row("cdist", x(3, 4), x(2, 4, seed=1), 2.0, "use_mm_for_euclid_dist", reference=lambda a, b, *_: _distances(a, b)),
    row(
        "renorm",
        x(3, 4),
        2,
        0,
        1.5,
        reference=lambda a, p, dim, most: a * np.minimum(1, most / (np.linalg.norm(a, axis=1, keepdims=True) + 1e-7)),
        gradient=False,
    ),
    row(
        "cumulative_trapezoid",
        x(3, 5),
        dx=2.0,
        reference=lambda a, dx: np.cumsum(dx * (a[:, 1:] + a[:, :-1]) / 2, 1),
    ),
    row("trapz", x(3, 5), reference=lambda a: ((a[:, 1:] + a[:, :-1]) / 2).sum(1)),
    row("vander", x(3), 4, reference=np.vander),
    row("cartesian_prod", x(2), x(3, seed=1), reference=lambda *a: np.array(list(itertools.product(*a)))),
    row("combinations", x(4), 3, reference=lambda a, r: np.array(list(itertools.combinations(a, r)))),
    *(
        row(
            "scatter_reduce",
            x(3, 4),
            0,
            _PLACES,
            x(2, 3, seed=1),
            name,
            include_self=keep,
            reference=_scattered(numpy, keep),
        )
        for name, numpy in (("sum", "sum"), ("prod", "prod"), ("mean", "mean"), ("amax", "max"), ("amin", "min"))
        for keep in (True, False)
    ),
    row(
        "index_reduce",
        x(3, 2),
        0,
        index(0, 2, 0),
        x(3, 2, seed=1),
        "amax",
        reference=lambda a, dim, i, s, how: np.stack(
            [np.maximum(a[0], np.maximum(s[0], s[2])), a[1], np.maximum(a[2], s[1])]
        ),
        second=False,
    ),
    row("addmm", x(2, 4), x(2, 3), x(3, 4), reference=lambda a, b, c: a + b @ c),
    row("cumsum", x(3, 4), 1, reference=np.cumsum),
    row("cumprod", x(3, 4), 1, reference=np.cumprod),
    row("diagonal_scatter", x(3, 4), x(3, seed=1), reference=_with_diagonal),
    row("reshape_as", x(2, 3), x(3, 2), reference=lambda a, b: a.reshape(b.shape)),
]
