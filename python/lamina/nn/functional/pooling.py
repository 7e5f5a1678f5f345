"""Pooling: the largest element or the mean of each window."""

from __future__ import annotations

from math import inf, prod

from ... import _core
from ..._core import Tensor
from ...dtypes import iinfo
from .padding import pad
from .windows import Windows, as_images, per_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .windows import PerAxis

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "lp_pool1d",
    "lp_pool2d",
    "max_pool1d",
    "max_pool2d",
    "max_unpool1d",
    "max_unpool2d",
]


def max_pool1d(
    input: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest of each window of (N, C, L) or (C, L): max_pool2d along one axis."""
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest of each window of (N, C, H, W) or (C, H, W); windows lie `stride` (their size) apart.

    The first of equal ones gets the gradient. `padding` counts as less than everything. With `ceil_mode`, windows that
    begin inside and end outside count too. With `return_indices`, also where in its plane (of H W elements) each is.
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _max_pool(
    axes: int,
    input: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: PerAxis,
    dilation: PerAxis,
    ceil_mode: bool,
    return_indices: bool,
) -> Tensor | tuple[Tensor, Tensor]:
    name = f"max_pool{axes}d"
    windows = Windows(name, axes, kernel_size, stride, padding, dilation)
    size = windows.output_size(name, input, ceil_mode)
    images = as_images(input, axes)
    options = windows.for_two_axes(size)
    if windows.may_be_empty(size, input):
        output, positions = _max_pool_of_padded(images, *options)
    else:
        output, positions = _core._max_pool(images, *options)
    if axes == 1:
        output, positions = output.squeeze(-2), positions.squeeze(-2)
        output = _core._labelled(output, "Squeeze@1") if output.requires_grad else output
    return (output, positions) if return_indices else output


def _max_pool_of_padded(
    images: Tensor, size: list[int], window: list[int], stride: list[int], padding: list[int], dilation: list[int]
) -> tuple[Tensor, Tensor]:
    """For windows that see nothing but padding: they give the least number."""
    height, width = images.shape[-2:]
    least = -inf if images.is_floating_point() else float(iinfo(images.dtype).min)
    padded = pad(images, (padding[1], padding[1], padding[0], padding[0]), value=least)
    output, positions = _core._max_pool(padded, size, window, stride, [0, 0], dilation)
    across = padded.shape[-1]
    rows = positions.div(across, rounding_mode="floor") - padding[0]
    columns = positions % across - padding[1]
    return output, rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)


def avg_pool1d(
    input: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of (N, C, L) or (C, L): avg_pool2d along one axis."""
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of (N, C, H, W) or (C, H, W); windows lie `stride` (their size) apart.

    `padding` counts as zeros, or, without `count_include_pad`, not at all. What `ceil_mode` adds beyond the padding
    never counts. `divisor_override` divides the sums instead of the count.
    """
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _avg_pool(
    axes: int,
    input: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: PerAxis,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    name = f"avg_pool{axes}d"
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    windows = Windows(name, axes, kernel_size, stride, padding, 1)
    size = windows.output_size(name, input, ceil_mode)
    sums = _window_sums(as_images(input, axes), windows, size)
    if axes == 1:
        sums = sums.squeeze(-2)
    if divisor_override is not None:
        output = sums / divisor_override
    elif windows.are_whole(size, input, count_include_pad):
        output = sums / prod(windows.kernel)
    else:
        output = sums / _counts(windows, size, input, count_include_pad)
    return _core._labelled(output, f"AvgPool{axes}D") if output.requires_grad else output


def _window_sums(images: Tensor, windows: Windows, size: list[int]) -> Tensor:
    """A convolution of every plane by itself with a window of ones."""
    planes = images.reshape(-1, 1, *images.shape[-2:])
    size2, kernel, stride, padding, dilation = windows.for_two_axes(size)
    ones = _core.ones(1, 1, *kernel, dtype=images.dtype)
    return _core._convolution(planes, ones, size2, stride, padding, dilation, 1).reshape(*images.shape[:-2], *size2)


def _counts(windows: Windows, size: list[int], input: Tensor, count_include_pad: bool) -> Tensor:
    """How many elements each window's mean is of."""
    counts = _core.ones((), dtype=input.dtype)
    for axis in range(windows.axes):
        length, padding = input.shape[axis - windows.axes], windows.padding[axis]
        starts = [n * windows.stride[axis] - padding for n in range(size[axis])]
        low, high = (-padding, length + padding) if count_include_pad else (0, length)
        along = [float(min(s + windows.kernel[axis], high) - max(s, low)) for s in starts]
        counts = counts.unsqueeze(-1) * _core.tensor(along, dtype=input.dtype)
    return counts


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: PerAxis, stride: PerAxis | None = None, ceil_mode: bool = False
) -> Tensor:
    """The `norm_type`-norm of each window of (N, C, L) or (C, L)."""
    count = prod(per_axis("kernel_size", kernel_size, 1))
    return _lp_pool(avg_pool1d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode), norm_type, count)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: PerAxis, stride: PerAxis | None = None, ceil_mode: bool = False
) -> Tensor:
    """The `norm_type`-norm of each window of (N, C, H, W) or (C, H, W)."""
    count = prod(per_axis("kernel_size", kernel_size, 2))
    return _lp_pool(avg_pool2d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode), norm_type, count)


def _lp_pool(means: Tensor, norm_type: float, count: int) -> Tensor:
    return (means.sign() * means.abs().relu() * count).pow(1.0 / norm_type)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """The inverse of max_pool1d, with zeros where nothing was the largest."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """The inverse of max_pool2d, from its two results, with zeros where nothing was the largest.

    `output_size` tells apart the sizes that are pooled to the same one. ValueError for one that is not among them.
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def _max_unpool(
    axes: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: PerAxis,
    output_size: Sequence[int] | None,
) -> Tensor:
    windows = Windows(f"max_unpool{axes}d", axes, kernel_size, stride, padding, 1)
    if input.shape != indices.shape:
        raise RuntimeError(f"Expected shape of indices to be: {list(input.shape)} but got: {list(indices.shape)}")
    each = list(zip(input.shape[-axes:], windows.kernel, windows.stride, windows.padding))
    size = [(n - 1) * s - 2 * p + k for n, k, s, p in each]
    if output_size is not None:
        wanted = list(output_size)[-axes:]
        if len(output_size) not in (axes, axes + 1, axes + 2):
            raise ValueError(
                f"output_size should be a sequence containing {axes} or {axes + 2} elements, but it has a length of "
                f"'{len(output_size)}'"
            )
        for n, w, (_, _, s, _) in zip(size, wanted, each):
            if not n - s < w < n + s:
                raise ValueError(f'invalid output_size "{wanted}" (dim 0 must be between {n - s} and {n + s})')
        size = wanted
    if indices.numel() and int(indices.max()) >= prod(size):
        raise RuntimeError(f"Found an invalid max index: {int(indices.max())} (output volumes are of size {size})")
    flat = _core.zeros(*input.shape[:-axes], prod(size), dtype=input.dtype)
    return flat.scatter(-1, indices.flatten(-axes), input.flatten(-axes)).reshape(*input.shape[:-axes], *size)
