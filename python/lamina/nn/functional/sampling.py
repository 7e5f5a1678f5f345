"""Images looked at through a grid of places."""

from __future__ import annotations

from itertools import product

from ... import _core
from ..._core import Tensor
from ..._warning import warn_caller
from ...dtypes import scalar_name
from ...functions.precision import in_float32
from .resampling import cubic_weights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["affine_grid", "grid_sample"]


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """Where to look in an image (N, C, H, W) or (N, C, D, H, W) for each place of one of `size`, moved by `theta`.

    Theta is (N, 2, 3) or (N, 3, 4): a matrix and a shift, for coordinates (x, y, …) from -1 to 1. These are the centres
    of the outermost elements with `align_corners`, else their edges. The result is (N, H, W, 2) or (N, D, H, W, 3).
    """
    axes = len(size) - 2
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    if axes not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{tuple(size)}."
        )
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (axes, axes + 1):
        raise ValueError(
            f"Expected a batch of {axes}D affine matrices of shape Nx{axes}x{axes + 1} for size {tuple(size)}. Got "
            f"{tuple(theta.shape)}."
        )
    if any(length <= 0 for length in size):
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    if align_corners is None:
        _warn()
    places = list(size[2:])
    if align_corners and min(places) == 1:
        warn_caller(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This "
            "is not an intended use case of affine_grid. See the documentation of affine_grid for details."
        )
    columns = []
    for axis, length in reversed(list(enumerate(places))):
        along = _core.linspace(-1, 1, length, dtype=theta.dtype, device=theta.device)
        along = along if length > 1 else theta.new_zeros(1)
        if not align_corners:
            along = along * ((length - 1) / length)
        columns.append(along.reshape([length if n == axis else 1 for n in range(axes)]).expand(places))
    columns.append(theta.new_ones(places))
    base = _core.stack(columns, -1).reshape(1, -1, axes + 1)
    return (base @ theta.transpose(1, 2)).reshape(size[0], *places, axes)


@in_float32
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """(N, C, H, W) looked at in the places `grid` (N, H', W', 2): (N, C, H', W'); or the same with a third axis.

    Coordinates are those of affine_grid. `mode` "bilinear" weighs the neighbours, "nearest" takes the nearest one, and
    "bicubic" (of images) weighs four in each axis; `padding_mode` says what lies outside: "zeros", the "border"
    repeated, or a "reflection". Places that are NaN show zeros.
    """
    axes = input.ndim - 2
    _check_grid(input, grid, mode, padding_mode)
    if align_corners is None:
        _warn()
    aligned = bool(align_corners)
    lengths = list(input.shape[2:])
    places = [_place(grid.select(-1, axes - 1 - n).flatten(1), length, aligned) for n, length in enumerate(lengths)]
    if mode != "bicubic":  # which bounds each of the elements that it weighs, not the place
        places = [_bounded(place, length, padding_mode, aligned) for place, length in zip(places, lengths)]
    floors = [place.detach().round() if mode == "nearest" else place.detach().floor() for place in places]
    indices, weights = [], []
    for corner in product(*[_TAPS[mode]] * axes):
        weight: Tensor | None = None
        inside: Tensor | None = None
        index: Tensor | None = None
        for place, low, step, length in zip(places, floors, corner, lengths):
            at = low + step
            away = (place - at).abs()
            if mode == "bicubic":
                share = cubic_weights(away, -0.75)
                at = _bounded(at, length, padding_mode, aligned)
            else:
                share = 1 - away if mode == "bilinear" else _core.ones_like(at)
            within = (at >= 0) & (at <= length - 1)
            position = _core.where(within, at, 0.0).to(_core.int64)
            weight = share if weight is None else weight * share
            inside = within if inside is None else inside & within
            index = position if index is None else index * length + position
        assert weight is not None
        assert inside is not None
        assert index is not None
        indices.append(index)
        weights.append(_core.where(inside, weight, 0.0))
    output = _looked_up(input.flatten(2), _core.stack(indices, -1), _core.stack(weights, -1))
    output = output.reshape((*input.shape[:2], *grid.shape[1:-1]))
    if mode == "nearest" and grid.requires_grad:  # whose gradient is zero, not missing
        output = output + _core.where(_core.tensor(False), grid.select(-1, 0).unsqueeze(1), 0.0)
    return _core._labelled(output, f"GridSampler{axes}D") if output.requires_grad else output


def _looked_up(planes: Tensor, index: Tensor, weights: Tensor) -> Tensor:
    """(N, C, elements) to (N, C, places): the sums of the elements that (N, places, n) numbers name, weighed."""
    if planes.shape[1] < _FEW_CHANNELS:
        return _core._weighted_take(planes.unsqueeze(-1), index, weights).squeeze(-1)
    # All channels of an element lie side by side then, and are weighed at once.
    return _core._weighted_take(planes.mT.unsqueeze(1), index, weights).squeeze(1).mT


_FEW_CHANNELS = 8
_TAPS = {"bilinear": (0, 1), "nearest": (0,), "bicubic": (-1, 0, 1, 2)}


def _check_grid(input: Tensor, grid: Tensor, mode: str, padding_mode: str) -> None:
    axes, sizes = input.ndim - 2, f"input with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}"
    if mode not in _TAPS:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if grid.shape[0] != input.shape[0]:
        raise RuntimeError(f"grid_sampler(): expected grid and input to have same batch size, but got {sizes}")
    if grid.shape[-1] != axes:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {axes} in last dimension, but got grid with sizes "
            f"{list(grid.shape)}"
        )
    if axes not in (2, 3) or grid.ndim != input.ndim:
        raise RuntimeError(
            f"grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got {sizes}"
        )
    for axis, length in enumerate(input.shape[2:], 2):
        if length == 0:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                f"{list(input.shape)} with dimension {axis} being empty"
            )
    if mode == "bicubic" and axes != 2:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if grid.dtype != input.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(input.dtype)} but found {scalar_name(grid.dtype)}")


def _place(coordinate: Tensor, length: int, align_corners: bool) -> Tensor:
    """A coordinate from -1 to 1 as a place among `length` elements."""
    return ((coordinate + 1) * (length - 1 if align_corners else length) - (0 if align_corners else 1)) / 2


def _bounded(place: Tensor, length: int, padding_mode: str, align_corners: bool) -> Tensor:
    """The place that stands for one outside."""
    if padding_mode == "zeros":
        return place
    if padding_mode == "reflection":
        low, high = (0.0, length - 1.0) if align_corners else (-0.5, length - 0.5)
        span = high - low
        if span == 0:
            return place * 0
        away = (place - low).abs() % (2 * span)
        place = low + span - (away - span).abs()
    return place.clamp(0, length - 1)


def _warn() -> None:
    warn_caller(
        "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
        "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details."
    )
