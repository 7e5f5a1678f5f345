"""Rows of the Bessel functions, the incomplete gamma functions and their kin, histograms, differences."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np

from .row import Array, row, x

__all__ = ["SPECIAL"]


def _bessel(order: int, scaled: bool) -> Any:
    """The integral over a circle, which equal steps give exactly."""
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)

    def reference(a: Array) -> Array:
        power = np.exp(a[..., None] * np.cos(angle) - (np.abs(a[..., None]) if scaled else 0))
        return np.asarray((power * np.cos(order * angle)).mean(-1))

    return reference


def _lower(a: Array, b: Array) -> Array:
    """For whole numbers `a`: what is left of a Poisson distribution."""
    return np.array([1 - math.exp(-v) * sum(v**k / math.factorial(k) for k in range(round(n))) for n, v in zip(a, b)])


def _zeta(s: float | Array, q: Array) -> Array:
    terms = np.arange(200_000.0)
    last = len(terms) + q - 0.5
    return np.asarray((1 / (q[:, None] + terms) ** s).sum(-1) + last ** (1 - s) / (s - 1))


def _scattered(combine: Any) -> Any:
    def reference(base: Array, dim: int, places: Array, source: Array | float, reduce: str) -> Array:
        result = base.copy()
        for at in np.ndindex(places.shape):
            target = (places[at], at[1]) if dim == 0 else (at[0], places[at])
            result[target] = combine(result[target], source if isinstance(source, float) else source[at])
        return result

    return reference


_COUNTS = np.array([1.0, 2.0, 3.0, 7.0])
_PLACES = np.array([0.4, 3.5, 3.0, 9.0])
_ROWS = np.array([[0, 2], [0, 1], [0, 2]])
_REAL = np.array([-25.0, -19.5, -3.0, -0.5, 0.25, 2.0, 20.5])

SPECIAL = [
    row("i0", _REAL, reference=_bessel(0, False)),
    row("special.i0e", _REAL, reference=_bessel(0, True)),
    row("special.i1", _REAL, reference=_bessel(1, False)),
    row("special.i1e", np.append(_REAL, 0.0), reference=_bessel(1, True), gradient=False),
    row("special.modified_bessel_i0", _REAL, reference=_bessel(0, False)),
    row("special.modified_bessel_i1", _REAL, reference=_bessel(1, False)),
    row(
        "special.ndtri",
        np.array([1e-4, 0.3, 0.9]),
        reference=np.vectorize(statistics.NormalDist().inv_cdf),
    ),
    row(
        "special.erfcx",
        np.array([-2.0, 0.5, 5.0]),
        reference=np.vectorize(lambda a: math.exp(a * a) * math.erfc(a)),
    ),
    row("special.i1", np.zeros(2), reference=_bessel(1, False)),
    row("igamma", _COUNTS, _PLACES, reference=_lower, second=False),
    row("igammac", _COUNTS, _PLACES, reference=lambda a, b: 1 - _lower(a, b), second=False),
    row("special.zeta", np.array([2.5]), np.array([0.5, 4.0]), reference=lambda s, q: _zeta(s, q), second=False),
    row("polygamma", 1, np.array([0.5, 2.0, 7.0]), reference=lambda n, a: _zeta(2, a)),
    row("polygamma", 2, np.array([0.5, 2.0, 7.0]), reference=lambda n, a: -2 * _zeta(3, a)),
    row(
        "special.multigammaln",
        np.array([2.5, 4.0]),
        3,
        reference=lambda a, p: 1.5 * math.log(math.pi) + sum(np.vectorize(math.lgamma)(a - k / 2) for k in range(p)),
    ),
    row(
        "special.log_ndtr",
        np.array([-25.0, -8.0, -1.0, 2.0]),
        reference=np.vectorize(lambda a: math.log(math.erfc(-a / 2**0.5) / 2)),
    ),
    row("frexp", np.array([0.0, -0.75, 3.0, 1e30, np.inf]), reference=np.frexp, gradient=False),
    row("frexp", np.array([-0.75, 3.0]), reference=np.frexp),
    row("histogram", x(20), 5, reference=lambda a, b: [v.astype(float) for v in np.histogram(a, b)], gradient=False),
    row("gradient", x(4, 5), reference=lambda a: tuple(np.gradient(a))),
    row(
        "gradient",
        x(2, 3, 4),
        spacing=0.5,
        dim=-1,
        edge_order=2,
        reference=lambda a, **_: np.gradient(a, 0.5, axis=2, edge_order=2),
    ),
    row("histogramdd", x(20, 2), [3, 4], reference=lambda a, b: np.histogramdd(a, b), gradient=False),
    row("gradient", x(2), reference=np.gradient),
    row("angle", np.array([-2.0, 3.0, np.inf]), reference=np.angle),
    row("scatter", x(3, 2), 0, _ROWS, x(3, 2, seed=1), reduce="add", reference=_scattered(np.add)),
    row("scatter", x(3, 2), 0, _ROWS, x(3, 2, seed=1), reduce="multiply", reference=_scattered(np.multiply)),
    row("scatter", x(3, 2), 1, _ROWS % 2, 3.0, reduce="multiply", reference=_scattered(np.multiply)),
]
