"""Samples of windows over images: convolutions, their adjoints by their gradients, largest elements and sums."""

from __future__ import annotations

from typing import Any

import numpy as np

import lamina

from .row import FLOATS, NUMBERS, Domain, Op, case

__all__ = ["OPS", "convolve", "pool"]

Array = np.ndarray[Any, Any]


def convolve(
    x: Array,
    weight: Array,
    size: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
) -> Array:
    """Sums windows of images (n, c, h, w) times a weight (o, c / groups, kh, kw): `size` of them, 0 outside."""
    out, channels, rows, columns = weight.shape
    far = [(n - 1) * s + d * k for n, s, d, k in zip(size, stride, dilation, (rows, columns))]
    padded = np.zeros((*x.shape[:2], *(max(f, p + n) for f, p, n in zip(far, padding, x.shape[2:]))), x.dtype)
    padded[:, :, padding[0] : padding[0] + x.shape[2], padding[1] : padding[1] + x.shape[3]] = x
    y = np.zeros((x.shape[0], out, *size), x.dtype)
    for o in range(out):
        first = o // (out // groups) * channels
        for i in range(size[0]):
            for j in range(size[1]):
                top, left = i * stride[0], j * stride[1]
                window = padded[
                    :,
                    first : first + channels,
                    top : top + rows * dilation[0] : dilation[0],
                    left : left + columns * dilation[1] : dilation[1],
                ]
                y[:, o, i, j] = (window * weight[o]).sum((1, 2, 3))
    return y


def pool(
    x: Array,
    size: tuple[int, int],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> tuple[Array, Array]:
    """The largest of each window of planes (…, h, w), and where in its plane it is."""
    height, width = x.shape[-2:]
    largest = np.zeros((*x.shape[:-2], *size), x.dtype)
    where = np.zeros(largest.shape, np.int64)
    for i in range(size[0]):
        for j in range(size[1]):
            rows = [r for a in range(window[0]) if 0 <= (r := i * stride[0] - padding[0] + a * dilation[0]) < height]
            columns = [c for a in range(window[1]) if 0 <= (c := j * stride[1] - padding[1] + a * dilation[1]) < width]
            places = np.array([r * width + c for r in rows for c in columns])
            values = x.reshape(*x.shape[:-2], height * width)[..., places]
            largest[..., i, j] = values.max(-1)
            where[..., i, j] = places[values.argmax(-1)]
    return largest, where


def _sums(x: Array, size: tuple[int, int], window: tuple[int, int], *options: tuple[int, int]) -> Array:
    planes = x.reshape(-1, 1, *x.shape[-2:])
    return convolve(planes, np.ones((1, 1, *window)), size, *options).reshape(*x.shape[:-2], *size)


def _sums_input(y: Array, size: tuple[int, int], window: tuple[int, int], *options: tuple[int, int]) -> Array:
    planes = y.reshape(-1, 1, *y.shape[-2:])
    found = _transposed(planes, np.ones((1, 1, *window)), size, *options, (1, 1), 1)
    return found.reshape(*y.shape[:-2], *size)


def _sums_gradient(y: Any, size: tuple[int, int], *options: Any) -> Any:
    """The sums back, recorded as the gradient of sums."""
    x = y.new_zeros(*y.shape[:-2], *size, requires_grad=True)
    with lamina.enable_grad():
        result = lamina._core._window_sums(x, y.shape[-2:], *options)
        return lamina.autograd.grad(result, x, y, create_graph=True)[0]


def _transposed(x: Array, weight: Array, size: tuple[int, int], *options: Any) -> Array:
    """By the definition of an adjoint: the inner products with what every unit image becomes."""
    groups = options[3]
    channels = weight.shape[1] * groups
    units = np.eye(channels * size[0] * size[1]).reshape(-1, channels, *size)
    images = convolve(units, weight, x.shape[2:], *options)
    return np.tensordot(x, images, ((1, 2, 3), (1, 2, 3))).reshape(x.shape[0], channels, *size)


def _weight_gradient(x: Any, y: Any, shape: tuple[int, ...], *options: Any) -> Any:
    """The weight's gradient, recorded as the gradient of a convolution."""
    weight = x.new_zeros(*shape, requires_grad=True)
    result = lamina._core._convolution(x, weight, y.shape[2:], *options)
    return lamina.autograd.grad(result, weight, y, create_graph=True)[0]


def _weight_reference(x: Array, y: Array, shape: tuple[int, ...], *options: Any) -> Array:
    units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return np.array([(convolve(x, unit, y.shape[2:], *options) * y).sum() for unit in units]).reshape(shape)


def _extend(x: Array, widths: tuple[int, ...], borders: int) -> Array:
    """By NumPy's padding, and what is cropped of it; the borders are cropped first where they wrap around."""
    pairs = [(0, 0)] * (x.ndim - len(widths) // 2) + list(zip(widths[::2], widths[1::2]))[::-1]
    cropped = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, pairs))]
    positive = [(max(a, 0), max(b, 0)) for a, b in pairs]
    if borders == 2:
        return np.pad(cropped, positive, "wrap")
    padded = np.pad(x, positive, ("reflect", "edge")[borders])  # type: ignore[call-overload]
    found: Array = padded[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(padded.shape, pairs))]
    return found


