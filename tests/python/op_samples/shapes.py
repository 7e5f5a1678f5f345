"""Samples of the ops that only move numbers: views, joins, cuts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lamina

from .row import FLOATS, Case, Op, case

__all__ = ["OPS"]


def _method(name: str) -> Callable[..., Any]:
    return lambda x, *args, **kwargs: getattr(x, name)(*args, **kwargs)


def _joined(name: str) -> Callable[..., Any]:
    return lambda *tensors, **kwargs: getattr(lamina, name)(tensors, **kwargs)


def _op(name: str, reference: Callable[..., Any], *cases: Case, **more: Any) -> Op:
    return Op(name, reference, cases, **more)


def _complex(x: np.ndarray) -> Any:
    return x[..., 0] + 1j * x[..., 1]


def _parts(x: np.ndarray) -> Any:
    return np.stack([x.real, x.imag], -1)


def _reshape(x: np.ndarray, *shape: Any, **kwargs: Any) -> np.ndarray:
    return x.reshape(*shape, **kwargs)


def _flatten(x: np.ndarray, start_dim: int = 0, end_dim: int = -1) -> np.ndarray:
    if x.ndim == 0:
        return x.reshape(1)
    start, end = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(*x.shape[:start], int(np.prod(x.shape[start : end + 1])), *x.shape[end + 1 :])


def _squeeze(x: np.ndarray, dim: int | tuple[int, ...] | None = None) -> np.ndarray:
    dims = range(x.ndim) if dim is None else [d % x.ndim for d in np.atleast_1d(dim)]
    return x.reshape([n for d, n in enumerate(x.shape) if d not in dims or n != 1])


def _expand(x: np.ndarray, *sizes: int) -> np.ndarray:
    lead = len(sizes) - x.ndim
    shape = [x.shape[d - lead] if n == -1 else n for d, n in enumerate(sizes)]
    return np.broadcast_to(x, shape)


def _narrow(x: np.ndarray, dim: int, start: int, length: int) -> np.ndarray:
    return np.take(x, range(start, start + length), axis=dim)


def _split(x: np.ndarray, size: int | list[int], dim: int = 0) -> list[np.ndarray]:
    n = x.shape[dim]
    cuts = list(range(size, n, size)) if isinstance(size, int) else list(np.cumsum(size)[:-1])
    return np.split(x, cuts, axis=dim)


def _chunk(x: np.ndarray, chunks: int, dim: int = 0) -> list[np.ndarray]:
    return _split(x, max(1, -(-x.shape[dim] // chunks)), dim)


def _unbind(x: np.ndarray, dim: int = 0) -> list[np.ndarray]:
    return [np.take(x, i, axis=dim) for i in range(x.shape[dim])]


def _as_strided(x: np.ndarray, size: Any, stride: Any, storage_offset: int = 0) -> np.ndarray:
    flat = np.ascontiguousarray(x).reshape(-1)[storage_offset:]
    return np.lib.stride_tricks.as_strided(flat, size, [step * x.itemsize for step in stride])


def _unfold(x: np.ndarray, dim: int, size: int, step: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=dim)
    return np.take(windows, range(0, windows.shape[dim], step), axis=dim)


OPS: tuple[Op, ...] = (
    _op(
        "as_strided",
        _as_strided,
        case((3, 4), args=((2, 3), (4, 1))),
        case((3, 4), args=((3, 2, 2), (2, 1, 2), 1)),  # elements seen more than once
        case((3, 4), args=((4, 3), (1, 4))),
        case((5,), args=((), (), 3)),
        case((5,), args=((2, 0), (1, 1))),
        # Of the memory, whatever part of it x shows.
        call=lambda x, *args: lamina.as_strided(x.clone(memory_format=lamina.contiguous_format), *args),
    ),
    _op(
        "unfold",
        _unfold,
        case((7,), args=(0, 3, 2)),
        case((2, 7), args=(1, 3, 1)),
        case((5, 2), args=(0, 2, 2)),
        call=_method("unfold"),
    ),
    _op(
        "diagonal",
        np.diagonal,
        *(case((3, 4), args=(offset,)) for offset in (-2, 0, 1, 4)),
        case((2, 3, 4), args=(1, 2, 0)),
        case((2, 0, 3), args=(0, -1, 0)),
    ),
    Op(
        "bitcast",
        lambda x: x.astype(np.float32).view(np.int32),
        (case((2, 3)), case(()), case((0,))),
        dtypes=("float32",),
        result="int32",
        differentiable=False,
        call=lambda x: x.view(lamina.int32),
    ),
    _op(
        "reshape",
        _reshape,
        case((3, 4), args=((2, 6),)),
        case((3, 4), args=((-1,),)),
        case((), args=((1, 1),)),
        case((2, 0), args=((0, 5),)),
        case((2, 3, 4), args=((4, -1),)),
        case((1,), args=((),)),
    ),
    _op(
        "view",
        _reshape,
        case((3, 4), args=(2, 6)),
        case((3, 4), args=((-1,),)),
        case((2, 0), args=(0, 7)),
        case((2, 3, 4), args=(6, 4)),
        call=_method("view"),
    ),
    _op(
        "flatten",
        _flatten,
        case((2, 3, 4)),
        case((2, 3, 4), args=(1,)),
        case((2, 3, 4), start_dim=0, end_dim=1),
        case(()),
        case((2, 0, 3)),
        case((5,)),
    ),
    _op(
        "squeeze",
        _squeeze,
        case((1, 3, 1)),
        case((1, 3, 1), args=(0,)),
        case((1, 3, 1), args=(1,)),
        case((1, 3, 1), dim=(0, 2)),
        case((3,)),
        case((1, 0)),
    ),
    _op(
        "unsqueeze",
        np.expand_dims,
        case((3, 4), args=(0,)),
        case((3, 4), args=(-1,)),
        case((), args=(0,)),
        case((0, 2), args=(1,)),
    ),
    _op(
        "transpose",
        np.swapaxes,
        case((3, 4), args=(0, 1)),
        case((2, 3, 4), args=(0, -1)),
        case((0, 3), args=(0, 1)),
        case((3,), args=(0, 0)),
        case((301, 401), args=(0, 1), large=True),
    ),
    _op("t", np.transpose, case((3, 4)), case((5,)), case(()), case((0, 2))),
    _op(
        "permute",
        np.transpose,
        case((2, 3, 4), args=((2, 0, 1),)),
        case((2, 3, 4), args=((-1, 1, 0),)),
        case((), args=((),)),
        case((0, 3), args=((1, 0),)),
    ),
    _op("T", np.transpose, case((3, 4)), case((2, 5)), call=lambda x: x.T),
    _op("mT", lambda x: np.swapaxes(x, -1, -2), case((3, 4)), case((2, 3, 4)), call=lambda x: x.mT),
    _op(
        "expand",
        _expand,
        case((3, 1), args=(3, 4)),
        case((3,), args=(2, 3)),
        case((3, 1), args=(2, -1, 4)),
        case((), args=(2, 2)),
        case((1, 0), args=(3, 0)),
        call=_method("expand"),
    ),
    _op(
        "expand_as",
        lambda x, y: np.broadcast_to(x, y.shape),
        case((3, 1), (3, 4)),
        case((), (2,)),
        call=_method("expand_as"),
        differentiable=False,
    ),
    _op("narrow", _narrow, case((3, 4), args=(0, 1, 2)), case((3, 4), args=(-1, 0, 3)), case((3, 4), args=(1, 2, 0))),
    _op(
        "select",
        lambda x, dim, index: np.take(x, index, axis=dim),
        case((3, 4), args=(0, 1)),
        case((3, 4), args=(-1, -2)),
        case((2, 0, 3), args=(0, 1)),
    ),
    _op(
        "split",
        _split,
        case((5, 2), args=(2,)),
        case((5, 2), args=([1, 4],)),
        case((2, 6), args=(3,), dim=1),
        case((4,), args=(4,)),
    ),
    _op("chunk", _chunk, case((6, 2), args=(3,)), case((5, 2), args=(2,)), case((2, 7), args=(3,), dim=-1)),
    _op("unbind", _unbind, case((3, 4)), case((3, 4), args=(1,)), case((2, 0)), case((2, 3), dim=-1)),
    _op(
        "cat",
        lambda *xs, dim=0: np.concatenate(xs, axis=dim),
        case((2, 3), (4, 3)),
        case((2, 3), (2, 1), dim=1),
        case((3,), (0,), (2,)),
        case((2, 3), (2, 3), (2, 3), dim=-1),
        case((0, 3), (2, 3)),
        case((2, 3)),
        case((200, 301), (201, 301), large=True),
        call=_joined("cat"),
    ),
    _op(
        "stack",
        lambda *xs, dim=0: np.stack(xs, axis=dim),
        case((2, 3), (2, 3)),
        case((2, 3), (2, 3), dim=1),
        case((2, 3), (2, 3), dim=-1),
        case((), (), ()),
        case((0, 2), (0, 2)),
        call=_joined("stack"),
    ),
    _op(
        "flip",
        lambda x, dims: np.flip(x, dims),
        case((3, 4), args=((0,),)),
        case((3, 4), args=((0, 1),)),
        case((2, 3, 4), args=((-1,),)),
        case((0, 2), args=((0,),)),
        case((67,), args=((0,),)),
    ),
    _op("clone", np.copy, case((3, 4)), case(()), case((0,))),
    _op("contiguous", np.ascontiguousarray, case((3, 4)), case((2, 0)), call=_method("contiguous")),
    _op(
        "view_as_real",
        lambda x: _parts(_complex(x)),
        case((3, 2)),
        case((2, 1, 2)),
        case((2,)),
        call=lambda x: lamina.view_as_real(lamina.view_as_complex(x.contiguous())),
        dtypes=FLOATS,
    ),
    _op(
        "view_as_complex",
        lambda x: _parts(_complex(x) * (2 - 1j)),
        case((3, 2)),
        case((2, 3, 2)),
        call=lambda x: lamina.view_as_real(lamina.view_as_complex(x.contiguous()) * (2 - 1j)),
        dtypes=FLOATS,
    ),
    _op(
        "complex",
        lambda a, b: _parts(a + 1j * b),
        case((3, 4), (3, 4)),
        case((3, 4), (4,)),
        case((), ()),
        call=lambda a, b: lamina.view_as_real(lamina.complex(a, b)),
        dtypes=FLOATS,
    ),
    _op(
        "polar",
        lambda a, b: _parts(a * np.exp(1j * b)),
        case((3, 4), (3, 4)),
        call=lambda a, b: lamina.view_as_real(lamina.polar(a, b)),
        dtypes=FLOATS,
    ),
    _op("real", np.copy, case((3, 4))),
    _op(
        "imag",
        lambda a, b: b + 0 * a,
        case((3, 4), (3, 4)),
        call=lambda a, b: lamina.imag(lamina.complex(a, b)),
        dtypes=FLOATS,
    ),
    _op("conj", np.copy, case((3, 4))),
    _op("conj_physical", np.copy, case((3, 4))),
    _op("detach", np.copy, case((3, 4)), case(()), differentiable=False),
    _op(
        "to",
        lambda x, dtype: x.astype(dtype),
        case((3, 4), args=("float64",)),
        case((3,), args=("int64",)),
        case((0,), args=("bool",)),
        case((), args=("float32",)),
        call=_method("to"),
        result="exact",
        differentiable=False,
    ),
)
