"""Samples of the ops that reduce or normalise along axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import lamina

from .row import ALL, FLOATS, NUMBERS, Case, Domain, Op, case

__all__ = ["ALONG", "OPS"]

Dim = int | tuple[int, ...] | list[int] | None

_WHOLE = (case((3, 4)), case(()), case((67,)), case((2, 3, 4)))
_ONE_AXIS = (
    case((3, 4), dim=0),
    case((3, 4), dim=1),
    case((3, 4), dim=-1, keepdim=True),
    case((2, 3, 4), dim=1),
    case((2, 3, 4), dim=-3, keepdim=True),
    case((), dim=0),
    case((), dim=-1, keepdim=True),
    case((0, 3), dim=1),
    case((3, 0, 2), dim=2, keepdim=True),
    case((1, 5), dim=0),
)
_AXES = (
    case((2, 3, 4), dim=(0, 2)),
    case((2, 3, 4), dim=(1, -1), keepdim=True),
    case((2, 3, 4), dim=[0]),
    case((2, 3, 2, 2), dim=(0, 2)),
    case((2, 3, 2, 2), dim=(1, 3), keepdim=True),
)
_NUMPY_SPELLING = (case((3, 4), axis=0, keepdims=True),)
_EMPTY = (case((0,)), case((2, 0)), case((2, 0), dim=1), case((0, 3), dim=0, keepdim=True))
_LARGE = tuple(
    case((301, 401), large=True, **kwargs) for kwargs in ({}, {"dim": 0}, {"dim": 1}, {"dim": (0, 1), "keepdim": True})
)
_LARGE_ONE_AXIS = (case((301, 401), dim=0, large=True), case((301, 401), dim=1, large=True))


def _axes(dim: Dim) -> int | tuple[int, ...] | None:
    return tuple(dim) if isinstance(dim, list) else dim


def _reference(function: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's function under lamina's argument names; a 0-d operand has one axis to reduce, as in PyTorch."""

    def reduce(x: np.ndarray, dim: Dim = None, keepdim: bool = False, dtype: str | None = None, **more: Any) -> Any:
        dim, keepdim = more.pop("axis", dim), more.pop("keepdims", keepdim)
        if dtype is not None:
            x = x.astype(dtype)
        if x.ndim == 0:
            dim = None
        return function(x, axis=_axes(dim), keepdims=keepdim, **more)

    return reduce


def _variance(root: bool) -> Callable[..., Any]:
    def function(x: np.ndarray, **kw: Any) -> Any:
        correction = kw.pop("correction", int(kw.pop("unbiased", True)))
        return (np.std if root else np.var)(x, ddof=correction, **kw)

    return _reference(function)


def _norm(x: np.ndarray, p: float | str = 2, dim: Dim = None, keepdim: bool = False) -> Any:
    size, axes = np.abs(x), _axes(dim)
    if p == float("inf"):
        return size.max(axis=axes, keepdims=keepdim)
    if p == "fro":
        p = 2
    return (size**p).sum(axis=axes, keepdims=keepdim) ** (1 / p)


def _extremum(choose: Callable[..., Any], position: Callable[..., Any]) -> Callable[..., Any]:
    def function(x: np.ndarray, dim: int | None = None, keepdim: bool = False) -> Any:
        if dim is None:
            return choose(x)
        if x.ndim == 0:
            return x, np.int64(0)
        return choose(x, axis=dim, keepdims=keepdim), position(x, axis=dim, keepdims=keepdim)

    return function


def _logsumexp(x: np.ndarray, dim: Dim, keepdim: bool = False) -> Any:
    axes = _axes(dim) if x.ndim else None
    top = x.max(axis=axes, keepdims=True)
    total = np.log(np.exp(x - top).sum(axis=axes, keepdims=True)) + top
    return total if keepdim else np.squeeze(total, axis=axes)


def _softmax(x: np.ndarray, dim: int, dtype: str | None = None) -> Any:
    x = x if dtype is None else x.astype(dtype)
    powers = np.exp(x - x.max(axis=dim, keepdims=True)) if x.size else x
    return powers / powers.sum(axis=dim, keepdims=True)


def _log_softmax(x: np.ndarray, dim: int, dtype: str | None = None) -> Any:
    x = x if dtype is None else x.astype(dtype)
    return x - _logsumexp(x, dim, True) if x.size else x


def _moments(x: np.ndarray, eps: float) -> tuple[Any, Any]:
    centered = x - x.mean(-1, keepdims=True)
    return centered, 1 / np.sqrt((centered * centered).mean(-1, keepdims=True) + eps)


def _standardize(x: np.ndarray, eps: float) -> Any:
    centered, scale = _moments(x, eps)
    return (centered * scale).astype(x.dtype)


