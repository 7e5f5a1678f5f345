"""Convolutions over two axes: the core's, or, of integers, products of matrices."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from .padding import pad

__all__ = ["convolution", "transposed_convolution"]


def convolution(
    images: Tensor,
    weight: Tensor,
    size: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int,
) -> Tensor:
    """(N, C, H, W) and a weight (O, C / groups, kh, kw) to (N, O, *size)."""
    if not _of_integers(images, weight):
        return _core._convolution(images, weight, size, stride, padding, dilation, groups)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:])]
    behind = [
        max((s - 1) * step + r - n - before, 0)
        for s, step, r, n, before in zip(size, stride, reach, images.shape[2:], padding)
    ]
    windows = pad(images, (padding[1], behind[1], padding[0], behind[0]))
    windows = windows.unfold(2, reach[0], stride[0])[:, :, : size[0], :, :: dilation[0]]
    windows = windows.unfold(3, reach[1], stride[1])[:, :, :, : size[1], :, :: dilation[1]]
    columns = windows.unflatten(1, (groups, weight.shape[1])).permute(0, 1, 3, 4, 2, 5, 6)
    columns = columns.reshape(len(images), groups, size[0] * size[1], weight[0].numel())
    kernels = weight.reshape(groups, len(weight) // groups, weight[0].numel()).transpose(1, 2)
    return (columns @ kernels).transpose(2, 3).reshape(len(images), len(weight), *size)


def transposed_convolution(
    images: Tensor,
    weight: Tensor,
    size: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int,
) -> Tensor:
    """(N, C, H, W) and a weight (C, O / groups, kh, kw) to (N, O, *size)."""
    if not _of_integers(images, weight):
        return _core._convolution_input(images, weight, size, stride, padding, dilation, groups)
    apart = images.new_zeros(*images.shape[:2], *[(n - 1) * step + 1 for n, step in zip(images.shape[2:], stride)])
    apart[:, :, :: stride[0], :: stride[1]] = images
    turned = weight.flip(2, 3).unflatten(0, (groups, len(weight) // groups)).transpose(1, 2).flatten(0, 1)
    before = [d * (k - 1) - p for d, k, p in zip(dilation, weight.shape[2:], padding)]
    return convolution(apart, turned, size, [1, 1], before, dilation, groups)


def _of_integers(images: Tensor, weight: Tensor) -> bool:
    kind = images.dtype
    return not (kind.is_floating_point or kind.is_complex or kind == _core.bool) and weight.dtype == kind
