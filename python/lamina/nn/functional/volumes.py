"""Windows over three axes, made of those over two: what is left is a line of planes."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from . import planes as over_planes
from .padding import pad

__all__ = ["convolution", "transposed_convolution", "window_sums"]


def convolution(
    images: Tensor,
    weight: Tensor,
    size: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int,
) -> Tensor:
    """(N, C, D, H, W) and a weight (O, C / groups, K, kh, kw): the K planes that a window sees become channels."""
    batch, channels, depth, height, width = images.shape
    output, taps = weight.shape[0], weight.shape[2]
    reach = dilation[0] * (taps - 1) + 1
    behind = max((size[0] - 1) * stride[0] + reach - depth - padding[0], 0)
    seen = pad(images, (0, 0, 0, 0, padding[0], behind)) if padding[0] or behind else images
    planes = seen.unfold(2, reach, stride[0])[:, :, : size[0], :, :, :: dilation[0]].permute(0, 2, 1, 5, 3, 4)
    planes = planes.reshape(batch * size[0], channels * taps, height, width)
    kernel = weight.reshape(output, weight.shape[1] * taps, *weight.shape[3:])
    found = over_planes.convolution(planes, kernel, size[1:], stride[1:], padding[1:], dilation[1:], groups)
    return _core._lay_like(found.reshape(batch, size[0], output, *size[1:]).transpose(1, 2), images)


def transposed_convolution(
    images: Tensor,
    weight: Tensor,
    size: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int,
) -> Tensor:
    """(N, C, D, H, W) and a weight (C, O / groups, K, kh, kw): K planes for each, summed where they come to lie."""
    batch, channels, depth, height, width = images.shape
    output, taps = weight.shape[1] * groups, weight.shape[2]
    planes = images.transpose(1, 2).reshape(batch * depth, channels, height, width)
    kernel = weight.reshape(channels, weight.shape[1] * taps, *weight.shape[3:])
    found = over_planes.transposed_convolution(planes, kernel, size[1:], stride[1:], padding[1:], dilation[1:], groups)
    area = size[1] * size[2]
    lines = found.reshape(batch, depth, output, taps, area).permute(0, 2, 3, 1, 4).reshape(-1, taps, depth, area)
    each = _core.eye(taps, dtype=images.dtype, device=images.device).reshape(taps, 1, taps, 1)
    options = [size[0], area], [stride[0], 1], [padding[0], 0], [dilation[0], 1]
    joined = over_planes.transposed_convolution(lines, each, *options, 1)
    return _core._lay_like(joined.reshape(batch, output, *size), images)


def window_sums(images: Tensor, size: list[int], window: list[int], stride: list[int], padding: list[int]) -> Tensor:
    """The sums of the windows of (…, H, W) or (…, D, H, W)."""
    if len(size) == 3:
        planes = window_sums(images, size[1:], window[1:], stride[1:], padding[1:]).flatten(-2)
        found = window_sums(planes, [size[0], planes.shape[-1]], [window[0], 1], [stride[0], 1], [padding[0], 0])
        return found.unflatten(-1, size[1:])
    return _core._window_sums(images, size, window, stride, padding)
