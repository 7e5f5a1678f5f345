"""Adaptive pooling: windows that divide an axis evenly into a wanted number of parts."""

from __future__ import annotations

from math import prod
from operator import index

from ... import _core
from ..._core import Tensor
from ...dtypes import require_floating
from ...functions.arguments import check_listed
from ...functions.precision import in_float32
from .average_pooling import avg_pool2d, avg_pool3d
from .max_pooling import max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices
from .windows import per_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Size = int | Sequence[int | None]

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
]


def adaptive_avg_pool1d(input: Tensor, output_size: Size) -> Tensor:
    """The means of `output_size` windows that divide the last axis of (N, C, L) or (C, L)."""
    sizes = _sizes("adaptive_avg_pool1d", input, 1, output_size)
    output = _refusing_empty(_means(input.unsqueeze(-2), [1, *sizes]).squeeze(-2), "adaptive_avg_pool2d", 1)
    return _core._labelled(output, "Squeeze@1") if output.requires_grad else output


def adaptive_avg_pool2d(input: Tensor, output_size: Size) -> Tensor:
    """The means of `output_size` windows that divide the last two axes of (N, C, H, W) or (C, H, W).

    Window i of n along an axis of length L goes from ``i L // n`` up to ``ceil((i + 1) L / n)``: windows overlap by an
    element where n does not divide L. None stands for the input's size.
    """
    sizes = _sizes("adaptive_avg_pool2d", input, 2, output_size)
    output = _refusing_empty(_core._lay_like(_means(input, sizes), input), "adaptive_avg_pool2d", 2)
    label = "Mean@1" if sizes == [1, 1] else "AdaptiveAvgPool2D"
    return _core._labelled(output, label) if output.requires_grad else output


@in_float32
def adaptive_avg_pool3d(input: Tensor, output_size: Size) -> Tensor:
    """adaptive_avg_pool2d with one axis more: (N, C, D, H, W) or (C, D, H, W)."""
    sizes = _sizes("adaptive_avg_pool3d", input, 3, output_size)
    output = _means(input, sizes)
    output = _core._lay_like(output, input) if sizes == [1, 1, 1] else _core._lay_contiguous(output)
    output = _refusing_empty(output, "adaptive_avg_pool3d", 3)
    label = "Mean@1" if sizes == [1, 1, 1] else "AdaptiveAvgPool3D"
    return _core._labelled(output, label) if output.requires_grad else output


def _means(images: Tensor, sizes: list[int]) -> Tensor:
    if all(size == 1 for size in sizes):
        return images.mean(tuple(range(-len(sizes), 0)), keepdim=True)
    if window := _equal_windows(images, sizes):
        return avg_pool2d(images, window) if len(sizes) == 2 else avg_pool3d(images, window)
    for axis, size in zip((-1, -2, -3), sizes[::-1]):
        if size != images.shape[axis]:
            parts = [images.narrow(axis, start, length).mean(axis) for start, length in _windows(images, axis, size)]
            images = _core.stack(parts, axis) if parts else images.narrow(axis, 0, 0)
    return images


