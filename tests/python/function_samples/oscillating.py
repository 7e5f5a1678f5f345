"""Rows of the Bessel functions that swing or decline, of Airy's function and of the orthogonal polynomials."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre

from .row import Array, Row, row

__all__ = ["OSCILLATING"]

_PLACES = np.array([0.25, 1.75, 2.5, 6.0, 7.75, 8.5, 30.0])
_SIGNED = np.array([-30.0, -7.75, -0.5, 0.25, 2.0, 9.0])


def _first(order: int) -> Callable[[Array], Array]:
    """The integral over a circle, which equal steps give exactly."""
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    return lambda a: np.asarray(np.cos(order * angle - a[..., None] * np.sin(angle)).mean(-1))


def _y0(a: Array) -> Array:
    """Neumann's series."""
    total = (np.log(a / 2) + np.euler_gamma) * _first(0)(a)
    return np.asarray(2 / np.pi * (total - 2 * sum((-1) ** k / k * _first(2 * k)(a) for k in range(1, 60))))


def _y1(a: Array) -> Array:
    """By the Wronskian."""
    return np.asarray((_first(1)(a) * _y0(a) - 2 / (np.pi * a)) / _first(0)(a))


def _second(order: int, scaled: bool) -> Callable[[Array], Array]:
    """The integral of exp(-x cosh t) cosh(n t), to which sums converge as fast as it declines."""
    t = np.arange(1, 400) / 40

    def reference(a: Array) -> Array:
        shift = 1 if scaled else 0
        terms = np.exp(-a[..., None] * (np.cosh(t) - shift)) * np.cosh(order * t)
        return np.asarray((terms.sum(-1) + np.exp(-a * (1 - shift)) / 2) / 40)

    return reference


# Computed with 40 digits.
_AIRY = {
    -30.0: -0.0879681884568421628,
    -4.25: 0.127782927228267284,
    -1.5: 0.464256577748869406,
    0.5: 0.23169360648083349,
    2.5: 0.01572592338047049,
    12.0: 1.39318468887536084e-13,
}


def _degree(value: Callable[[Array, list[float]], Array]) -> Callable[[Array, int], Array]:
    return lambda a, n: np.asarray(value(a, [0.0] * n + [1.0]))


def _by_angle(formula: Callable[[Array, int], Array]) -> Callable[[Array, int], Array]:
    return lambda a, n: formula(np.arccos(a), n)


_BETWEEN = np.array([-0.75, -0.25, 0.125, 0.5, 0.875])
_POLYNOMIALS: dict[str, Callable[[Array, int], Array]] = {
    "chebyshev_polynomial_t": _degree(chebyshev.chebval),
    "chebyshev_polynomial_u": _by_angle(lambda a, n: np.sin((n + 1) * a) / np.sin(a)),
    "chebyshev_polynomial_v": _by_angle(lambda a, n: np.cos((n + 0.5) * a) / np.cos(a / 2)),
    "chebyshev_polynomial_w": _by_angle(lambda a, n: np.sin((n + 0.5) * a) / np.sin(a / 2)),
    "hermite_polynomial_h": _degree(hermite.hermval),
    "hermite_polynomial_he": _degree(hermite_e.hermeval),
    "laguerre_polynomial_l": _degree(laguerre.lagval),
    "legendre_polynomial_p": _degree(legendre.legval),
}


def _polynomial_rows() -> list[Row]:
    rows = []
    for name, reference in _POLYNOMIALS.items():
        rows += [row(f"special.{name}", _BETWEEN, n, reference=reference) for n in (0, 1, 2, 7)]
        if name.startswith("chebyshev"):
            shifted = lambda a, n, unshifted=reference: unshifted(2 * a - 1, n)  # noqa: E731
            rows += [row(f"special.shifted_{name}", np.abs(_BETWEEN), n, reference=shifted) for n in (1, 5)]
    return rows


OSCILLATING = [
    row("special.bessel_j0", _SIGNED, reference=_first(0)),
    row("special.bessel_j1", _SIGNED, reference=_first(1)),
    row("special.bessel_j1", np.zeros(2), reference=_first(1)),
    row("special.bessel_y0", _PLACES, reference=_y0),
    row("special.bessel_y1", _PLACES, reference=_y1),
    row("special.spherical_bessel_j0", np.append(_SIGNED, 0.0), reference=lambda a: np.sinc(a / math.pi)),
    row("special.airy_ai", np.array(list(_AIRY)), reference=lambda a: np.array([_AIRY[v] for v in a])),
    row("special.modified_bessel_k0", _PLACES, reference=_second(0, False)),
    row("special.modified_bessel_k1", _PLACES, reference=_second(1, False)),
    row("special.scaled_modified_bessel_k0", _PLACES, reference=_second(0, True)),
    row("special.scaled_modified_bessel_k1", _PLACES, reference=_second(1, True)),
    *_polynomial_rows(),
]
