"""Convolutions over one, two and three axes, and their transposes. 1-d forms are 2-d ones of height 1."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ..._warning import warn_caller_once
from ...dtypes import scalar_name
from ...functions.precision import in_low_precision
from . import planes, volumes
from .windows import as_images, per_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .windows import PerAxis

    _Options = tuple[list[int], list[int], list[int], list[int]]

__all__ = ["conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


@in_low_precision
def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerAxis = 1,
    padding: str | PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Tensor:
    """Input (N, C, L) or (C, L) and weight (O, C / groups, K) to (N, O, L'): conv2d along one axis."""
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups)


@in_low_precision
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerAxis = 1,
    padding: str | PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Tensor:
    """Input (N, C, H, W) or (C, H, W) and weight (O, C / groups, K, K) to (N, O, H', W').

    Element (n, o, i, j) is bias[o] plus the products of weight[o] with the window of the input that begins at
    (i, j) times `stride`, less `padding`, its elements `dilation` apart; beyond the border the input is 0. `padding`
    may be "valid" (none) or "same" (the result is as large as the input). H' is
    ``(H + 2 padding - dilation (K - 1) - 1) // stride + 1``. With `groups`, output channels see only the input
    channels of their group. RuntimeError for shapes, types or numbers that do not fit.
    """
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


@in_low_precision
def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerAxis = 1,
    padding: str | PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Tensor:
    """Input (N, C, D, H, W) or (C, D, H, W) and weight (O, C / groups, K, K, K): conv2d with one axis more."""
    return _convolve(3, input, weight, bias, stride, padding, dilation, groups)


@in_low_precision
def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """Input (time, N, C), weight (K, C, O) and bias (O,) to (time', N, O): conv1d with the channels last."""
    for name, tensor, axes in (("Input", input, 3), ("Weight", weight, 3), ("Bias", bias, 1)):
        if tensor.ndim != axes:
            raise RuntimeError(f"{name} must have {axes} dims, but has {tensor.ndim}")
    return conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad).permute(2, 0, 1)


def _convolve(
    axes: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: PerAxis,
    padding: str | PerAxis,
    dilation: PerAxis,
    groups: int,
) -> Tensor:
    if axes < 3:
        found = _core._plain_convolution(axes, input, weight, bias, stride, padding, dilation, groups)
        if found is not None:
            return found
    name = f"conv{axes}d"
    if weight.ndim != axes + 2:
        raise RuntimeError(f"{name}: expected a weight of {axes + 2} dimensions, got shape {list(weight.shape)}")
    strides, dilations = _checked(axes, stride, dilation)
    window = weight.shape[2:]
    before, after = _paddings(axes, padding, strides, dilations, window)
    images, unbatched = _batch(name, axes, input)
    _check_shapes(images, weight, bias, groups, False)
    _check_types(images, weight, bias)
    padded = [size + b + a for size, b, a in zip(images.shape[2:], before, after)]
    reach = [d * (k - 1) + 1 for k, d in zip(window, dilations)]
    if any(size < needed for size, needed in zip(padded, reach)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). Kernel size: "
            f"({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input size"
        )
    size = [(p - r) // s + 1 for p, r, s in zip(padded, reach, strides)]
    options = _two(axes, size, strides, before, dilations)
    convolve = (volumes if axes == 3 else planes).convolution
    output = convolve(as_images(images, axes), as_images(weight, axes), *options, groups)
    return _finished(axes, output, bias, unbatched)


@in_low_precision
def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
) -> Tensor:
    """Input (N, C, L) or (C, L) and weight (C, O / groups, K) to (N, O, L'): conv_transpose2d along one axis."""
    return _transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@in_low_precision
def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
) -> Tensor:
    """Input (N, C, H, W) or (C, H, W) and weight (C, O / groups, K, K) to (N, O, H', W'): the adjoint of conv2d.

    Each element of the input adds a multiple of the weight to the window of the result where conv2d with the same
    options would have read it. H' is ``(H - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1``.
    """
    return _transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@in_low_precision
def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
) -> Tensor:
    """Input (N, C, D, H, W) and weight (C, O / groups, K, K, K) to (N, O, D', H', W'): the adjoint of conv3d."""
    return _transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _transpose(
    axes: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: PerAxis,
    padding: PerAxis,
    output_padding: PerAxis,
    groups: int,
    dilation: PerAxis,
) -> Tensor:
    name = f"conv_transpose{axes}d"
    if weight.ndim != axes + 2:
        raise RuntimeError(f"{name}: expected a weight of {axes + 2} dimensions, got shape {list(weight.shape)}")
    strides, dilations = _checked(axes, stride, dilation)
    before, _ = _around(axes, padding)
    extra = per_axis("output_padding", output_padding, axes)
    if any(e < 0 for e in extra):
        raise RuntimeError("negative output_padding is not supported")
    if any(e >= s and e >= d for e, s, d in zip(extra, strides, dilations)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got output_padding: {extra} "
            f"stride: {strides} dilation: {dilations}"
        )
    images, unbatched = _batch(name, axes, input)
    _check_shapes(images, weight, bias, groups, True)
    if weight.shape[1] == 0:
        raise RuntimeError(f"{name}: non-empty weight tensor expected, but got: {list(weight.shape)}")
    if 0 in images.shape[2:]:
        raise RuntimeError(
            f"Only zero batch or zero channel inputs are supported, but got input shape: {list(images.shape)}"
        )
    _check_types(images, weight, bias)
    size = [
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, k, s, p, d, e in zip(images.shape[2:], weight.shape[2:], strides, before, dilations, extra)
    ]
    if any(n < 1 for n in size):
        raise RuntimeError(
            f"Given input size per channel: {list(images.shape[2:])}. Calculated output size per channel: {size}. "
            "Output size is too small"
        )
    options = _two(axes, size, strides, before, dilations)
    convolve = (volumes if axes == 3 else planes).transposed_convolution
    output = convolve(as_images(images, axes), as_images(weight, axes), *options, groups)
    return _finished(axes, output, bias, unbatched)


