"""Rows of elementwise functions."""

from __future__ import annotations

import numpy as np

from .row import row, x

__all__ = ["POINTWISE"]

POINTWISE = [
    row("hardshrink", x(5), 0.7, reference=lambda a, edge: np.where(np.abs(a) <= edge, 0, a)),
    row("addcdiv", x(3), x(2, 3), x(2, 1, low=1), value=0.5, reference=lambda a, b, c, value: a + value * b / c),
    row("addcdiv", x(2, 3), x(3), x(2, 1, low=1), reference=lambda a, b, c: a + b / c),
    row("addcmul", x(2, 3), x(3), x(2, 1), value=2, reference=lambda a, b, c, value: a + value * b * c),
    row("deg2rad", x(3), reference=np.deg2rad),
    row("rad2deg", x(3), reference=np.rad2deg),
    row("fmax", x(2, 3), x(3, seed=1), reference=np.fmax),
    row("fmin", x(2, 3), x(3, seed=1), reference=np.fmin),
    row("frac", x(5), reference=lambda a: np.modf(a)[0]),
    row("hypot", x(2, 3), x(3, seed=1), reference=np.hypot),
    row("lerp", x(2, 3), x(3, seed=1), 0.3, reference=lambda a, b, w: a + w * (b - a)),
    row("lerp", x(2, 3), x(3, seed=1), 0.8, reference=lambda a, b, w: a + w * (b - a)),
    row("lerp", x(2, 3), x(3, seed=1), x(2, 1, seed=3), reference=lambda a, b, w: a + w * (b - a)),
    row("logaddexp", x(2, 3), x(3, seed=1), reference=np.logaddexp),
    row("logit", x(4, low=0.1, high=0.9), reference=lambda a: np.log(a / (1 - a))),
    row(
        "logit",
        x(5, low=0, high=1),
        0.2,
        reference=lambda a, e: np.log(np.clip(a, e, 1 - e) / (1 - np.clip(a, e, 1 - e))),
    ),
    row("nan_to_num", x(4), reference=np.nan_to_num),
    row("rsub", x(3), x(2, 1), alpha=2, reference=lambda a, b, alpha: b - alpha * a),
    row("sgn", x(5), reference=np.sign),
    row("sinc", x(5), reference=np.sinc),
    row("xlogy", x(2, 3), x(3, low=0.5), reference=lambda a, b: a * np.log(b)),
    row("isclose", x(3), x(3) * 1.000001, reference=np.isclose, gradient=False),
    row("isposinf", np.array([1.0, np.inf, -np.inf]), reference=np.isposinf, gradient=False),
    row("isneginf", np.array([1.0, np.inf, -np.inf]), reference=np.isneginf, gradient=False),
]
