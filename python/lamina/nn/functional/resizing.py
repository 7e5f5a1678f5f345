"""Images, lines and volumes of another size."""

from __future__ import annotations

from math import floor, prod
from operator import index

from ... import _core
from ..._core import Tensor
from ..._warning import warn_caller
from ...dtypes import scalar_name
from .adaptive_pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .resampling import antialiased, cubic, linear, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
_NEAREST = {"nearest": "Nearest", "nearest-exact": "NearestExact"}


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """(N, C, L), (N, C, H, W) or (N, C, D, H, W) in another `size`, or `scale_factor` times as large.

    "nearest" repeats elements, "nearest-exact" those nearest to the new ones' centres; "linear", "bilinear" and
    "trilinear" (of one, two and three axes) weigh the neighbours, "bicubic" (of two) four in each axis. With
    `align_corners` the outermost centres meet, else the outermost edges. The scale is the given one unless
    `recompute_scale_factor` derives it from the sizes. "area" is adaptive_avg_pool. With `antialias` "bilinear" and
    "bicubic" weigh everything that a new element covers. uint8 images are computed in float32 and rounded.
    NotImplementedError for other modes and dimensions; ValueError for options that contradict each other.
    """
    axes = input.ndim - 2
    if mode not in (*_NEAREST, "area") and align_corners is None:
        align_corners = False
    elif mode in (*_NEAREST, "area") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    _check_mode(mode, axes, antialias)
    sizes, scales = _sizes(input, axes, size, scale_factor, recompute_scale_factor)
    if mode == "area":
        pool = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[axes - 1]
        return pool(input, sizes)
    lengths = input.shape[2:]
    if prod(sizes) > 2**48:
        raise RuntimeError(f"interpolate: an output of {sizes} is too large")
    if any(wanted <= 0 for wanted in sizes) or any(length == 0 for length in lengths):
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input (H: {lengths[0]}, W: {lengths[-1]}) "
            f"output (H: {sizes[0]}, W: {sizes[-1]})"
        )
    if input.shape[1] == 0:
        raise RuntimeError(
            f"Non-empty {axes + 2}D data tensor expected but got a tensor with sizes {list(input.shape)}"
        )
    if not input.is_floating_point() and input.dtype != _core.uint8:
        name = mode.replace("-", "_")
        raise NotImplementedError(f"\"upsample_{name}{axes}d\" not implemented for '{scalar_name(input.dtype)}'")
    narrow = input.dtype not in (_core.float32, _core.float64) and mode not in _NEAREST
    output = input.float() if narrow else input
    # Images of whole numbers are rounded after each axis.
    rounds = input.dtype == _core.uint8 and mode in ("bilinear", "bicubic")
    # The last axis first, as PyTorch rounds: there rows are moved element by element, and images are still small.
    for axis, (wanted, scale) in reversed(list(enumerate(zip(sizes, scales), 2))):
        if mode in _NEAREST:
            exact = mode == "nearest-exact"
            output = nearest(output, axis, wanted, scale, exact, whole=axes == 2 and not exact)
        elif antialias:
            output = antialiased(output, axis, wanted, scale, bool(align_corners), 2 if mode == "bilinear" else 4)
        else:
            along = cubic if mode == "bicubic" else linear
            output = along(output, axis, wanted, scale, bool(align_corners))
        if rounds:
            output = (output + 0.5).floor().clamp(0, 255)
    if narrow:
        output = output.round().clamp(0, 255).to(input.dtype) if input.dtype == _core.uint8 else output.to(input.dtype)
    output = _core._lay_like(output.clone() if output is input else output, input)
    label = f"Upsample{_NEAREST.get(mode, mode.capitalize())}{axes}D{'Aa' if antialias else ''}"
    # One node: its gradient reads no numbers, so that backward can go through it again.
    (whole,) = _core._one_node(input, [output], label)
    return whole


def _check_mode(mode: str, axes: int, antialias: bool) -> None:
    if antialias and not (mode in ("bilinear", "bicubic") and axes == 2):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input"
        )
    if mode in _LINEAR and axes in (1, 2, 3) and _LINEAR[mode] != axes:
        raise NotImplementedError(f"Got {axes + 2}D input, but {mode} mode needs {_LINEAR[mode] + 2}D input")
    known = mode in (*_NEAREST, "area", *_LINEAR) or (mode == "bicubic" and axes == 2)
    if not known or axes not in (1, 2, 3):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {axes + 2}D) for the modes: nearest | "
            f"linear | bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
        )


def upsample(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """interpolate, by its old name."""
    warn_caller("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """interpolate with `mode` "nearest", by its old name."""
    warn_caller("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(
    input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """interpolate with `mode` "bilinear" and aligned corners, by its old name."""
    warn_caller("`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _sizes(
    input: Tensor,
    axes: int,
    size: int | Sequence[int] | None,
    scale_factor: float | Sequence[float] | None,
    recompute: bool | None,
) -> tuple[list[int], list[float]]:
    """The new sizes, and how far apart the new elements are in terms of the old ones."""
    if (size is None) == (scale_factor is None):
        quantifier = "either" if size is None else "only one of"
        raise ValueError(f"{quantifier} size or scale_factor should be defined")
    lengths = list(input.shape[2:])
    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        given: list[Any] = list(size) if isinstance(size, (list, tuple)) else [size] * axes
        if len(given) != axes:
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {lengths} and output size of {size}. Please provide input tensor in (N, C, d1, d2, "
                "...,dK) format and output size in (o1, o2, ...,oK) format."
            )
        try:
            sizes = [index(one) for one in given]
        except TypeError:
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got size "
                f"with types {[type(one) for one in given]}"
            ) from None
        steps = [length / wanted if wanted else 0.0 for length, wanted in zip(lengths, sizes)]
    else:
        assert scale_factor is not None
        factors = [float(scale_factor)] * axes if isinstance(scale_factor, (int, float)) else list(scale_factor)
        if len(factors) != axes:
            raise ValueError(
                "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {lengths} and scale_factor of shape {scale_factor}. Please provide input "
                "tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
            )
        sizes = [floor(length * factor) for length, factor in zip(lengths, factors)]
        steps = [1.0 / factor if factor else 0.0 for factor in factors]
        if recompute:
            steps = [length / wanted if wanted else 0.0 for length, wanted in zip(lengths, sizes)]
    return sizes, steps
