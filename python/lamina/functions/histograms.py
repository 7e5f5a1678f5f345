"""How many elements fall into each of a row of bins."""

from __future__ import annotations

import math

from .. import _core
from .._core import Tensor
from ..dtypes import scalar_name
from ..return_types import histogram as Histogram
from ..return_types import histogramdd as JointHistogram
from .arguments import composed
from .counting import searchsorted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._typing import Number

__all__ = ["histc", "histogram", "histogramdd"]


def _check_finite(name: str, low: float, high: float) -> None:
    if not (abs(low) < float("inf") and abs(high) < float("inf")):
        raise RuntimeError(f"{name} [{low:g}, {high:g}] is not finite")


@composed
def histc(input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0) -> Tensor:
    """How many elements lie in each of `bins` equal intervals from `min` to `max` (those of the data, if both are 0).

    The last interval contains its end; what lies outside is not counted.
    """
    if bins <= 0:
        raise RuntimeError(f"torch.histc(): bins must be > 0, but got {bins}")
    x = input.detach().reshape(-1)
    if not x.dtype.is_floating_point:
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{scalar_name(x.dtype)}'")
    if input.is_meta:
        return input.new_empty(bins)
    low, high = float(min), float(max)
    if low == high and x.numel():
        low, high = float(x.amin()), float(x.amax())
    if low == high:
        low, high = low - 1, high + 1
    _check_finite("torch.histc: range of", low, high)
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    place = ((x - low) / (high - low) * bins).long().clamp(max=bins - 1)
    place = _core.where((x >= low) & (x <= high), place, bins)  # what lies outside is counted behind the end
    counts = place.new_zeros(bins + 1).scatter_add(0, place, _core.ones_like(place))
    return counts[:bins].to(input.dtype)


@composed
def histogram(
    input: Tensor,
    bins: int | Tensor = 100,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Histogram:
    """``(hist, bin_edges)``: the count, or sum of `weight`, of the elements between each pair of edges.

    `bins` is a number of equal bins over `range` (default: from the smallest element to the largest), or the edges
    themselves, ascending. The last bin contains its end. With `density` the integral over all bins is 1. RuntimeError
    for input that is not floating point, and where shapes or types differ.
    """
    if isinstance(bins, Tensor) and range is not None:
        raise TypeError(
            "histogram() received an invalid combination of arguments: range goes with a number of bins, not with edges"
        )
    if weight is not None and weight.shape != input.shape:
        raise RuntimeError(
            "torch.histogram(): if weight tensor is provided it should have the same shape as the input tensor "
            f"excluding its innermost dimension, but got input with shape {list(input.shape)}, and weight with shape "
            f"{list(weight.shape)}"
        )
    limits = None if range is None else list(range)
    hist, edges = _joint(input.reshape(-1, 1), [bins], limits, weight, density)
    return Histogram(hist, edges[0])


@composed
def histogramdd(
    input: Tensor,
    bins: int | Sequence[int] | Sequence[Tensor],
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> JointHistogram:
    """``(hist, bin_edges)``: `histogram` of points, whose coordinates are the last axis of `input` (..., d).

    `bins` is the number of bins along all coordinates, or along each, or the edges along each; `range` the lowest and
    highest edge of each in turn; `weight` of the shape (...). `hist` has an axis of bins a coordinate, and `bin_edges`
    is a tuple of d tensors. Errors as in `histogram`, and RuntimeError for another number of bins or bounds.
    """
    if input.dim() < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    count = input.shape[-1]
    each: list[int | Tensor] = [bins] * count if isinstance(bins, int) else list(bins)
    if len(each) != count:
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    if weight is not None and weight.shape != input.shape[:-1]:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor "
            f"excluding its innermost dimension, but got input with shape {list(input.shape)}, and weight with shape "
            f"{list(weight.shape)}"
        )
    points = input.reshape(math.prod(input.shape[:-1]), count)
    return JointHistogram(*_joint(points, each, None if range is None else list(range), weight, density))


def _joint(
    points: Tensor,
    bins: Sequence[int | Tensor],
    limits: Sequence[float] | None,
    weight: Tensor | None,
    density: bool,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The histogram of the rows of `points`, and the edges along each of their coordinates."""
    if not points.dtype.is_floating_point:
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{scalar_name(points.dtype)}'")
    if weight is not None and weight.dtype != points.dtype:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same "
            f"dtype, but got input({points.dtype}), and weight({weight.dtype})"
        )
    if limits is not None and len(limits) != 2 * len(bins):
        raise RuntimeError(
            f"torch.histogramdd: for a {len(bins)}-dimensional histogram range should have {2 * len(bins)} elements, "
            f"but got {len(limits)}"
        )
    wanted = math.prod(max(line.numel() - 1 if isinstance(line, Tensor) else line, 1) for line in bins)
    if wanted >= 2**40:
        raise RuntimeError(f"torch.histogramdd: {wanted} bins are more than memory holds")
    columns = points.detach().unbind(1)
    pairs = [None if limits is None else (limits[2 * d], limits[2 * d + 1]) for d in range(len(bins))]
    edges = tuple(_edges(d, x, count, pair) for d, (x, count, pair) in enumerate(zip(columns, bins, pairs)))
    sizes = [line.numel() - 1 for line in edges]
    inside = points.new_ones(points.shape[0], dtype=_core.bool)
    place = points.new_zeros(points.shape[0], dtype=_core.int64)
    for x, line, size in zip(columns, edges, sizes):
        along = _core.where(x == line[-1], size - 1, searchsorted(line, x, right=True) - 1)
        inside = inside & (along >= 0) & (along < size) & ~x.isnan()
        place = place * size + along
    amount = points.new_ones(points.shape[0]) if weight is None else weight.detach().reshape(-1)
    hist = points.new_zeros(math.prod(sizes)).scatter_add(0, place[inside], amount[inside])
    hist = hist.reshape(tuple(sizes))
    if density:
        hist = hist / hist.sum()
        for d, line in enumerate(edges):
            hist = hist / line.diff().reshape([-1 if axis == d else 1 for axis in range(len(edges))])
    return hist, edges


def _edges(dim: int, x: Tensor, bins: int | Tensor, limits: tuple[float, float] | None) -> Tensor:
    """The edges along the coordinate `dim`, whose numbers are `x`."""
    if isinstance(bins, Tensor):
        if bins.dtype != x.dtype:
            raise RuntimeError(
                "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with "
                f"dtype {x.dtype} and bins for dimension {dim} with dtype {bins.dtype}"
            )
        if bins.dim() != 1:
            raise RuntimeError(
                f"torch.histogramdd: bins tensor should have one dimension, but got {bins.dim()} dimensions in the "
                f"bins tensor for dimension {dim}"
            )
        if bins.numel() == 0:
            raise RuntimeError(
                "torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins tensor "
                f"for dimension {dim}"
            )
    if (bins.numel() - 1 if isinstance(bins, Tensor) else bins) <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension {dim}")
    if isinstance(bins, Tensor):
        return bins.detach()
    if limits is not None:
        low, high = float(limits[0]), float(limits[1])
    else:
        low, high = (float(x.amin()), float(x.amax())) if x.numel() else (0.0, 1.0)
    _check_finite(f"torch.histogramdd: dimension {dim}'s range", low, high)
    if low > high:
        raise RuntimeError(
            f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {dim}"
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    return _core.linspace(low, high, bins + 1, dtype=x.dtype, device=x.device)
