"""Max pooling: the largest element of each window, and the inverse."""

from __future__ import annotations

from math import inf, prod

from ... import _core
from ..._core import Tensor
from ...dtypes import require_floating, scalar_name
from ...functions.precision import in_float32
from ...looking import holds_somewhere

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .windows import PerAxis

__all__ = [
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
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
    pool = _core._max_pool if return_indices else _core._largest_of_windows
    return pool(1, input, kernel_size, stride, padding, dilation, ceil_mode)


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
    pool = _core._max_pool if return_indices else _core._largest_of_windows
    return pool(2, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d(
    input: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest of each window of (N, C, D, H, W) or (C, D, H, W): max_pool2d with one axis more."""
    pool = _in_volumes if return_indices else _in_volumes_of_float32
    both = pool(input, kernel_size, stride, padding, dilation, ceil_mode)
    return both if return_indices else both[0]


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """max_pool1d and where in its line each of the largest is."""
    return _core._max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """max_pool2d and where in its plane each of the largest is."""
    return _core._max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """max_pool3d and where in its volume each of the largest is."""
    return _in_volumes(input, kernel_size, stride, padding, dilation, ceil_mode)


def _in_volumes(
    input: Tensor, kernel_size: PerAxis, stride: PerAxis | None, padding: PerAxis, dilation: PerAxis, ceil_mode: bool
) -> tuple[Tensor, Tensor]:
    """The largest of each plane's windows, and of these the largest along the depth."""
    size, window, strides, before, dilations, may_be_empty, _ = _core._pool_windows(
        "max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, True
    )
    plane, area = input.shape[-2] * input.shape[-1], prod(size[1:])
    across = (size[1:], window[1:], strides[1:], before[1:], dilations[1:])
    values, within = _core._max_pool_planes(input.detach(), *across)
    along = ([size[0], area], [window[0], 1], [strides[0], 1], [before[0], 0], [dilations[0], 1])
    output, found = _core._max_pool_planes(values.flatten(-2), *along)
    found = found.flatten(-2)
    positions = found.div(area, rounding_mode="floor") * plane + within.flatten(-3).gather(-1, found)
    picked = input.flatten(-3).gather(-1, positions)
    if may_be_empty:
        picked = _core.where(output.flatten(-2) == -inf, -inf, picked)
    output, positions = picked.unflatten(-1, size), positions.unflatten(-1, size)
    if output.requires_grad:
        _core._labelled(output, "MaxPool3DWithIndices")
    last = _core.channels_last_3d
    if input.dim() == 4 and input.unsqueeze(0).is_contiguous(memory_format=last):
        order = _core.empty((1, *output.shape), memory_format=last, device="meta").stride()[1:]
        return _core._lay_out(output, order), _core._lay_out(positions, order)
    return _core._lay_like(output, input), _core._lay_like(positions, input)


_in_volumes_of_float32 = in_float32(_in_volumes)  # under autocast, if nobody asks for indices


@in_float32
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


@in_float32
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


@in_float32
def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """The inverse of max_pool3d, with zeros where nothing was the largest."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


def _max_unpool(
    axes: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: PerAxis,
    output_size: Sequence[int] | None,
) -> Tensor:
    kernel, strides, before = _core._pool_options(f"max_unpool{axes}d", axes, kernel_size, stride, padding)
    if indices.dtype != _core.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {scalar_name(indices.dtype)}")
    require_floating(f"max_unpool{max(axes, 2)}d", input)
    if input.ndim not in (axes + 1, axes + 2):
        raise RuntimeError(
            f"Input to max_unpooling{axes}d should be a {axes + 1}d or {axes + 2}d Tensor, but got a tensor with "
            f"{input.ndim} dimensions."
        )
    if input.shape != indices.shape:
        raise RuntimeError(f"Expected shape of indices to be: {list(input.shape)} but got: {list(indices.shape)}")
    each = list(zip(input.shape[-axes:], kernel, strides, before))
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
    if holds_somewhere(indices >= prod(size)):
        raise RuntimeError(f"Found an invalid max index: {int(indices.max())} (output volumes are of size {size})")
    flat = input.new_zeros(*input.shape[:-axes], prod(size))
    flat = flat.scatter(-1, indices.flatten(-axes), input.flatten(-axes))
    return _core._lay_like(flat.reshape(*input.shape[:-axes], *size), input)