def adaptive_max_pool1d(
    input: Tensor, output_size: Size, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest of `output_size` windows that divide the last axis of (N, C, L) or (C, L)."""
    both = adaptive_max_pool1d_with_indices(input, output_size)
    return both if return_indices else both[0]


def adaptive_max_pool2d(
    input: Tensor, output_size: Size, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest of `output_size` windows that divide the last two axes of (N, C, H, W) or (C, H, W).

    Windows are those of adaptive_avg_pool2d. With `return_indices`, also where in its plane each is.
    """
    both = adaptive_max_pool2d_with_indices(input, output_size)
    return both if return_indices else both[0]


@in_float32
def adaptive_max_pool3d(
    input: Tensor, output_size: Size, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """adaptive_max_pool2d with one axis more: (N, C, D, H, W) or (C, D, H, W)."""
    both = adaptive_max_pool3d_with_indices(input, output_size)
    return both if return_indices else both[0]


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Size, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """adaptive_max_pool1d and where in its line each of the largest is."""
    return _largest(1, input, output_size)


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Size, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """adaptive_max_pool2d and where in its plane each of the largest is."""
    return _largest(2, input, output_size)


@in_float32
def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Size, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """adaptive_max_pool3d and where in its volume each of the largest is."""
    return _largest(3, input, output_size)


_MAX_POOLS = {1: max_pool1d_with_indices, 2: max_pool2d_with_indices, 3: max_pool3d_with_indices}


def _largest(axes: int, input: Tensor, output_size: Size) -> tuple[Tensor, Tensor]:
    sizes = _sizes(f"adaptive_max_pool{axes}d", input, axes, output_size)
    if window := _equal_windows(input, sizes):
        output, positions = _MAX_POOLS[axes](input, window)
        return (_core._lay_contiguous(output), _core._lay_contiguous(positions)) if axes == 3 else (output, positions)
    positions = _of_windows_apart(axes, input.detach(), sizes)
    output = input.flatten(-axes).gather(-1, positions.flatten(-axes)).reshape(positions.shape)
    output = _refusing_empty(output, f"adaptive_max_pool{max(axes, 2)}d", axes)
    if axes != 1 and output.requires_grad:
        _core._labelled(output, f"AdaptiveMaxPool{axes}D")
    return (output, positions) if axes == 3 else (_core._lay_like(output, input), _core._lay_like(positions, input))


def _of_windows_apart(axes: int, images: Tensor, sizes: list[int]) -> Tensor:
    """Where each window's largest is: max pooling of the windows laid side by side, all made as long as the longest.

    What they are made longer by is their last element again, which changes neither which of equal ones is the first
    nor, but for its place, which NaN is the last.
    """
    shape = [*images.shape[:-axes], *sizes]
    if 0 in shape:
        return images.new_zeros(shape, dtype=_core.int64)
    lengths = images.shape[-axes:]
    places = _core.arange(prod(lengths), device=images.device).reshape(lengths)
    longest = []
    for axis, size in zip(range(-axes, 0), sizes):
        windows = _windows(images, axis, size)
        longest.append(max(length for _, length in windows))
        taken = [start + min(tap, length - 1) for start, length in windows for tap in range(longest[-1])]
        index = _core.tensor(taken, device=images.device)
        images, places = images.index_select(axis, index), places.index_select(axis, index)
    _, found = _MAX_POOLS[axes](images, longest)
    return places.take(found)


def _refusing_empty(output: Tensor, name: str, axes: int) -> Tensor:
    """`output`, whose gradient is refused if an axis other than the batch is empty: PyTorch has none there."""
    empty = [axis for axis in range(output.ndim - axes - 1, output.ndim) if output.shape[axis] == 0]
    if empty and output.requires_grad:
        message = (
            f"{name}_backward(): Expected grad_output to have non-zero size for non-batch dimensions, but grad_output "
            f"has sizes {list(output.shape)} with dimension {empty[0]} being empty"
        )

        def refuse(gradient: Tensor) -> None:
            raise RuntimeError(message)

        output.register_hook(refuse)
    return output


def _windows(images: Tensor, axis: int, count: int) -> list[tuple[int, int]]:
    """Start and length of each window."""
    check_listed("adaptive pooling", count)
    length = images.shape[axis]
    starts = [n * length // count for n in range(count)]
    return [(start, -(-(n + 1) * length // count) - start) for n, start in enumerate(starts)]


def _equal_windows(images: Tensor, sizes: list[int]) -> list[int]:
    """The windows' size if all are equal and none overlap, else nothing."""
    lengths = images.shape[-len(sizes) :]
    if any(size == 0 or length % size for length, size in zip(lengths, sizes)) or images.numel() == 0:
        return []
    return [length // size for length, size in zip(lengths, sizes)]


def _sizes(name: str, input: Tensor, axes: int, output_size: Size) -> list[int]:
    if input.ndim not in (axes + 1, axes + 2):
        raise RuntimeError(f"{name}(): Expected {axes + 1}D or {axes + 2}D tensor, but got: {list(input.shape)}")
    lengths = input.shape[-axes:]
    if output_size is None:
        raise TypeError(f"{name}(): argument 'output_size' (position 2) must be tuple of ints, not NoneType")
    if isinstance(output_size, int) or (axes == 1 and isinstance(output_size, Tensor) and output_size.dim() == 0):
        output_size = [index(output_size)] * axes
    if len(output_size) != axes:
        raise RuntimeError(f"{name}: output_size must be {axes}")
    filled = [length if size is None else size for size, length in zip(output_size, lengths)]
    sizes = per_axis("output_size", filled, axes)
    if any(size < 0 for size in sizes):
        raise RuntimeError(f"{name}: elements of output_size must be greater than or equal to 0 but received {sizes}")
    if prod(sizes) > 2**48:
        raise RuntimeError(f"{name}: an output of {sizes} is too large: Storage size calculation overflowed")
    require_floating(name, input)
    # Means over one or two axes of no channels are none, in PyTorch too; other functions refuse them.
    first = input.ndim - axes - (0 if "avg" in name and axes < 3 else 1)
    for axis in range(first, input.ndim):
        if input.shape[axis] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{list(input.shape)} with dimension {axis} being empty"
            )
    return sizes
