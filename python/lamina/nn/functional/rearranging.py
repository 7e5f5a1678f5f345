"""Between channels and places: pixel_shuffle, channel_shuffle, windows as columns and back."""

from __future__ import annotations

from math import prod

from ... import _core
from ..._core import Tensor
from .padding import pad
from .windows import per_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .windows import PerAxis

__all__ = ["channel_shuffle", "fold", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle", "unfold"]


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C r², H, W) to (*, C, H r, W r): r² channels become squares of r by r places (Shi et al., 2016)."""
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.ndim}"
        )
    if upscale_factor <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {upscale_factor}")
    *batch, channels, height, width = input.shape
    r = upscale_factor
    if r == 1:
        return input.clone()
    if channels % r**2 != 0:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r**2}"
        )
    apart = input.reshape(*batch, channels // r**2, r, r, height, width)
    n = len(batch)
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return _core._lay_like(apart.permute(order).reshape(*batch, channels // r**2, height * r, width * r), input)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H r, W r) to (*, C r², H, W): the inverse of pixel_shuffle."""
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.ndim}"
        )
    if downscale_factor <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {downscale_factor}")
    *batch, channels, height, width = input.shape
    r = downscale_factor
    if r == 1:
        return input.clone()
    for name, size, axis in (("height", height, -2), ("width", width, -1)):
        if size % r != 0:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({axis})={size} is "
                f"not divisible by {r}"
            )
    apart = input.reshape(*batch, channels, height // r, r, width // r, r)
    n = len(batch)
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return _core._lay_like(apart.permute(order).reshape(*batch, channels * r**2, height // r, width // r), input)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """(N, C, *) with the channels of `groups` groups taken in turns (Zhang et al., 2018)."""
    if input.ndim < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    batch, channels, *places = input.shape
    if channels % groups != 0:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} groups."
        )
    shuffled = input.reshape(batch, groups, channels // groups, *places).transpose(1, 2).reshape(input.shape)
    return _core._lay_like(shuffled, input)


def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """channel_shuffle, by another of PyTorch's names."""
    return channel_shuffle(input, groups)


def unfold(
    input: Tensor, kernel_size: PerAxis, dilation: PerAxis = 1, padding: PerAxis = 0, stride: PerAxis = 1
) -> Tensor:
    """(N, C, H, W) or (C, H, W) to (N, C kh kw, L): each of the L windows as a column."""
    if input.ndim not in (3, 4) or 0 in input.shape[input.ndim - 3 :]:
        raise RuntimeError(
            f"Expected 3D or 4D (batch mode) tensor for input with possibly 0 batch size and other non-zero dimensions "
            f"for input, but got: {list(input.shape)}"
        )
    kernel, steps, border, apart = _options(kernel_size, stride, padding, dilation)
    padded = pad(input, (border[1], border[1], border[0], border[0])) if any(border) else input
    *batch, channels = padded.shape[:-2]
    counts = _counts(list(padded.shape[-2:]), kernel, steps, apart)
    # Of each tap what all windows have there, first along the rows and then along the columns.
    for axis in (-2, -1):
        reach = steps[axis] * (counts[axis] - 1) + 1
        taps = [slice(first, first + reach, steps[axis]) for first in range(0, kernel[axis] * apart[axis], apart[axis])]
        of_tap = [padded[..., tap, :] if axis == -2 else padded[..., tap] for tap in taps]
        padded = _core.stack(of_tap, -3)
    return padded.reshape(*batch, channels * kernel[0] * kernel[1], counts[0] * counts[1])


def fold(
    input: Tensor,
    output_size: PerAxis,
    kernel_size: PerAxis,
    dilation: PerAxis = 1,
    padding: PerAxis = 0,
    stride: PerAxis = 1,
) -> Tensor:
    """(N, C kh kw, L) or (C kh kw, L) to (N, C, *output_size): the adjoint of unfold.

    Where windows overlap, their elements are summed.
    """
    if input.ndim not in (2, 3) or 0 in input.shape[input.ndim - 2 :]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(input.shape)}"
        )
    size = per_axis("output_size", output_size, 2)
    kernel, steps, border, apart = _options(kernel_size, stride, padding, dilation)
    padded = [n + 2 * b for n, b in zip(size, border)]
    blocks = prod(counts := _counts(padded, kernel, steps, apart))
    *batch, rows, columns = input.shape
    taps = kernel[0] * kernel[1]
    if rows % taps != 0:
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)="
            f"{rows} and kernel_size=({kernel[0]}, {kernel[1]})."
        )
    if columns != blocks:
        raise RuntimeError(
            f"Given output_size={tuple(size)}, kernel_size={tuple(kernel)}, dilation={tuple(apart)}, "
            f"padding={tuple(border)}, stride={tuple(steps)}, expected size of input's dimension 2 to match the "
            f"calculated number of sliding blocks {blocks}, but got input.size(2)={columns}."
        )
    index = _places(padded[1], kernel, steps, apart, counts)
    flat = input.reshape(*batch, rows // taps, taps * blocks)
    zeros = input.new_zeros(*batch, rows // taps, padded[0] * padded[1])
    sums = zeros.index_add(-1, _core.tensor(index, dtype=_core.int64), flat)
    whole = sums.reshape(*batch, rows // taps, *padded)
    return whole.narrow(-2, border[0], size[0]).narrow(-1, border[1], size[1]).clone()


def _options(
    kernel_size: PerAxis, stride: PerAxis, padding: PerAxis, dilation: PerAxis
) -> tuple[list[int], list[int], list[int], list[int]]:
    kernel, steps = per_axis("kernel_size", kernel_size, 2), per_axis("stride", stride, 2)
    border, apart = per_axis("padding", padding, 2), per_axis("dilation", dilation, 2)
    for name, values in (("kernel size", kernel), ("stride", steps), ("dilation", apart)):
        if any(value <= 0 for value in values):
            raise RuntimeError(f"{name} should be greater than zero, but got {values}")
    if any(value < 0 for value in border):
        raise RuntimeError(f"padding should be non-negative, but got {border}")
    return kernel, steps, border, apart


def _places(width: int, kernel: list[int], stride: list[int], dilation: list[int], counts: list[int]) -> list[int]:
    """Where in a plane each tap of each window lies: taps outermost, windows in rows."""
    return [
        (i * dilation[0] + y * stride[0]) * width + j * dilation[1] + x * stride[1]
        for i in range(kernel[0])
        for j in range(kernel[1])
        for y in range(counts[0])
        for x in range(counts[1])
    ]


def _counts(size: list[int], kernel: list[int], stride: list[int], dilation: list[int]) -> list[int]:
    """How many windows there are along each axis of a plane."""
    counts = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(size, kernel, stride, dilation)]
    if any(count < 1 for count in counts):
        raise RuntimeError(
            f"Given input with spatial size {tuple(size)} (padded), kernel_size={tuple(kernel)}, "
            f"dilation={tuple(dilation)}, stride={tuple(stride)}, calculated shape of the array of sliding blocks as "
            f"{tuple(counts)}, but its components must be at least one."
        )
    return counts
