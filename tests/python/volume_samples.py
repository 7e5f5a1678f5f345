"""Samples of windows over three axes and of windows at random distances, as in nn_samples.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from nn_samples import Array, Sample, normal, p_norm
from window_samples import distinct

import lamina
from lamina import nn
from lamina.nn import functional as F

Three = tuple[int, int, int]


def windows(x: Array, size: Three, stride: int = 1, padding: int = 0, dilation: int = 1, fill: float = 0) -> Array:
    """(…, D, H, W) to (…, D', H', W', *size)."""
    border = [(0, 0)] * (x.ndim - 3) + [(padding, padding)] * 3
    reach = tuple(dilation * (k - 1) + 1 for k in size)
    seen = np.lib.stride_tricks.sliding_window_view(np.pad(x, border, constant_values=fill), reach, (-3, -2, -1))
    some, taps = slice(None, None, stride), slice(None, None, dilation)
    return seen[..., some, some, some, taps, taps, taps]


def spread(x: Array, weight: Array, size: Three, stride: int, padding: int) -> Array:
    """Adds a multiple of the weight (c, o, k, k, k) to the window of every element."""
    whole = np.zeros((x.shape[0], weight.shape[1], *(n + 2 * padding + weight.shape[-1] for n in size)))
    for i, j, k in np.ndindex(*x.shape[2:]):
        at = [slice(n * stride, n * stride + t) for n, t in zip((i, j, k), weight.shape[2:], strict=True)]
        whole[(..., *at)] += np.einsum("nc,cohwd->nohwd", x[:, :, i, j, k], weight)
    return whole[(..., *(slice(padding, padding + n) for n in size))]


def _largest(x: Array) -> Array:
    return windows(x, (2, 2, 2), 2).max((-3, -2, -1))


def _unpooled(x: Array, index: Array, *size: int) -> Array:
    whole = np.zeros(int(np.prod(size)))
    whole[index.reshape(-1)] = x.reshape(-1)
    return whole.reshape(x.shape[0], x.shape[1], *size)


def _samples() -> list[Sample]:
    volume, weight, bias = normal(1, 2, 3, 4, 3), normal(2, 1, 2, 2, 2), normal(2)
    field, line, plane = distinct(1, 2, 4, 4, 4), distinct(1, 2, 6), distinct(1, 2, 4, 4)
    where = np.array([[[[[3, 12, 17]]]]])
    samples2, samples3 = np.full((1, 2, 2), 0.5), np.full((1, 2, 3), 0.5)
    # Three of five, two apart on average: at 0.5 they begin at 0, 2 and 3.
    begins = [0, 2, 3]

    def fractional(x: Array, axes: int) -> Array:
        for axis in range(-axes, 0):
            parts = [np.take(x, range(b, b + 2), axis).max(axis, keepdims=True) for b in begins]
            x = np.concatenate(parts, axis)
        return x

    rows = [
        Sample(
            "conv3d",
            (volume, weight, bias),
            lambda x, w, b: (
                np.einsum("ncdhwijk,cijk->ncdhw", windows(x, (2, 2, 2), 2, 1), w[:, 0]) + b[:, None, None, None]
            ),
            {"stride": 2, "padding": 1, "groups": 2},
        ),
        Sample(
            "conv3d",
            (volume, normal(3, 2, 2, 1, 2)),
            lambda x, w: np.einsum("ncdhwijk,ocijk->nodhw", windows(x, (2, 1, 2), dilation=2), w),
            {"dilation": 2},
        ),
        Sample(
            "conv_transpose3d",
            (normal(1, 2, 2, 2, 2), normal(2, 2, 2, 2, 2), bias),
            lambda x, w, b: spread(x, w, (3, 3, 3), 2, 1) + b[:, None, None, None],
            {"stride": 2, "padding": 1, "output_padding": 1},
        ),
        Sample(
            "conv_tbc",
            (normal(5, 2, 3), normal(2, 3, 2), bias),
            lambda x, w, b: np.stack([x[n] @ w[0] + x[n + 1] @ w[1] for n in range(4)]) + b,
        ),
        Sample("max_pool3d", (field,), _largest, {"kernel_size": 2}),
        Sample(
            "max_pool3d",
            (field,),
            lambda x: windows(x, (2, 2, 2), 2, 1, fill=-np.inf).max((-3, -2, -1)),
            {"kernel_size": 2, "padding": 1},
        ),
        Sample("max_pool3d_with_indices", (field,), _largest, {"kernel_size": 2}),
        Sample(
            "max_pool2d_with_indices",
            (plane,),
            lambda x: x.reshape(1, 2, 2, 2, 2, 2).max((3, 5)),
            {"kernel_size": 2},
        ),
        Sample("max_pool1d_with_indices", (line,), lambda x: x.reshape(1, 2, 3, 2).max(-1), {"kernel_size": 2}),
        Sample(
            "max_unpool3d", (normal(1, 1, 1, 1, 3), where), lambda x, i: _unpooled(x, i, 2, 2, 6), {"kernel_size": 2}
        ),
        Sample(
            "avg_pool3d",
            (volume,),
            lambda x: windows(x, (2, 2, 2), 2, 1).mean((-3, -2, -1)),
            {"kernel_size": 2, "padding": 1},
        ),
        Sample(
            "avg_pool3d",
            (volume,),
            lambda x: (
                windows(x, (2, 2, 2), 2, 1).sum((-3, -2, -1))
                / windows(np.ones_like(x), (2, 2, 2), 2, 1).sum((-3, -2, -1))
            ),
            {"kernel_size": 2, "padding": 1, "count_include_pad": False},
        ),
        Sample(
            "lp_pool3d",
            (np.abs(field) + 1,),
            lambda x: p_norm(windows(x, (2, 2, 2), 2).reshape(1, 2, 2, 2, 2, 8), 3, -1),
            {"norm_type": 3.0, "kernel_size": 2},
        ),
        Sample(
            "adaptive_avg_pool3d", (field,), lambda x: windows(x, (2, 2, 2), 2).mean((-3, -2, -1)), {"output_size": 2}
        ),
        Sample(
            "adaptive_avg_pool3d",
            (field,),
            lambda x: np.stack([x[:, :, :2].mean(2), x[:, :, 1:3].mean(2), x[:, :, 2:].mean(2)], 2),
            {"output_size": (3, None, None)},
        ),
        Sample("adaptive_max_pool3d", (field,), _largest, {"output_size": 2}),
        Sample("adaptive_max_pool3d_with_indices", (field,), _largest, {"output_size": 2}),
        Sample(
            "adaptive_max_pool3d",
            (field,),
            lambda x: np.stack(
                [x[:, :, a : a + 2, :, b : b + 2].max((2, 3, 4)) for a in (0, 1, 2) for b in (0, 2)], 2
            ).reshape(1, 2, 3, 1, 2),
            {"output_size": (3, 1, 2)},
        ),
        Sample(
            "adaptive_max_pool2d_with_indices", (plane,), lambda x: x.max(3, keepdims=True), {"output_size": (None, 1)}
        ),
        Sample(
            "adaptive_max_pool1d_with_indices", (line,), lambda x: x.reshape(1, 2, 3, 2).max(-1), {"output_size": 3}
        ),
    ]
    for suffix in ("", "_with_indices"):
        rows.append(
            Sample(
                f"fractional_max_pool2d{suffix}",
                (distinct(1, 2, 5, 5),),
                lambda x: fractional(x, 2),
                {"kernel_size": 2, "output_size": 3, "_random_samples": samples2},
            )
        )
        rows.append(
            Sample(
                f"fractional_max_pool3d{suffix}",
                (distinct(1, 2, 5, 5, 5),),
                lambda x: fractional(x, 3),
                {"kernel_size": 2, "output_ratio": 0.6, "_random_samples": samples3},
            )
        )
    return rows


SAMPLES = _samples()


def modules(x: Callable[..., Any]) -> list[tuple[nn.Module, tuple[Any, ...], Callable[..., Any], str]]:
    """Rows of test_nn_layers.py: a module, its inputs, the function it stands for, and how it prints."""
    conv, transposed = nn.Conv3d(2, 3, (1, 2, 3), padding=1), nn.ConvTranspose3d(2, 3, 2, 2)
    volume, spots = x(1, 2, 4, 4, 4), lamina.arange(2).reshape(1, 1, 1, 1, 2) * 5
    half2, half3 = lamina.full((1, 2, 2), 0.5), lamina.full((1, 2, 3), 0.5)
    return [
        (
            conv,
            (volume,),
            lambda t: F.conv3d(t, conv.weight, conv.bias, padding=1),
            "Conv3d(2, 3, kernel_size=(1, 2, 3), stride=(1, 1, 1), padding=(1, 1, 1))",
        ),
        (
            transposed,
            (volume,),
            lambda t: F.conv_transpose3d(t, transposed.weight, transposed.bias, 2),
            "ConvTranspose3d(2, 3, kernel_size=(2, 2, 2), stride=(2, 2, 2))",
        ),
        (
            nn.MaxPool3d(2),
            (volume,),
            lambda t: F.max_pool3d(t, 2),
            "MaxPool3d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
        ),
        (
            nn.MaxUnpool3d(2),
            (x(1, 1, 1, 1, 2), spots),
            lambda t, i: F.max_unpool3d(t, i, 2),
            "MaxUnpool3d(kernel_size=(2, 2, 2), stride=(2, 2, 2), padding=(0, 0, 0))",
        ),
        (nn.AvgPool3d(2), (volume,), lambda t: F.avg_pool3d(t, 2), "AvgPool3d(kernel_size=2, stride=2, padding=0)"),
        (
            nn.LPPool3d(2, 3),
            (volume.abs(),),
            lambda t: F.lp_pool3d(t, 2, 3),
            "LPPool3d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)",
        ),
        (
            nn.AdaptiveAvgPool3d(2),
            (volume,),
            lambda t: F.adaptive_avg_pool3d(t, 2),
            "AdaptiveAvgPool3d(output_size=2)",
        ),
        (
            nn.AdaptiveMaxPool3d(2),
            (volume,),
            lambda t: F.adaptive_max_pool3d(t, 2),
            "AdaptiveMaxPool3d(output_size=2)",
        ),
        (
            nn.FractionalMaxPool2d(2, 2, _random_samples=half2),
            (x(1, 2, 5, 5),),
            lambda t: F.fractional_max_pool2d(t, 2, 2, _random_samples=half2),
            "FractionalMaxPool2d()",
        ),
        (
            nn.FractionalMaxPool3d(2, output_ratio=0.5, _random_samples=half3),
            (volume,),
            lambda t: F.fractional_max_pool3d(t, 2, 2, _random_samples=half3),
            "FractionalMaxPool3d()",
        ),
        (
            nn.ReflectionPad3d(1),
            (volume,),
            lambda t: F.pad(t, [1] * 6, "reflect"),
            "ReflectionPad3d((1, 1, 1, 1, 1, 1))",
        ),
        (
            nn.ReplicationPad3d(1),
            (volume,),
            lambda t: F.pad(t, [1] * 6, "replicate"),
            "ReplicationPad3d((1, 1, 1, 1, 1, 1))",
        ),
        (
            nn.CircularPad3d(1),
            (volume,),
            lambda t: F.pad(t, [1] * 6, "circular"),
            "CircularPad3d((1, 1, 1, 1, 1, 1))",
        ),
        (nn.ZeroPad3d(1), (volume,), lambda t: F.pad(t, [1] * 6), "ZeroPad3d((1, 1, 1, 1, 1, 1))"),
        (
            nn.ConstantPad3d(1, 2.5),
            (volume,),
            lambda t: F.pad(t, [1] * 6, value=2.5),
            "ConstantPad3d(padding=(1, 1, 1, 1, 1, 1), value=2.5)",
        ),
    ]
