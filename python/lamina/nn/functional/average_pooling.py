"""Average pooling: the mean, or a norm, of each window."""

from __future__ import annotations

from math import copysign, isinf, prod

from ... import _core
from ..._core import Tensor
from ...dtypes import require_floating
from ...functions.arguments import composed
from ...functions.precision import in_float32
from .max_pooling import max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices
from .volumes import window_sums
from .windows import as_images, per_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .windows import PerAxis

__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d"]


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


@composed
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


@in_float32
@composed
def avg_pool3d(
    input: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W): avg_pool2d with one axis more.

    RuntimeError for windows that are longer than the input, whatever its padding, as in PyTorch for volumes only.
    """
    kernel, lengths = per_axis("kernel_size", kernel_size, 3), tuple(input.shape[-3:])
    if len(lengths) == 3 and any(size > length for size, length in zip(kernel, lengths, strict=True)):
        raise RuntimeError(
            "input image (T: {} H: {} W: {})".format(*lengths)
            + " smaller than kernel size (kT: {} kH: {} kW: {})".format(*kernel)
        )
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


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
    options = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    if axes != 3:
        plain = _core._plain_avg_pool(axes, input, *options)
        if plain is not None:
            return plain
    elif divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    size, kernel, strides, before, _, _, are_whole = _core._pool_windows(
        f"avg_pool{axes}d", axes, input, kernel_size, stride, padding, 1, ceil_mode, count_include_pad
    )
    if input.dtype == _core.int64:  # means of whole numbers are whole, rounded towards 0
        return _avg_pool(axes, input.double(), *options).trunc().to(_core.int64)
    require_floating(f"avg_pool{max(axes, 2)}d", input)
    images = as_images(input, axes)
    output = window_sums(images, size, kernel, strides, before)
    if divisor_override is not None:
        output = output / divisor_override
    elif are_whole:
        output = output / prod(kernel)
    else:
        output = output / _counts(images, size, kernel, strides, before, count_include_pad)
    if axes == 1:
        output = output.squeeze(-2)
    # In PyTorch, this one pool of volumes gives up their format.
    output = _core._lay_contiguous(output) if axes == 3 else _core._lay_like(output, input)
    return _core._labelled(output, f"AvgPool{axes}D") if output.requires_grad else output


def _counts(
    images: Tensor, size: list[int], kernel: list[int], strides: list[int], before: list[int], count_include_pad: bool
) -> Tensor:
    """How many elements each window's mean is of."""
    counts = images.new_ones(())
    for n, window, stride, padding, length in zip(size, kernel, strides, before, images.shape[-len(size) :]):
        low, high = (-padding, length + padding) if count_include_pad else (0, length)
        starts = [place * stride - padding for place in range(n)]
        along = [float(min(start + window, high) - max(start, low)) for start in starts]
        counts = counts.unsqueeze(-1) * images.new_tensor(along)
    return counts


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: PerAxis, stride: PerAxis | None = None, ceil_mode: bool = False
) -> Tensor:
    """The `norm_type`-norm of each window of (N, C, L) or (C, L); of inf the largest |x|, of -inf the least."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: PerAxis, stride: PerAxis | None = None, ceil_mode: bool = False
) -> Tensor:
    """lp_pool1d for windows of (N, C, H, W) or (C, H, W)."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: PerAxis, stride: PerAxis | None = None, ceil_mode: bool = False
) -> Tensor:
    """lp_pool1d for windows of (N, C, D, H, W) or (C, D, H, W)."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


_AVERAGES = {1: avg_pool1d, 2: avg_pool2d, 3: avg_pool3d}
_LARGEST = {1: max_pool1d_with_indices, 2: max_pool2d_with_indices, 3: max_pool3d_with_indices}


def _lp_pool(
    axes: int, input: Tensor, norm_type: float, kernel_size: PerAxis, stride: PerAxis | None, ceil_mode: bool
) -> Tensor:
    if isinf(norm_type):
        sign = copysign(1.0, norm_type)
        return sign * _LARGEST[axes](sign * input.abs(), kernel_size, stride, ceil_mode=ceil_mode)[0]
    means = _AVERAGES[axes](input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    count = prod(per_axis("kernel_size", kernel_size, axes))
    return (means.sign() * means.abs() * count).pow(1.0 / norm_type)