def _layer_norm(x: np.ndarray, weight: Any = 1, bias: Any = 0) -> Any:
    return _standardize(x, 1e-2) * weight + bias


def _rms_norm(x: np.ndarray, weight: Any = 1) -> Any:
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + x.dtype.type(1e-2)) * weight


def _group_norm(x: np.ndarray, weight: np.ndarray | None = None, bias: np.ndarray | None = None) -> Any:
    groups, ones = _standardize(x.reshape(len(x), 2, math.prod(x.shape[1:]) // 2), 1e-2), [1] * (x.ndim - 2)
    scaled = groups.reshape(x.shape) * (1 if weight is None else weight.reshape(-1, *ones))
    return scaled if bias is None else scaled + bias.reshape(-1, *ones)


def _standardize_input(g: np.ndarray, x: np.ndarray, eps: float) -> Any:
    """The matrix of derivatives times g, row by row: scale (I - 1/n - y yᵀ/n), y the standardized row."""
    centered, scale = _moments(x, eps)
    y, n = centered * scale, x.shape[-1]
    along = (y[..., :, None] * y[..., None, :] + 1) / n
    return ((g - (along @ g[..., None])[..., 0]) * scale).astype(x.dtype)


def _standardize_gradient(g: Any, x: Any, eps: float) -> Any:
    """Recorded as the gradient of rows that are standardized."""
    with lamina.enable_grad():
        shift = lamina.zeros_like(x).requires_grad_()
        return lamina.autograd.grad(lamina._core._standardize(x + shift, eps), shift, g, create_graph=True)[0]


def _op(
    name: str, reference: Callable[..., Any], cases: tuple[Case, ...], dtypes: tuple[str, ...] = ALL, **more: Any
) -> Op:
    more.setdefault("domains", (Domain(),))
    return Op(name, reference, cases, dtypes=dtypes, **more)


def _sum(x: np.ndarray, **kw: Any) -> Any:
    return np.sum(x if x.dtype.kind == "f" else x.astype(np.int64), **kw)


def _prod(x: np.ndarray, **kw: Any) -> Any:
    return np.prod(x if x.dtype.kind == "f" else x.astype(np.int64), **kw)


_DISTINCT = (Domain(distinct=True),)
_NOT_FLOATS = ("int64", "int32", "uint8", "bool")
_SUM_LIKE = _WHOLE + _ONE_AXIS + _AXES + _NUMPY_SPELLING + _EMPTY
# One number has no spread: PyTorch warns and gives NaN.
_SPREAD = tuple(c for c in _WHOLE + _ONE_AXIS + _AXES if c.operands[0] not in ((), (0, 3), (3, 0, 2), (1, 5)))
_EXTREMA = _WHOLE + tuple(item for item in _ONE_AXIS if "keepdims" not in item.kwargs)
ALONG = (
    case((3, 4), dim=0),
    case((3, 4), dim=1),
    case((2, 3, 4), dim=-2),
    case((), dim=0),
    case((0, 3), dim=1),
    case((2, 67), dim=-1),
    case((301, 401), dim=1, large=True),
    case((301, 401), dim=0, large=True),
)

OPS: tuple[Op, ...] = (
    _op("sum", _reference(_sum), _SUM_LIKE + _LARGE, result="accumulate", rtol=1e-5, atol=1e-3),
    _op(
        "sum",
        _reference(_sum),
        (case((3, 4), dtype="float64"), case((3, 4), dim=0, dtype="int64")),
        ("int32", "bool"),
        result="exact",
        differentiable=False,
    ),
    _op("mean", _reference(np.mean), _SUM_LIKE[:-4] + _LARGE, FLOATS, rejected=_NOT_FLOATS, rtol=1e-5),
    _op(
        "mean",
        _reference(np.mean),
        (case((3, 4), dtype="float32"),),
        ("int64",),
        result="float32",
        differentiable=False,
    ),
    _op("prod", _reference(_prod), _WHOLE[:2] + _ONE_AXIS + _EMPTY, result="accumulate", domains=(Domain(0.4, 2.0),)),
    _op("amax", _reference(np.max), _WHOLE + _ONE_AXIS + _AXES + _LARGE, domains=_DISTINCT),
    _op("amin", _reference(np.min), _WHOLE + _ONE_AXIS + _AXES + _LARGE, domains=_DISTINCT),
    _op("max", _extremum(np.max, np.argmax), _EXTREMA + _LARGE_ONE_AXIS, domains=_DISTINCT),
    _op("min", _extremum(np.min, np.argmin), _EXTREMA + _LARGE_ONE_AXIS, domains=_DISTINCT),
    _op(
        "argmax",
        _reference(np.argmax),
        _WHOLE + _ONE_AXIS + _LARGE[:3],
        NUMBERS,
        domains=_DISTINCT,
        result="int64",
        differentiable=False,
    ),
    _op(
        "argmin",
        _reference(np.argmin),
        _WHOLE + _ONE_AXIS + _LARGE[:3],
        NUMBERS,
        domains=_DISTINCT,
        result="int64",
        differentiable=False,
    ),
    _op(
        "any",
        _reference(np.any),
        _SUM_LIKE + _LARGE,
        (*FLOATS, "int64", "int32", "bool"),
        result="bool",
        differentiable=False,
    ),
    _op(
        "all",
        _reference(np.all),
        _SUM_LIKE + _LARGE,
        (*FLOATS, "int64", "int32", "bool"),
        result="bool",
        differentiable=False,
    ),
    _op(
        "var",
        _variance(False),
        (*_SPREAD, case((3, 4), dim=1, correction=0), case((3, 4), unbiased=False), *_LARGE),
        FLOATS,
        rejected=_NOT_FLOATS,
        rtol=1e-5,
    ),
    _op(
        "std",
        _variance(True),
        (*_SPREAD, case((3, 4), dim=1, correction=0), case((3, 4), unbiased=False), *_LARGE),
        FLOATS,
        rejected=_NOT_FLOATS,
        rtol=1e-5,
    ),
    _op(
        "norm",
        _norm,
        (
            case((3, 4)),
            case((3, 4), dim=1),
            case((3, 4), p=1, dim=0, keepdim=True),
            case((3, 4), p=3),
            case((3, 4), p=float("inf"), dim=1),
            case((3, 4), p="fro"),
            case((2, 3, 4), p=2, dim=(0, 2)),
        ),
        FLOATS,
        rejected=_NOT_FLOATS,
        domains=(Domain(kinks=(0.0,)),),
        rtol=4e-6,
    ),
    _op(
        "logsumexp",
        _logsumexp,
        (
            case((3, 4), dim=0),
            case((3, 4), dim=1, keepdim=True),
            case((2, 3, 4), dim=(0, 2)),
            case((), dim=0),
            case((2, 67), dim=-1),
            *_LARGE_ONE_AXIS,
        ),
        result="float",
    ),
    _op("softmax", _softmax, ALONG, FLOATS, rejected=_NOT_FLOATS, rtol=4e-6),
    _op(
        "softmax",
        _softmax,
        (case((3, 4), dim=1, dtype="float64"),),
        ("float32", "int64"),
        result="float64",
        differentiable=False,
    ),
    _op("log_softmax", _log_softmax, ALONG, FLOATS, rejected=_NOT_FLOATS, rtol=4e-6),
    _op(
        "log_softmax",
        _log_softmax,
        (case((3, 4), dim=0, dtype="float64"),),
        ("float32", "int64"),
        result="float64",
        differentiable=False,
    ),
    _op(
        "standardize",
        _standardize,
        (
            *(case(shape, args=(1e-2,)) for shape in ((3, 5), (4, 1), (2, 3, 17), (0, 4), (33,))),
            case((3, 2100), args=(1e-5,), large=True),
            case((700, 130), args=(1e-5,), large=True),
        ),
        FLOATS,
        rejected=_NOT_FLOATS,
        call=lamina._core._standardize,
        rtol=1e-5,
        atol=1e-5,
        signed_zero=False,
    ),
    _op(
        "layer_norm",
        _layer_norm,
        (case((3, 5), (5,), (5,)), case((2, 3, 7), (7,)), case((4, 6)), case((0, 4), (4,), (4,))),
        FLOATS,
        call=lambda x, *affine: lamina.layer_norm(x, x.shape[-1:], *affine, eps=1e-2),
        rtol=1e-5,
        atol=1e-5,
        signed_zero=False,
    ),
    _op(
        "rms_norm",
        _rms_norm,
        (case((3, 5), (5,)), case((2, 3, 7)), case((0, 4), (4,))),
        FLOATS,
        call=lambda x, *weight: lamina.rms_norm(x, x.shape[-1:], *weight, eps=1e-2),
        rtol=1e-5,
        atol=1e-5,
        signed_zero=False,
    ),
    _op(
        "group_norm",
        _group_norm,
        (case((3, 4), (4,), (4,)), case((2, 6, 3), (6,)), case((2, 4, 2, 3)), case((0, 4), (4,), (4,))),
        FLOATS,
        call=lambda x, *affine: lamina.group_norm(x, 2, *affine, eps=1e-2),
        rtol=1e-5,
        atol=1e-5,
        signed_zero=False,
    ),
    _op(
        "standardize_input",
        _standardize_input,
        tuple(case(shape, shape, args=(1e-2,)) for shape in ((3, 5), (4, 1), (2, 3, 17), (0, 4), (33,), (2, 300))),
        FLOATS,
        call=_standardize_gradient,
        rtol=1e-5,
        atol=1e-5,
        signed_zero=False,
    ),
)
