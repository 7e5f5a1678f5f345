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
    if mode not in _BORDERS:
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
    return (_extended_in_float32 if converted else _extended)(input, widths, mode)


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """Add borders of `value`: `pad` is (before, after) of the last axis, then of the one before it, and so on."""
    return _pad(input, pad, "constant", value)


def _extended(input: Tensor, widths: list[int], mode: str) -> Tensor:
    extended = _core._extend(input, widths, _BORDERS.index(mode))
    return extended if mode == "circular" else _core._lay_like(extended, input)


_extended_in_float32 = in_float32(_extended)


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


_BORDERS = ("reflect", "replicate", "circular")  # by the core's numbers
_pad = pad  # for functions that have an argument of this name