def _extend_input(y: Array, shape: tuple[int, ...], *options: Any) -> Array:
    source = _extend(np.arange(np.prod(shape)).reshape(shape), *options)
    x = np.zeros(int(np.prod(shape)), y.dtype)
    np.add.at(x, source.reshape(-1), y.reshape(-1))
    return x.reshape(shape)


def _extend_gradient(y: Any, shape: tuple[int, ...], *options: Any) -> Any:
    x = y.new_zeros(*shape, requires_grad=True)
    with lamina.enable_grad():
        result = lamina._core._extend(x, *options)
        return lamina.autograd.grad(result, x, y, create_graph=True)[0]


# (shape, widths): the last axis comes first.
_EXTENDED: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((5,), (2, 4)),
    ((2, 3, 40), (33, 1)),
    ((3, 4, 5), (1, 2, 3, 0)),
    ((2, 3, 4, 5), (2, 1, 0, 2, 1, 1)),
    ((4, 6), (-1, 3, 2, -2)),
    ((2, 5, 6), (-2, 0, 0, -1)),
    ((2, 6), (-3, -3)),
    ((3, 4), (0, 0)),
    ((0, 3, 4), (1, 1, 1, 1)),
    ((7, 60, 70), (1, 1, 1, 1)),
    ((3, 9000), (300, 5)),
)
_LARGE_EXTENDED = 9

