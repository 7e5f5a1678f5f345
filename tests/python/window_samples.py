"""Samples of convolutions and pooling: functions of nn.functional and modules, as in nn_samples.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from nn_samples import Array, Sample, normal

from lamina import nn
from lamina.nn import functional as F

from op_samples.windows import convolve, pool

ONE, NONE = (1, 1), (0, 0)


def distinct(*shape: int) -> Array:
    """Numbers that stay the same in order when they are moved a little."""
    count = int(np.prod(shape))
    return np.random.default_rng(count).permutation(count).reshape(shape) / 4.0


def transpose(x: Array, weight: Array, size: tuple[int, int], stride: int, padding: int) -> Array:
    """Adds a multiple of the weight (c, o, kh, kw) to the window of every element."""
    rows, columns = weight.shape[2:]
    whole = np.zeros((x.shape[0], weight.shape[1], size[0] + 2 * padding + rows, size[1] + 2 * padding + columns))
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            window = whole[:, :, i * stride : i * stride + rows, j * stride : j * stride + columns]
            window += np.einsum("nc,cohw->nohw", x[:, :, i, j], weight)
    return whole[:, :, padding : padding + size[0], padding : padding + size[1]]


def means(x: Array, rows: list[tuple[int, int]], columns: list[tuple[int, int]], divide: bool = True) -> Array:
    """The means (or sums) of windows given by begin and end, cut off at the borders."""
    windows = [[x[..., max(a, 0) : b, max(c, 0) : d] for c, d in columns] for a, b in rows]
    return np.stack(
        [np.stack([w.mean((-2, -1)) if divide else w.sum((-2, -1)) for w in line], -1) for line in windows], -2
    )


def _samples() -> list[Sample]:
    image, weight, bias = normal(2, 4, 5, 6), normal(6, 2, 3, 2), normal(6)
    line = normal(2, 3, 7)
    field, row = distinct(2, 3, 6, 7), distinct(2, 3, 9)
    spots = np.array([[[[0, 5], [10, 15]]]])
    thirds, halves = [(0, 3), (2, 5), (4, 7)], [(0, 3), (3, 6)]
    return [
        Sample(
            "conv2d",
            (image, weight, bias),
            lambda x, w, b: convolve(x, w, (3, 3), (2, 3), (1, 2), (1, 3), 2) + b[:, None, None],
            {"stride": (2, 3), "padding": (1, 2), "dilation": (1, 3), "groups": 2},
        ),
        Sample(
            "conv2d", (image, normal(3, 4, 2, 4)), lambda x, w: convolve(x, w, (5, 6), ONE, (0, 1)), {"padding": "same"}
        ),
        Sample(
            "conv2d", (image[0], normal(3, 4, 1, 1)), lambda x, w: convolve(x[None], w, (5, 6))[0], {"padding": "valid"}
        ),
        Sample(
            "conv1d",
            (line, normal(4, 3, 3), normal(4)),
            lambda x, w, b: convolve(x[:, :, None], w[:, :, None], (1, 4), (1, 2), (0, 1))[:, :, 0] + b[:, None],
            {"stride": 2, "padding": 1},
        ),
        Sample(
            "conv_transpose2d",
            (normal(2, 3, 3, 2), normal(3, 2, 3, 3), normal(2)),
            lambda x, w, b: transpose(x, w, (6, 4), 2, 1) + b[:, None, None],
            {"stride": 2, "padding": 1, "output_padding": (1, 1)},
        ),
        Sample(
            "conv_transpose1d",
            (line, normal(3, 2, 4)),
            lambda x, w: transpose(x[:, :, None], w[:, :, None], (1, 22), 3, 0)[:, :, 0],
            {"stride": 3},
        ),
        Sample(
            "max_pool2d",
            (field,),
            lambda x: pool(x, (3, 3), (2, 3), (2, 2), NONE)[0],
            {"kernel_size": (2, 3), "stride": 2},
        ),
        Sample(
            "max_pool2d",
            (field,),
            lambda x: pool(x, (4, 3), (3, 3), (2, 3), (1, 1), (1, 2))[0],
            {"kernel_size": 3, "stride": (2, 3), "padding": 1, "dilation": (1, 2), "ceil_mode": True},
        ),
        Sample("max_pool1d", (row,), lambda x: x[:, :, :8].reshape(2, 3, 4, 2).max(-1), {"kernel_size": 2}),
        Sample("max_unpool2d", (normal(1, 1, 2, 2), spots), unpooled, {"kernel_size": 2}),
        Sample(
            "max_unpool1d",
            (normal(1, 1, 4), spots.reshape(1, 1, 4) // 2),
            lambda x, i: unpooled_line(x, i, 9),
            {"kernel_size": 2, "output_size": (9,)},
        ),
        Sample("avg_pool2d", (image,), lambda x: means(x, [(0, 2), (2, 4)], [(0, 3), (3, 6)]), {"kernel_size": (2, 3)}),
        Sample(
            "avg_pool2d",
            (image,),
            lambda x: (
                means(x, [(-1, 2), (1, 4), (3, 6)], [(-1, 2), (1, 4), (3, 6), (5, 7)], False)
                / np.outer([3, 3, 3], [3, 3, 3, 2])
            ),
            {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
        ),
        Sample(
            "avg_pool2d",
            (image,),
            lambda x: means(x, [(-1, 2), (1, 4), (3, 6)], [(-1, 2), (1, 4), (3, 6)]),
            {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
        ),
        Sample(
            "avg_pool2d",
            (image,),
            lambda x: means(x, [(0, 2), (2, 4)], [(0, 2), (2, 4), (4, 6)], False) / 3,
            {"kernel_size": 2, "divisor_override": 3},
        ),
        Sample("avg_pool1d", (line,), lambda x: x[:, :, :6].reshape(2, 3, 2, 3).mean(-1), {"kernel_size": 3}),
        Sample(
            "lp_pool2d",
            (np.abs(image),),
            lambda x: means(x**3, [(0, 2), (2, 4)], halves, False) ** (1 / 3),
            {"norm_type": 3.0, "kernel_size": (2, 3)},
        ),
        Sample(
            "lp_pool1d",
            (np.abs(line),),
            lambda x: (x[:, :, :6] ** 2).reshape(2, 3, 2, 3).sum(-1) ** 0.5,
            {"norm_type": 2.0, "kernel_size": 3},
        ),
        Sample("adaptive_avg_pool2d", (image,), lambda x: x.mean((2, 3), keepdims=True), {"output_size": 1}),
        Sample(
            "adaptive_avg_pool2d",
            (image,),
            lambda x: means(x, [(n, n + 1) for n in range(5)], halves),
            {"output_size": (None, 2)},
        ),
        Sample("adaptive_avg_pool2d", (field,), lambda x: means(x, halves, thirds), {"output_size": (2, 3)}),
        Sample(
            "adaptive_avg_pool1d",
            (line,),
            lambda x: means(x[:, :, None], [(0, 1)], thirds)[:, :, 0],
            {"output_size": 3},
        ),
        Sample(
            "adaptive_max_pool2d", (field,), lambda x: pool(x, (2, 1), (3, 7), (3, 7), NONE)[0], {"output_size": (2, 1)}
        ),
        Sample(
            "adaptive_max_pool2d", (field,), lambda x: pool(x, (2, 3), (3, 3), (3, 2), NONE)[0], {"output_size": (2, 3)}
        ),
        Sample("adaptive_max_pool1d", (row,), lambda x: x.reshape(2, 3, 3, 3).max(-1), {"output_size": 3}),
    ]


def unpooled(x: Array, index: Array) -> Array:
    return unpooled_line(x.reshape(1, 1, 4), index.reshape(1, 1, 4), 16).reshape(1, 1, 4, 4)


def unpooled_line(x: Array, index: Array, size: int) -> Array:
    whole = np.zeros((1, 1, size))
    whole[0, 0, index[0, 0]] = x[0, 0]
    return whole


SAMPLES = _samples()


def modules(x: Callable[..., Any]) -> list[tuple[nn.Module, tuple[Any, ...], Callable[..., Any], str]]:
    """Rows of test_nn_layers.py: a module, its inputs, the function it stands for, and how it prints."""

    def conv(module: nn.Module, *shape: int, **options: Any) -> tuple[nn.Module, tuple[Any, ...], Callable[..., Any]]:
        def function(t: Any) -> Any:
            name = type(module).__name__.replace("ConvTranspose", "conv_transpose").replace("Conv", "conv")
            return getattr(F, name)(t, module.weight, module.bias, **options)

        return module, (x(*shape),), function

    return [
        (*conv(nn.Conv1d(2, 3, 2), 1, 2, 5), "Conv1d(2, 3, kernel_size=(2,), stride=(1,))"),
        (
            *conv(
                nn.Conv2d(2, 4, (3, 2), 2, (1, 0), 2, 2, False),
                1,
                2,
                7,
                7,
                stride=2,
                padding=(1, 0),
                dilation=2,
                groups=2,
            ),
            "Conv2d(2, 4, kernel_size=(3, 2), stride=(2, 2), padding=(1, 0), dilation=(2, 2), groups=2, bias=False)",
        ),
        (
            *conv(nn.Conv2d(1, 2, 3, padding="same"), 1, 1, 4, 4, padding="same"),
            "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=same)",
        ),
        (
            *conv(nn.ConvTranspose1d(2, 3, 2, 2, output_padding=1), 1, 2, 3, stride=2, output_padding=1),
            "ConvTranspose1d(2, 3, kernel_size=(2,), stride=(2,), output_padding=(1,))",
        ),
        (*conv(nn.ConvTranspose2d(2, 3, 2), 1, 2, 3, 3), "ConvTranspose2d(2, 3, kernel_size=(2, 2), stride=(1, 1))"),
        (
            nn.MaxPool1d(2),
            (x(1, 2, 5),),
            lambda t: F.max_pool1d(t, 2),
            "MaxPool1d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
        ),
        (
            nn.MaxPool2d(3, 2, 1, ceil_mode=True),
            (x(1, 2, 6, 6),),
            lambda t: F.max_pool2d(t, 3, 2, 1, 1, True),
            "MaxPool2d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=True)",
        ),
        (
            nn.MaxUnpool1d(2),
            (x(1, 1, 2), spots(1, 1, 2)),
            lambda t, i: F.max_unpool1d(t, i, 2),
            "MaxUnpool1d(kernel_size=(2,), stride=(2,), padding=(0,))",
        ),
        (
            nn.MaxUnpool2d(2),
            (x(1, 1, 1, 2), spots(1, 1, 1, 2)),
            lambda t, i: F.max_unpool2d(t, i, 2),
            "MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))",
        ),
        (
            nn.AvgPool1d(2),
            (x(1, 2, 5),),
            lambda t: F.avg_pool1d(t, 2),
            "AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))",
        ),
        (
            nn.AvgPool2d(3, 2, 1),
            (x(1, 2, 6, 6),),
            lambda t: F.avg_pool2d(t, 3, 2, 1),
            "AvgPool2d(kernel_size=3, stride=2, padding=1)",
        ),
        (
            nn.LPPool1d(2, 3),
            (x(1, 2, 6).abs(),),
            lambda t: F.lp_pool1d(t, 2, 3),
            "LPPool1d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)",
        ),
        (
            nn.LPPool2d(2, 3),
            (x(1, 2, 6, 6).abs(),),
            lambda t: F.lp_pool2d(t, 2, 3),
            "LPPool2d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)",
        ),
        (
            nn.AdaptiveAvgPool1d(2),
            (x(1, 2, 5),),
            lambda t: F.adaptive_avg_pool1d(t, 2),
            "AdaptiveAvgPool1d(output_size=2)",
        ),
        (
            nn.AdaptiveAvgPool2d((1, 1)),
            (x(1, 2, 5, 5),),
            lambda t: F.adaptive_avg_pool2d(t, 1),
            "AdaptiveAvgPool2d(output_size=(1, 1))",
        ),
        (
            nn.AdaptiveMaxPool1d(2),
            (x(1, 2, 5),),
            lambda t: F.adaptive_max_pool1d(t, 2),
            "AdaptiveMaxPool1d(output_size=2)",
        ),
        (
            nn.AdaptiveMaxPool2d(2),
            (x(1, 2, 5, 5),),
            lambda t: F.adaptive_max_pool2d(t, 2),
            "AdaptiveMaxPool2d(output_size=2)",
        ),
    ]


def spots(*shape: int) -> Any:
    import lamina

    return lamina.arange(2).reshape(*shape) * 2
