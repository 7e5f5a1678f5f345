"""Samples of the ops of two and three operands, element by element, with broadcasting."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import lamina

from .row import ALL, FLOATS, INTEGERS, NUMBERS, Case, Domain, Op, case

__all__ = ["OPS"]

_CASES = (
    case((3, 4), (3, 4)),
    case((3, 4), (4,)),
    case((3, 1), (1, 4)),
    case((2, 1, 3), (4, 1)),
    case((), (2, 3)),
    case((2, 3), ()),
    case((), ()),
    case((0,), (0,)),
    case((2, 0, 3), (1, 3)),
    case((67,), (67,)),
    case((67,), (1,)),
    case((301, 401), (301, 401), large=True),
    case((301, 401), (401,), large=True),
    case((301, 1), (301, 401), large=True),
)


def _op(
    name: str,
    reference: Callable[..., Any],
    dtypes: tuple[str, ...] = ALL,
    result: str = "same",
    domains: tuple[Domain, ...] = (Domain(),),
    extra: tuple[Case, ...] = (),
    **more: Any,
) -> Op:
    more.setdefault("inplace", True)
    return Op(name, reference, _CASES + extra, domains, dtypes, result=result, elementwise=True, **more)


def _predicate(name: str, reference: Callable[..., Any]) -> Op:
    return _op(name, reference, ALL, "bool", differentiable=False)


def _add(a: np.ndarray, b: np.ndarray, alpha: int = 1) -> np.ndarray:
    return np.logical_or(a, b) if a.dtype == bool else a + np.asarray(alpha, b.dtype) * b


def _sub(a: np.ndarray, b: np.ndarray, alpha: int = 1) -> np.ndarray:
    return a - np.asarray(alpha, b.dtype) * b


def _div(a: np.ndarray, b: np.ndarray, rounding_mode: str | None = None) -> np.ndarray:
    quotient = a / b
    return {None: quotient, "floor": np.floor(quotient), "trunc": np.trunc(quotient)}[rounding_mode]


def _pow(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.power(a, b)


_log_gamma = np.vectorize(math.lgamma, otypes=[np.float64])
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _lower(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """By the series, or for large numbers the normal law."""
    a, x = np.broadcast_arrays(a, x)
    plain = (a > 0) & (x > 0) & (a < 1e4) & (x <= 2 * a + 100)
    b, y = np.where(plain, a, 1.0), np.where(plain, x, 1.0)
    total = term = np.ones_like(b)
    for n in range(1, 500):
        term = term * y / (b + n)
        total = total + term
        if (term < total * 1e-18).all():
            break
    series = total * np.exp(b * np.log(y) - y - _log_gamma(b + 1))
    large = (a >= 1e4) & (a < math.inf)
    normal = _erfc((1 - x / np.where(large, a, 1.0)) * np.sqrt(np.where(large, a, 0.0) / 2)) / 2
    ends = np.where(
        (a == 0) & (x == 0) | (a == math.inf) & (x == math.inf), math.nan, np.where(a == math.inf, 0.0, 1.0)
    )
    ends = np.where((a < 0) | (x < 0) | np.isnan(a + x), math.nan, np.where((x == 0) & (a > 0), 0.0, ends))
    found = np.where(plain, series, np.where(large & (x > 0) & (x < math.inf), normal, ends))
    return np.asarray(found)


def _upper(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The rest; where it may be small, by a continued fraction."""
    a, x = np.broadcast_arrays(a, x)
    small = (x >= 0.4) & (x > a) & (x < 1e4) & (a > 0)
    b, y = np.where(small, a, 1.0), np.where(small, x, 2.0)
    fraction = y
    for n in range(200, 0, -1):
        fraction = y + (n - b) / (1 + n / fraction)
    rest = np.exp(b * np.log(y) - y - _log_gamma(b)) / fraction
    return np.where(small, rest, 1 - _lower(a, x))


