"""Padding the borders of a tensor, or cropping them with negative widths."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ...functions.precision import in_float32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["constant_pad_nd", "pad"]


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add borders: `pad` is (before, after) of the last axis, then of the one before it, and so on.

    "constant" fills with `value` (0); "reflect" and "replicate" mirror at, and repeat, the outermost element, and
    "circular" wraps around; these three pad the last one, two or three axes of a tensor with one or two axes more.
    A negative width crops.
    """
    widths = list(pad)
    if len(widths) % 2 != 0:
        raise RuntimeError(f"Padding length must be divisible by 2, got {len(widths)}")
    if len(widths) // 2 > input.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(widths)} and input of dimension {input.ndim}"
        )
    axes = [(input.ndim - 1 - n, widths[2 * n], widths[2 * n + 1]) for n in range(len(widths) // 2)]
    for axis, before, after in axes:
        if input.shape[axis] + before + after < 0:
            raise RuntimeError(
                f"The input size {input.shape[axis]}, plus negative padding {before} and {after}, resulted in a "
                f"negative output size. Check dimension {axis} of your input."
            )
    if mode == "constant":
        return _pad_constant(input, axes, 0.0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in _SOURCES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}; choose constant, reflect, replicate or circular")
    if not 1 <= len(axes) <= 3 or input.ndim - len(axes) not in (1, 2):
        raise NotImplementedError(
            f"Padding size {len(widths)} is not supported for {input.ndim}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    if mode != "circular" and 0 in input.shape[input.ndim - len(axes) - 1 :]:
        raise RuntimeError(
            f"Expected {len(axes) + 1}D or {len(axes) + 2}D (batch mode) tensor with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {list(input.shape)}"
        )
    converted = mode == "replicate" or (mode == "reflect" and len(axes) < 3)
    return (_pad_in_float32 if converted else _pad_by_copies)(input, axes, mode)


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """Add borders of `value`: `pad` is (before, after) of the last axis, then of the one before it, and so on."""
    return _pad(input, pad, "constant", value)


def _pad_by_copies(input: Tensor, axes: list[tuple[int, int, int]], mode: str) -> Tensor:
    padded = input
    for axis, before, after in axes:
        if before or after:
            padded = _arranged(padded, axis, _SOURCES[mode](padded.shape[axis], before, after))
    if all(before == after == 0 for _, before, after in axes):
        return input.clone()
    return padded.contiguous() if mode == "circular" else _core._lay_like(padded, input)


def _arranged(input: Tensor, axis: int, source: list[int]) -> Tensor:
    """The slices of `input` that `source` numbers; a few runs of consecutive ones are joined, which takes no index."""
    starts = [n for n in range(len(source)) if n == 0 or source[n] != source[n - 1] + 1]
    if not 1 < len(starts) <= _MOST_RUNS:
        return input.index_select(axis, _core.tensor(source, dtype=_core.int64))
    runs = zip(starts, [*starts[1:], len(source)], strict=True)
    return _core.cat([input.narrow(axis, source[start], end - start) for start, end in runs], axis)


_pad_in_float32 = in_float32(_pad_by_copies)


def _pad_constant(input: Tensor, axes: list[tuple[int, int, int]], value: float) -> Tensor:
    output, widens = input, any(before > 0 or after > 0 for _, before, after in axes)
    for axis, before, after in axes:
        crop_before, crop_after = max(-before, 0), max(-after, 0)
        if crop_before or crop_after:
            output = output.narrow(axis, crop_before, output.shape[axis] - crop_before - crop_after)
    shape, starts = list(output.shape), [0] * output.ndim
    for axis, before, after in axes:
        shape[axis] += max(before, 0) + max(after, 0)
        starts[axis] = max(before, 0)
    output = _core._slice_update(input.new_full(shape, value), output, starts) if widens else output.clone()
    return _core._labelled(_core._lay_like(output, input) if widens else output, "ConstantPadNd")


def _reflect(size: int, before: int, after: int) -> list[int]:
    if before >= size or after >= size:
        raise RuntimeError(
            "Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) for a dimension of size {size}"
        )
    return [size - 1 - abs(size - 1 - abs(n)) for n in range(-before, size + after)]


def _replicate(size: int, before: int, after: int) -> list[int]:
    if size == 0:
        raise RuntimeError("replicate padding needs at least one element to repeat, got a dimension of size 0")
    return [min(max(n, 0), size - 1) for n in range(-before, size + after)]


def _circular(size: int, before: int, after: int) -> list[int]:
    if before > size or after > size:
        raise RuntimeError(
            f"Padding value causes wrapping around more than once: padding ({before}, {after}) for size {size}"
        )
    kept = range(max(-before, 0), size - max(-after, 0))  # what is cropped on one side does not wrap to the other
    return [kept[n % len(kept)] for n in range(-max(before, 0), len(kept) + max(after, 0))]


_MOST_RUNS = 9  # borders of four elements that are mirrored
_pad = pad  # for functions that have an argument of this name
_SOURCES = {"reflect": _reflect, "replicate": _replicate, "circular": _circular}
