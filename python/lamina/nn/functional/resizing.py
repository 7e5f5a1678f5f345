"""Images and lines of another size."""

from __future__ import annotations

from math import floor

from ... import _core
from ..._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["interpolate"]

_LINEAR = {"linear": 1, "bilinear": 2}


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """(N, C, L) or (N, C, H, W) in another `size`, or `scale_factor` times as large.

    "nearest" repeats elements, "nearest-exact" those nearest to the new ones' centres; "linear" (of lines) and
    "bilinear" weigh the neighbours: with `align_corners` the outermost centres meet, else the outermost edges. The
    scale is the given one unless `recompute_scale_factor` derives it from the sizes. "area" is adaptive_avg_pool.
    NotImplementedError for other modes and dimensions; ValueError for options that contradict each other.
    """
    axes = input.ndim - 2
    if mode not in ("nearest", "nearest-exact", "area", *_LINEAR) or antialias:
        raise NotImplementedError(f"interpolate: mode {mode!r} (antialias={antialias}) does not exist here")
    if axes not in (1, 2) or (mode in _LINEAR and _LINEAR[mode] != axes):
        raise NotImplementedError(
            "Input Error: Only 3D and 4D input Tensors supported (got "
            f"{input.ndim}D) for the modes: nearest | linear | bilinear | area | nearest-exact (got {mode})"
        )
    if mode not in _LINEAR and align_corners is not None:
        raise ValueError("align_corners option can only be set with the interpolating modes: linear | bilinear")
    sizes, scales = _sizes(input, axes, size, scale_factor, recompute_scale_factor)
    if mode == "area":
        from .adaptive_pooling import adaptive_avg_pool1d, adaptive_avg_pool2d

        return adaptive_avg_pool1d(input, sizes) if axes == 1 else adaptive_avg_pool2d(input, sizes)
    output = input
    for axis, (wanted, scale) in enumerate(zip(sizes, scales), 2):
        length = input.shape[axis]
        if mode in _LINEAR:
            places = _linear_places(length, wanted, scale, bool(align_corners))
            output = _between(output, axis, places)
        else:
            index = _nearest(length, wanted, scale, mode == "nearest-exact", input.dtype)
            output = output.index_select(axis, index)
    name = {"nearest": "Nearest", "nearest-exact": "NearestExact", "linear": "Linear", "bilinear": "Bilinear"}[mode]
    return _core._labelled(output, f"Upsample{name}{axes}D") if output.requires_grad else output


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
        sizes = [size] * axes if isinstance(size, int) else list(size)
        if len(sizes) != axes:
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {lengths} and output size of {size}."
            )
        steps = [length / wanted if wanted else 0.0 for length, wanted in zip(lengths, sizes)]
    else:
        assert scale_factor is not None
        factors = [float(scale_factor)] * axes if isinstance(scale_factor, (int, float)) else list(scale_factor)
        if len(factors) != axes:
            raise ValueError(
                "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {lengths} and scale_factor of shape {scale_factor}."
            )
        sizes = [floor(length * factor) for length, factor in zip(lengths, factors)]
        steps = [1.0 / factor for factor in factors]
        if recompute:
            steps = [length / wanted if wanted else 0.0 for length, wanted in zip(lengths, sizes)]
    if any(wanted <= 0 for wanted in sizes) or any(length == 0 for length in lengths):
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input (H: {lengths[0]}, W: {lengths[-1]}) "
            f"output (H: {sizes[0]}, W: {sizes[-1]})"
        )
    return sizes, steps


def _nearest(length: int, wanted: int, step: float, exact: bool, dtype: _core.dtype) -> Tensor:
    """Which old element each new one repeats: at the border of two, PyTorch's rounding decides."""
    kind = dtype if dtype == _core.float64 else _core.float32
    scale = _core.tensor(step, dtype=kind).to(_core.float64)
    places = _core.arange(wanted, dtype=_core.float64)
    places = ((places + 0.5) * scale - 0.5).to(kind) + 0.5 if exact else (places * scale).to(kind)
    return places.to(_core.float32).floor().to(_core.int64).clamp_max(length - 1)


def _linear_places(length: int, wanted: int, step: float, align_corners: bool) -> list[float]:
    """Where among the old elements each new one lies."""
    if align_corners:
        return [n * (length - 1) / (wanted - 1) if wanted > 1 else 0.0 for n in range(wanted)]
    return [max((n + 0.5) * step - 0.5, 0.0) for n in range(wanted)]


def _between(input: Tensor, axis: int, places: list[float]) -> Tensor:
    last = input.shape[axis] - 1
    below = [min(floor(place), last) for place in places]
    above = [min(n + 1, last) for n in below]
    shape = [1] * input.ndim
    shape[axis] = len(places)
    weight = _core.tensor([place - n for place, n in zip(places, below)], dtype=input.dtype).reshape(shape)
    low = input.index_select(axis, _core.tensor(below, dtype=_core.int64))
    high = input.index_select(axis, _core.tensor(above, dtype=_core.int64))
    return low * (1 - weight) + high * weight