def _clamp(x: np.ndarray, low: Any = None, high: Any = None, **limits: Any) -> np.ndarray:
    low, high = limits.get("min", low), limits.get("max", high)
    x = x if low is None else np.maximum(x, np.asarray(low, x.dtype))
    return x if high is None else np.minimum(x, np.asarray(high, x.dtype))


def _clamp_op(name: str, reference: Callable[..., Any], *cases: Case, **more: Any) -> Op:
    domain = Domain(kinks=(1.0, 2.0))
    return Op(name, reference, cases, (domain,), NUMBERS, elementwise=True, inplace=True, signed_zero=False, **more)


# What backward() records for relu, whose row it is not: there is no function of that name.
def _relu_gradient(x: lamina.Tensor, cotangent: lamina.Tensor) -> lamina.Tensor:
    operand = x if x.requires_grad else x.detach().requires_grad_()
    with lamina.enable_grad():
        return lamina.autograd.grad(operand.relu(), operand, cotangent, create_graph=True)[0]


_ANY = Domain()
_DIVISOR = Domain(nonzero=True)
_QUOTIENT_SMOOTH = (Domain(0.3, 0.9), Domain(1.1, 1.9, nonzero=True))
_MASK = np.array([[True, False, True, True], [False, False, True, False], [True, True, False, True]])