def _checked(axes: int, stride: PerAxis, dilation: PerAxis) -> tuple[list[int], list[int]]:
    strides, dilations = per_axis("stride", stride, axes), per_axis("dilation", dilation, axes)
    if any(s <= 0 for s in strides):
        raise RuntimeError("non-positive stride is not supported")
    if any(d <= 0 for d in dilations):
        raise RuntimeError(f"dilation should be greater than zero, but got {dilations}")
    return strides, dilations


def _paddings(
    axes: int, padding: str | PerAxis, strides: list[int], dilations: list[int], window: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Zeros before and behind each axis."""
    if isinstance(padding, str):
        if padding == "valid":
            return [0] * axes, [0] * axes
        if padding != "same":
            raise RuntimeError(f"Invalid padding string: '{padding}'")
        if any(s != 1 for s in strides):
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        total = [d * (k - 1) for d, k in zip(dilations, window)]
        if any(t % 2 for t in total):
            warn_caller_once(
                "Using padding='same' with even kernel lengths and odd dilation may require a zero-padded copy of the "
                "input be created"
            )
        return [t // 2 for t in total], [t - t // 2 for t in total]
    return _around(axes, padding)


def _around(axes: int, padding: PerAxis) -> tuple[list[int], list[int]]:
    """As many zeros before as behind each axis."""
    both = per_axis("padding", padding, axes)
    if any(p < 0 for p in both):
        raise RuntimeError("negative padding is not supported")
    return both, both


def _batch(name: str, axes: int, input: Tensor) -> tuple[Tensor, bool]:
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(input).__name__}")
    if input.ndim == axes + 1:
        return input.unsqueeze(0), True
    if input.ndim != axes + 2:
        raise RuntimeError(
            f"Expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input to {name}, but got input of size: "
            f"{list(input.shape)}"
        )
    return input, False


def _check_shapes(input: Tensor, weight: Tensor, bias: Tensor | None, groups: int, transposed: bool) -> None:
    """Checked here, where shapes are those that the user gave: below, images have two axes."""
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if 0 in weight.shape[2:]:
        raise RuntimeError(f"kernel size should be greater than zero, but got {list(weight.shape[2:])}")
    filters = weight.shape[0]
    if filters < groups or filters % groups:
        wanted = f"divisible by {groups}" if filters >= groups else f"at least {groups}"
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be {wanted} at dimension 0, but got weight of size "
            f"{list(weight.shape)} instead"
        )
    inner = weight.shape[1] * groups
    taken, given = (filters, inner) if transposed else (inner, filters)
    if input.shape[1] != taken:
        raise RuntimeError(
            f"Given {'transposed=1' if transposed else f'groups={groups}'}, weight of size {list(weight.shape)}, "
            f"expected input{list(input.shape)} to have {taken} channels, but got {input.shape[1]} channels instead"
        )
    if bias is not None and tuple(bias.shape) != (given,):
        raise RuntimeError(
            f"Given weight of size {list(weight.shape)}, expected bias to be 1-dimensional with {given} elements, "
            f"but got bias of size {list(bias.shape)} instead"
        )


def _check_types(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if weight.dtype != input.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(input.dtype)} but found {scalar_name(weight.dtype)}")
    if bias is not None and bias.dtype != input.dtype:
        raise RuntimeError(f"Input type ({input.dtype}) and bias type ({bias.dtype}) should be the same")


def _two(axes: int, size: list[int], stride: list[int], before: list[int], dilation: list[int]) -> _Options:
    """The options for two axes or more: a first one of size 1 where there is only one."""
    if axes != 1:
        return size, stride, before, dilation
    return [1, *size], [1, *stride], [0, *before], [1, *dilation]


def _finished(axes: int, output: Tensor, bias: Tensor | None, unbatched: bool) -> Tensor:
    if bias is not None:
        output = output + bias.reshape(-1, *[1] * (output.ndim - 2))
    if axes == 1:
        output = output.squeeze(2)
    if unbatched:
        output = output.squeeze(0)
    return _core._labelled(output, "Squeeze@1" if unbatched else "Convolution") if output.requires_grad else output
