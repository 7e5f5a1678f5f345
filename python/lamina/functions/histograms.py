"""How many elements fall into each of a row of bins."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..return_types import histogram as Histogram
from .arguments import composed, scalar_name
from .counting import searchsorted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._typing import Number

__all__ = ["histc", "histogram"]


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
    low, high = float(min), float(max)
    if low == high and x.numel():
        low, high = float(x.amin()), float(x.amax())
    if low == high:
        low, high = low - 1, high + 1
    _check_finite("torch.histc: range of", low, high)
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    inside = x[(x >= low) & (x <= high)].double()
    place = ((inside - low) * (bins / (high - low))).long().clamp(max=bins - 1)
    counts = _core.zeros(bins, dtype=_core.int64).scatter_add(0, place, _core.ones_like(place))
    return counts.to(input.dtype)


@composed
def histogram(
    input: Tensor,
    bins: int | Tensor,
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
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{scalar_name(input.dtype)}'")
    if weight is not None and weight.dtype != input.dtype:
        raise RuntimeError(
            "torch.histogram(): if weight tensor is provided, input tensor and weight tensor should have the same "
            f"dtype, but got input({input.dtype}), and weight({weight.dtype})"
        )
    if weight is not None and weight.shape != input.shape:
        raise RuntimeError(
            "torch.histogram(): if weight tensor is provided it should have the same shape as the input tensor "
            f"excluding its innermost dimension, but got input with shape {list(input.shape)}, and weight with shape "
            f"{list(weight.shape)}"
        )
    x = input.detach().reshape(-1)
    edges = _edges(x, bins, range)
    place = searchsorted(edges, x, right=True) - 1
    last = edges.numel() - 2
    place = _core.where(x == edges[-1], last, place)
    inside = (place >= 0) & (place <= last) & ~x.isnan()
    amount = _core.ones_like(x) if weight is None else weight.detach().reshape(-1)
    hist = _core.zeros(last + 1, dtype=x.dtype).scatter_add(0, place[inside], amount[inside])
    if density:
        hist = hist / hist.sum() / edges.diff()
    return Histogram(hist, edges)


def _edges(x: Tensor, bins: int | Tensor, limits: Sequence[float] | None) -> Tensor:
    if isinstance(bins, Tensor):
        if limits is not None:
            raise TypeError("torch.histogram(): range goes with a number of bins, not with edges")
        if bins.dtype != x.dtype:
            raise RuntimeError(
                f"torch.histogram(): input tensor and bins tensors should have the same dtype, got {x.dtype} and "
                f"{bins.dtype}"
            )
        if bins.dim() != 1 or bins.numel() < 2:
            raise RuntimeError(
                "torch.histogram(): bins tensor should have one dimension and at least two edges, but got shape "
                f"{list(bins.shape)}"
            )
        return bins.detach()
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if limits is not None:
        low, high = float(limits[0]), float(limits[1])
    else:
        low, high = (float(x.amin()), float(x.amax())) if x.numel() else (0.0, 1.0)
    _check_finite("torch.histogram(): dimension 0's range", low, high)
    if low > high:
        raise RuntimeError(
            f"torch.histogram(): min should not exceed max, but got min {low:g} max {high:g} for dimension 0"
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    return _core.linspace(low, high, bins + 1, dtype=x.dtype)