OPS: tuple[Op, ...] = (
    _op("add", _add, extra=(case((3, 4), (4,), alpha=2),)),
    _op("sub", _sub, NUMBERS, extra=(case((3, 4), (4,), alpha=2),), rejected=("bool",)),
    _op("mul", np.multiply),
    _op("div", _div, FLOATS, "float", (_ANY, _DIVISOR)),
    Op(
        "div",
        _div,
        (case((2, 3), (3,), rounding_mode="floor"), case((2, 3), (2, 1), rounding_mode="trunc")),
        _QUOTIENT_SMOOTH,
        FLOATS,
    ),
    _op("true_divide", np.true_divide, ALL, "float", (_ANY, _DIVISOR), inplace=False),
    _op("floor_divide", np.floor_divide, NUMBERS, "same", (Domain(-9, 9), _DIVISOR), differentiable=False),
    _op("remainder", np.remainder, NUMBERS, "same", _QUOTIENT_SMOOTH, signed_zero=False, extremes=False),
    Op("remainder", np.remainder, (case((5, 6), (6,)),), (Domain(-9, 9), _DIVISOR), NUMBERS, differentiable=False),
    _op("fmod", np.fmod, NUMBERS, "same", _QUOTIENT_SMOOTH, extremes=False),
    Op("fmod", np.fmod, (case((5, 6), (6,)),), (Domain(-9, 9), _DIVISOR), NUMBERS, differentiable=False),
    _op("pow", _pow, NUMBERS, "same", (Domain(0.3, 3.0), Domain(0.0, 3.0)), rtol=4e-6),
    _op("maximum", np.maximum, signed_zero=False, inplace=False),
    _op("minimum", np.minimum, signed_zero=False, inplace=False),
    _op("atan2", np.arctan2, ALL, "float", (_DIVISOR, _DIVISOR)),
    _op("hypot", np.hypot, FLOATS, "same", (_DIVISOR, _DIVISOR)),
    _op("igamma", _lower, FLOATS, "same", (Domain(0.3, 6.0), Domain(0.3, 6.0))),
    _op("igammac", _upper, FLOATS, "same", (Domain(0.3, 6.0), Domain(0.3, 6.0))),
    _op("copysign", np.copysign, ALL, "float", (Domain(nonzero=True), Domain(nonzero=True))),
    Op(
        "relu_gradient",
        lambda x, cotangent: np.where(x <= 0, 0, cotangent),
        (case((3, 4), (3, 4)), case((), ()), case((0,), (0,)), case((301, 401), (301, 401), large=True)),
        (Domain(kinks=(0.0,)), _ANY),
        FLOATS,
        call=_relu_gradient,
    ),
    _op("bitwise_and", np.bitwise_and, INTEGERS, rejected=FLOATS, differentiable=False),
    _op("bitwise_or", np.bitwise_or, INTEGERS, rejected=FLOATS, differentiable=False),
    _op("bitwise_xor", np.bitwise_xor, INTEGERS, rejected=FLOATS, differentiable=False),
    _predicate("eq", np.equal),
    _predicate("ne", np.not_equal),
    _predicate("lt", np.less),
    _predicate("le", np.less_equal),
    _predicate("gt", np.greater),
    _predicate("ge", np.greater_equal),
    _predicate("logical_and", np.logical_and),
    _predicate("logical_or", np.logical_or),
    _predicate("logical_xor", np.logical_xor),
    Op(
        "where",
        np.where,
        (
            case(_MASK, (3, 4), (3, 4)),
            case(_MASK, (4,), (3, 1)),
            case(_MASK[0], (3, 4), ()),
            case(np.array(True), (2,), (2,)),
            case(np.zeros((0, 4), bool), (0, 4), (4,)),
            case(np.arange(301 * 401).reshape(301, 401) % 3 == 0, (301, 401), (401,), large=True),
        ),
    ),
    _clamp_op(
        "clamp",
        _clamp,
        case((3, 4), min=1, max=2),
        case((3, 4), args=(1, 2)),
        case((2, 0), min=1),
        case((), max=1),
        case((67,), min=1),
        case((301, 401), min=1, max=2, large=True),
    ),
    Op(
        "clamp",
        _clamp,
        (case((3, 4), (4,), (3, 1)), case((2, 3), (), ())),
        (Domain(-3, 3), Domain(-2.0, -1.0), Domain(0.5, 2.0)),
        NUMBERS,
    ),
    _clamp_op("clamp_min", _clamp, case((3, 4), args=(2,)), case((0, 2), args=(1,)), case((67,), args=(1,))),
    _clamp_op(
        "clamp_max",
        lambda x, high: np.minimum(x, np.asarray(high, x.dtype)),
        case((3, 4), args=(1,)),
        case((), args=(1,)),
        case((67,), args=(2,)),
    ),
    # A Python number on either side is an operand of its own: it must not change the result's type within its kind.
    Op("add", lambda x: x + 2, (case((3, 4)), case(()), case((0,))), dtypes=NUMBERS, call=lambda x: x + 2),
    Op("sub", lambda x: np.asarray(2, x.dtype) - x, (case((3, 4)),), dtypes=NUMBERS, call=lambda x: 2 - x),
    Op("mul", lambda x: x * 3, (case((3, 4)), case((2, 0))), dtypes=NUMBERS, call=lambda x: 3 * x),
    Op("div", lambda x: 2 / x, (case((3, 4)),), (_DIVISOR,), result="float", call=lambda x: 2 / x),
    Op("pow", lambda x: x**2, (case((3, 4)), case(())), dtypes=NUMBERS, call=lambda x: x**2),
    Op("pow", lambda x: x**3, (case((3, 4)), case(())), dtypes=FLOATS, call=lambda x: x**3),
    Op("pow", lambda x: x**0.5, (case((3, 4)),), (Domain(0.3, 3),), FLOATS, call=lambda x: x**0.5),
    Op("pow", lambda x: x**-1.5, (case((3, 4)),), (Domain(0.3, 3),), FLOATS, call=lambda x: x**-1.5, rtol=4e-6),
    Op("pow", lambda x: 2.0**x, (case((3, 4)),), (Domain(-2, 2),), FLOATS, call=lambda x: 2.0**x),
    Op(
        "where",
        lambda x: np.where(x > 0, x, 0),
        (case((3, 4)),),
        call=lambda x: lamina.where(x > 0, x, 0),
        dtypes=NUMBERS,
    ),
)