OPS: tuple[Op, ...] = (
    Op(
        "extend",
        _extend,
        tuple(
            case(shape, args=(widths, borders), large=n >= _LARGE_EXTENDED)
            for n, (shape, widths) in enumerate(_EXTENDED)
            for borders in range(3)
        ),
        call=lamina._core._extend,
    ),
    Op(
        "extend_input",
        _extend_input,
        tuple(
            case(
                _extend(np.zeros(shape), widths, borders).shape,
                args=(shape, widths, borders),
                large=n >= _LARGE_EXTENDED,
            )
            for n, (shape, widths) in enumerate(_EXTENDED)
            for borders in range(3)
        ),
        dtypes=FLOATS,
        call=_extend_gradient,
        rtol=1e-5,
        atol=1e-5,
        signed_zero=False,
    ),
    Op(
        "convolution",
        convolve,
        (
            case((2, 3, 5, 6), (4, 3, 3, 2), args=((3, 5), (1, 1), (0, 0), (1, 1), 1)),
            case((2, 4, 7, 5), (6, 2, 3, 3), args=((4, 3), (2, 2), (1, 1), (1, 1), 2)),
            case((1, 3, 9, 8), (3, 1, 2, 3), args=((4, 3), (2, 3), (2, 1), (3, 2), 3)),
            case((1, 5, 3, 3), (4, 5, 1, 1), args=((2, 2), (2, 2), (0, 0), (1, 1), 1)),
            case((9, 3, 2, 2), (5, 3, 3, 3), args=((2, 2), (1, 1), (1, 1), (1, 1), 1)),
            case((0, 3, 4, 4), (2, 3, 3, 3), args=((2, 2), (1, 1), (0, 0), (1, 1), 1)),
            case((2, 0, 4, 4), (2, 0, 3, 3), args=((2, 2), (1, 1), (0, 0), (1, 1), 1)),
            case((2, 16, 24, 26), (20, 16, 3, 3), args=((24, 26), (1, 1), (1, 1), (1, 1), 1), large=True),
        ),
        dtypes=FLOATS,
        rejected=("bool",),
        call=lamina._core._convolution,
        rtol=1e-5,
        atol=2e-4,
    ),
    Op(
        "convolution_input",
        _transposed,
        (
            case((2, 4, 3, 5), (4, 3, 3, 2), args=((5, 6), (1, 1), (0, 0), (1, 1), 1)),
            case((1, 6, 4, 3), (6, 2, 3, 3), args=((8, 5), (2, 2), (1, 1), (1, 1), 2)),
            case((2, 2, 2, 2), (2, 1, 2, 2), args=((8, 8), (4, 3), (0, 0), (1, 2), 2)),
        ),
        dtypes=FLOATS,
        call=lamina._core._convolution_input,
        rtol=1e-5,
        atol=2e-4,
    ),
    Op(
        "convolution_weight",
        _weight_reference,
        (
            case((2, 3, 5, 6), (2, 4, 3, 5), args=((4, 3, 3, 2), (1, 1), (0, 0), (1, 1), 1)),
            case((2, 4, 7, 5), (2, 2, 4, 3), args=((2, 2, 3, 3), (2, 2), (1, 1), (1, 1), 2)),
            case((1, 2, 5, 20), (1, 3, 5, 18), args=((3, 2, 1, 3), (1, 1), (0, 0), (1, 1), 1)),
        ),
        dtypes=FLOATS,
        call=_weight_gradient,
        rtol=1e-5,
        atol=2e-4,
    ),
    Op(
        "max_pool_positions",
        lambda *args: pool(*args)[1],
        (
            case((2, 3, 5, 6), args=((2, 3), (2, 2), (2, 2), (0, 0), (1, 1))),
            case((4, 5), args=((3, 3), (3, 2), (2, 2), (1, 1), (2, 1))),
            case((0, 4, 4), args=((2, 2), (2, 2), (2, 2), (0, 0), (1, 1))),
            case((3, 60, 70), args=((30, 35), (3, 3), (2, 2), (1, 1), (1, 1)), large=True),
        ),
        (Domain(distinct=True),),
        dtypes=NUMBERS,
        result="int64",
        differentiable=False,
        call=lamina._core._max_pool_positions,
    ),
    Op(
        "window_sums",
        _sums,
        (
            case((2, 3, 4, 6), args=((2, 3), (2, 2), (2, 2), (0, 0))),
            case((7, 8), args=((4, 4), (3, 3), (2, 2), (1, 1))),
            case((3, 6, 5), args=((6, 5), (3, 3), (1, 1), (1, 1))),
            case((2, 9, 11), args=((2, 4), (5, 2), (4, 3), (1, 1))),
            case((2, 8, 9), args=((2, 3), (2, 7), (5, 3), (0, 2))),
            case((0, 4, 4), args=((2, 2), (2, 2), (2, 2), (0, 0))),
            case((1, 2, 2100), args=((2, 1050), (1, 3), (1, 2), (0, 1)), large=True),
            case((40, 50, 60), args=((25, 30), (2, 2), (2, 2), (0, 0)), large=True),
        ),
        dtypes=FLOATS,
        rejected=("bool", "int64"),
        call=lamina._core._window_sums,
        rtol=1e-5,
        atol=1e-5,
        signed_zero=False,
    ),
    Op(
        "window_sums_input",
        _sums_input,
        (
            case((2, 3, 2, 3), args=((4, 6), (2, 2), (2, 2), (0, 0))),
            case((4, 4), args=((7, 8), (3, 3), (2, 2), (1, 1))),
            case((3, 6, 5), args=((6, 5), (3, 3), (1, 1), (1, 1))),
            case((2, 2, 3), args=((9, 10), (5, 5), (4, 3), (1, 1))),
            case((2, 2, 3), args=((8, 11), (2, 1), (5, 4), (0, 0))),
            case((0, 2, 2), args=((4, 4), (2, 2), (2, 2), (0, 0))),
        ),
        dtypes=FLOATS,
        call=_sums_gradient,
        rtol=1e-5,
        atol=1e-5,
        signed_zero=False,
    ),
)
