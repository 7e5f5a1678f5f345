"""Samples of the ops of one operand, element by element."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

import lamina

from .row import ALL, FLOATS, INTEGERS, NUMBERS, Domain, Op, case

__all__ = ["OPS"]

# 67 numbers leave a tail behind any vector width; the large one is split among threads.
_CASES = (
    case((3, 4)),
    case(()),
    case((0,)),
    case((2, 0, 3)),
    case((1, 1)),
    case((67,)),
    case((2, 3, 4)),
    case((301, 401), large=True),
)
_WHOLE = tuple(float(k) for k in range(-3, 4))
_HALVES = tuple(k + 0.5 for k in range(-4, 4))


def _op(
    name: str,
    reference: Callable[..., Any],
    domain: Domain | None = None,
    dtypes: tuple[str, ...] = ALL,
    result: str = "float",
    **more: Any,
) -> Op:
    more.setdefault("inplace", True)
    return Op(name, reference, _CASES, (domain or Domain(),), dtypes, result=result, elementwise=True, **more)


def _predicate(name: str, reference: Callable[..., Any], **more: Any) -> Op:
    return _op(name, reference, Domain(), ALL, "bool", differentiable=False, **more)


_erf = np.vectorize(math.erf, otypes=[np.float64])
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _erfinv(x: float) -> float:
    inside = statistics.NormalDist().inv_cdf((x + 1) / 2) / math.sqrt(2) if abs(x) < 1 else math.inf
    return math.copysign(inside, x) if abs(x) <= 1 else math.nan


def _erfcx(x: float) -> float:
    if x < 25:
        return math.exp(x * x) * math.erfc(x) if x > -27 else math.inf
    return (
        (1 - 1 / (2 * x * x) + 3 / (4 * x**4)) / (x * math.sqrt(math.pi)) if x < 1e50 else 1 / (x * math.sqrt(math.pi))
    )


def _ndtri(p: float) -> float:
    return statistics.NormalDist().inv_cdf(p) if 0 < p < 1 else {0.0: -math.inf, 1.0: math.inf}.get(p, math.nan)


def _lgamma(x: float) -> float:
    return math.inf if x in (0, -math.inf) or (x < 0 and x == math.floor(x)) else math.lgamma(x)


def _digamma(x: float) -> float:
    """By the recurrence, the reflection, and the asymptotic series."""
    if x == -math.inf or (x < 0 and x == math.floor(x)):
        return math.nan
    if x == 0:
        return -math.copysign(math.inf, x)
    if x < 0:
        return _digamma(1 - x) - math.pi / math.tan(math.pi * x)
    if x < 20:
        return _digamma(x + 1) - 1 / x
    return math.log(x) - 1 / (2 * x) - 1 / (12 * x**2) + 1 / (120 * x**4) - 1 / (252 * x**6) + 1 / (240 * x**8)


def _bessel(order: int, scaled: bool) -> Callable[[np.ndarray], np.ndarray]:
    """The integral over a circle, which equal steps give exactly, or the first two terms of the asymptotic series."""

    def reference(x: np.ndarray) -> np.ndarray:
        size = np.abs(x)
        near, far = np.where(size < 200, x, 0.0), np.where(size > 200, size, 200.0)
        total = np.zeros_like(near)
        for angle in np.linspace(0, 2 * np.pi, 256, endpoint=False):
            total = total + np.exp(near * np.cos(angle) - np.abs(near)) * np.cos(order * angle)
        mean = np.where((size < 1e-30) & (order == 1), x / 2, total / 256)
        tail = (1 - (4 * order - 1) / (8 * far)) / np.sqrt(2 * np.pi * far) * (np.sign(x) if order else 1)
        found = np.where(size > 200, tail, np.where(np.isnan(x), x, mean))
        return found if scaled else found * np.exp(size)

    return reference


def _sign(x: np.ndarray) -> np.ndarray:
    """Zero at NaN, as PyTorch has it."""
    return x if x.dtype == bool else (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


_POSITIVE = Domain(0.3, 4.0)
_UNIT = Domain(-0.9, 0.9)

OPS: tuple[Op, ...] = (
    _op("neg", np.negative, None, NUMBERS, "same", rejected=("bool",)),
    _op("abs", np.abs, Domain(kinks=(0.0,)), NUMBERS, "same"),
    _op("sign", _sign, Domain(kinks=(0.0,)), ALL, "same"),
    _op("sgn", _sign, Domain(kinks=(0.0,)), ALL, "same"),
    _op("square", np.square, None, NUMBERS, "same"),
    _op("relu", lambda x: np.maximum(x, 0), Domain(kinks=(0.0,)), NUMBERS, "same", signed_zero=False),
    _op(
        "hardswish",
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        Domain(-5, 5, kinks=(-3.0, 3.0)),
        FLOATS,
        "same",
        inplace=False,
        call=lamina.nn.functional.hardswish,
    ),
    _op("exp", np.exp),
    _op("exp2", np.exp2),
    _op("expm1", np.expm1),
    _op("log", np.log, _POSITIVE),
    _op("log2", np.log2, _POSITIVE),
    _op("log10", np.log10, _POSITIVE),
    _op("log1p", np.log1p, Domain(-0.7, 4.0)),
    _op("sqrt", np.sqrt, _POSITIVE),
    _op("rsqrt", lambda x: 1 / np.sqrt(x), _POSITIVE),
    _op("reciprocal", lambda x: 1 / x, Domain(0.3, 4.0, nonzero=True)),
    _op("sin", np.sin),
    _op("cos", np.cos),
    _op("tan", np.tan, Domain(-1.2, 1.2)),
    _op("asin", np.arcsin, _UNIT),
    _op("acos", np.arccos, _UNIT),
    _op("atan", np.arctan),
    _op("sinh", np.sinh),
    _op("cosh", np.cosh),
    _op("tanh", np.tanh),
    _op("asinh", np.arcsinh),
    _op("acosh", np.arccosh, Domain(1.3, 4.0)),
    _op("atanh", np.arctanh, _UNIT),
    _op("sigmoid", _sigmoid),
    _op("erf", _erf),
    _op("erfc", _erfc),
    _op("erfinv", np.vectorize(_erfinv, otypes=[np.float64]), _UNIT),
    _op("erfcx", np.vectorize(_erfcx, otypes=[np.float64]), inplace=False, call=lamina.special.erfcx),
    _op(
        "ndtri",
        np.vectorize(_ndtri, otypes=[np.float64]),
        Domain(0.05, 0.95),
        inplace=False,
        call=lamina.special.ndtri,
    ),
    _op("lgamma", np.vectorize(_lgamma, otypes=[np.float64]), Domain(-0.9, 4.0, nonzero=True)),
    _op("digamma", np.vectorize(_digamma, otypes=[np.float64]), Domain(0.3, 4.0)),
    _op("i0", _bessel(0, False), Domain(-12, 12)),
    _op("i0e", _bessel(0, True), Domain(-12, 12, kinks=(0.0,)), inplace=False, call=lamina.special.i0e),
    _op("i1", _bessel(1, False), Domain(-12, 12, nonzero=True), inplace=False, call=lamina.special.i1),
    _op("i1e", _bessel(1, True), Domain(-12, 12, kinks=(0.0,)), inplace=False, call=lamina.special.i1e),
    _op("floor", np.floor, Domain(kinks=_WHOLE), NUMBERS, "same"),
    _op("ceil", np.ceil, Domain(kinks=_WHOLE), NUMBERS, "same"),
    _op("round", np.round, Domain(kinks=_HALVES), NUMBERS, "same"),
    _op("trunc", np.trunc, Domain(kinks=_WHOLE), NUMBERS, "same"),
    _op("bitwise_not", np.invert, None, INTEGERS, "same", rejected=FLOATS, differentiable=False),
    _op("logical_not", np.logical_not, None, ALL, "bool", differentiable=False),
    _predicate("isnan", np.isnan, inplace=False),
    _predicate("isinf", np.isinf, inplace=False),
    _predicate("isfinite", np.isfinite, inplace=False),
    _predicate("signbit", lambda x: np.signbit(x) if x.dtype.kind == "f" else x < 0, inplace=False),
)
