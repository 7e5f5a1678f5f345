"""Fractional max pooling: windows at random distances, so that sizes shrink by less than a whole factor."""

from __future__ import annotations

from math import prod

from ... import _core
from ..._core import Tensor
from ...functions.precision import in_float32
from .max_pooling import max_pool2d_with_indices
from .windows import per_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .windows import PerAxis

    Ratio = float | Sequence[float]

__all__ = [
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]


@in_float32
def fractional_max_pool2d(
    input: Tensor,
    kernel_size: PerAxis,
    output_size: PerAxis | None = None,
    output_ratio: Ratio | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest of each window of (N, C, H, W) or (C, H, W): as many as `output_size`, or `output_ratio` times H, W.

    The windows' places are drawn for every plane, or follow from `_random_samples` (N, C, 2) in 0..1: the first for
    columns. ValueError if neither or both sizes are given. (Graham, 2014)
    """
    both = _pool(2, input, kernel_size, output_size, output_ratio, _random_samples)
    return both if return_indices else both[0]


@in_float32
def fractional_max_pool3d(
    input: Tensor,
    kernel_size: PerAxis,
    output_size: PerAxis | None = None,
    output_ratio: Ratio | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """fractional_max_pool2d with one axis more; `_random_samples` (N, C, 3) are for depth, rows and columns."""
    both = _pool(3, input, kernel_size, output_size, output_ratio, _random_samples)
    return both if return_indices else both[0]


@in_float32
def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: PerAxis,
    output_size: PerAxis | None = None,
    output_ratio: Ratio | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """fractional_max_pool2d and where in its plane each of the largest is."""
    return _pool(2, input, kernel_size, output_size, output_ratio, _random_samples)


@in_float32
def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: PerAxis,
    output_size: PerAxis | None = None,
    output_ratio: Ratio | None = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """fractional_max_pool3d and where in its volume each of the largest is."""
    return _pool(3, input, kernel_size, output_size, output_ratio, _random_samples)


def _pool(
    axes: int,
    input: Tensor,
    kernel_size: PerAxis,
    output_size: PerAxis | None,
    output_ratio: Ratio | None,
    samples: Tensor | None,
) -> tuple[Tensor, Tensor]:
    name = f"fractional_max_pool{axes}d"
    if output_size is None:
        if output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
        ratios = [output_ratio] * axes if isinstance(output_ratio, (int, float)) else list(output_ratio)
        if len(ratios) != axes:
            raise ValueError(f"{name} requires output_ratio to either be a single Int or tuple of Ints.")
        size = [int(length * ratio) for length, ratio in zip(input.shape[-axes:], ratios)]
    else:
        size = _per_axis(name, "output_size", output_size, axes)
    window = _per_axis(name, "kernel_size", kernel_size, axes)
    if input.ndim not in (axes + 1, axes + 2):
        raise RuntimeError(f"{name}(): Expected {axes + 1}D or {axes + 2}D tensor, but got: {list(input.shape)}")
    for axis in range(input.ndim - axes - 1, input.ndim):
        if input.shape[axis] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but got"
                f"{list(input.shape)} with dimension {axis} being empty."
            )
    if any(n < 0 for n in size):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(size)}: {size}")
    for what, n, out, k in zip(("time", "height", "width")[-axes:], input.shape[-axes:], size, window):
        if out + k - 1 > n - (axes == 3):  # in volumes PyTorch wants an element more
            raise RuntimeError(f"{name}(): pool {what} {k} too large relative to input {what} {n}")
    volumes = input if input.ndim == axes + 2 else input.unsqueeze(0)
    batch, channels, *lengths = volumes.shape
    if samples is None:
        samples = _core.rand(batch, channels, axes, dtype=input.dtype, device=input.device)
    if samples.dtype != input.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    if samples.ndim != 3:
        raise RuntimeError(f"Expect _random_samples to have 3 dimensions, got {samples.ndim}")
    if samples.shape[0] < batch or samples.shape[1] < channels:
        raise RuntimeError(f"Expect _random_samples to be at least ({batch}, {channels}, {axes}).")
    if samples.shape[2] != axes:
        raise RuntimeError(f"Expect _random_samples.size(2) equals to {axes}; got {samples.shape[2]}.")
    order = (1, 0) if axes == 2 else (0, 1, 2)
    index = input.new_zeros(1, dtype=_core.int64)
    for n, (length, out, k) in enumerate(zip(lengths, size, window)):
        starts = _starts(samples[:batch, :channels, order[n]], length, out, k)
        # (N, C, out, k), to become one axis of outputs and one of taps
        along = starts.unsqueeze(-1) + _core.arange(k, device=input.device)
        shape = [batch, channels, *[1] * (2 * axes)]
        shape[2 + n], shape[2 + axes + n] = out, k
        index = index * length + along.reshape(shape)
    index = index.reshape(batch, channels, prod(size), prod(window))
    flat = volumes.flatten(2)
    seen = flat.detach().gather(2, index.flatten(2)).reshape(index.shape)
    found = max_pool2d_with_indices(seen, (1, prod(window)))[1] if prod(size) else index.new_zeros(0)
    positions = index.flatten(2).gather(2, found.reshape(batch, channels, prod(size)))
    output = flat.gather(2, positions)
    shape = [*input.shape[:-axes], *size]
    output = output.reshape(shape)
    if output.requires_grad:
        _core._labelled(output, f"FractionalMaxPool{axes}D")
    return output, positions.reshape(shape)


def _per_axis(name: str, what: str, value: PerAxis, axes: int) -> list[int]:
    """`value` for each axis. RuntimeError for lists of another length: one of a single number, too."""
    if not isinstance(value, int) and len(value) != axes:
        numbers = "Ints" if axes == 2 else "three Ints"
        raise RuntimeError(f"{name}: {what} must either be a single Int or tuple of {numbers}")
    return per_axis(what, value, axes)


def _starts(samples: Tensor, length: int, count: int, window: int) -> Tensor:
    """Where the windows along an axis begin, for each sample: rounded down from even distances, the last at the end."""
    last = samples.new_full((*samples.shape, min(count, 1)), length - window, dtype=_core.int64)
    if count < 2:
        return last
    sample = samples.unsqueeze(-1)
    step = samples.new_tensor(length - window) / (count - 1)
    places = (_core.arange(count - 1, dtype=samples.dtype, device=samples.device) + sample) * step
    return _core.cat([places.to(_core.int64) - (sample * step).to(_core.int64), last], -1)
