"""Rows for Fourier transforms; complex numbers are seen as two floats, along a last axis."""

from __future__ import annotations

from typing import Any

import numpy as np

import lamina

from .row import FLOATS, Case, Op, case

_NORMS = ("backward", "ortho", "forward")


def _complex(x: np.ndarray) -> np.ndarray:
    return np.asarray(x[..., 0] + 1j * x[..., 1])


def _parts(x: np.ndarray) -> np.ndarray:
    return np.stack([x.real, x.imag], -1)


def _reference(kind: str, x: np.ndarray, points: int, dim: int, norm: str, inverse: bool) -> np.ndarray:
    options: Any = {"n": points, "axis": dim, "norm": norm}
    if kind == "half":
        return _parts((np.fft.ihfft if inverse else np.fft.rfft)(x, **options))
    if kind == "real":
        return np.asarray((np.fft.irfft if inverse else np.fft.hfft)(_complex(x), **options))
    return _parts((np.fft.ifft if inverse else np.fft.fft)(_complex(x), **options))


def _call(kind: str, x: lamina.Tensor, points: int, dim: int, norm: str, inverse: bool) -> lamina.Tensor:
    operand = x if kind == "half" else lamina.view_as_complex(x.contiguous())
    result = lamina._core._fourier(kind, operand, [points], [dim], norm, inverse)
    return result if kind == "real" else lamina.view_as_real(result)


def _cases(kind: str) -> tuple[Case, ...]:
    """Lengths that passes, convolutions and rows in two steps are for; more and fewer numbers than points; lanes."""
    chosen = (
        ((5, 4), 4, 1), ((2, 6), 5, 1), ((3, 5), 6, 1), ((7, 3), 7, 0), ((2, 17), 17, 1), ((2, 4, 3), 4, 1),
        ((1, 1), 1, 1), ((2, 2), 2, 0), ((40, 24), 24, 1), ((12, 35), 12, 0), ((3, 300), 300, 1), ((2, 289), 289, 1),
        ((1, 293), 293, 1),
    )  # fmt: skip
    made = []
    for number, (shape, points, dim) in enumerate(chosen):
        size = points // 2 + 1 if kind == "real" and shape[dim] == points else shape[dim]
        dims = tuple(size if axis == dim else n for axis, n in enumerate(shape))
        pair = () if kind == "half" else (2,)
        made.append(case((*dims, *pair), args=(points, dim, _NORMS[number % 3], number % 2 == 1)))
    large = (130, 769) if kind == "real" else (130, 1536)
    made.append(case((*large, *(() if kind == "half" else (2,))), args=(1536, 1, "ortho", False), large=True))
    return tuple(made)


OPS: tuple[Op, ...] = tuple(
    Op(
        name,
        lambda x, *args, kind=kind: _reference(kind, x, *args),
        _cases(kind),
        dtypes=FLOATS,
        call=lambda x, *args, kind=kind: _call(kind, x, *args),
        rtol=1e-5,
        atol=2e-5,
    )
    for name, kind in (("fourier", "complex"), ("fourier_half", "half"), ("fourier_real", "real"))
)
