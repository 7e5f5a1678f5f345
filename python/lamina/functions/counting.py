"""Histograms, and where numbers belong in sorted sequences."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..return_types import mode as Mode
from .arguments import composed, wrap_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._typing import Number

__all__ = ["bucketize", "histc", "mode", "msort", "searchsorted"]


def _positions(rows: Tensor, values: Tensor, right: bool) -> Tensor:
    """How many elements of each sorted row are below (or, if `right`, not above) each of the values of that row.

    A row and its values are sorted together: the rank among both less the rank among the values alone is the answer.
    """
    kind = _core.promote_types(rows.dtype, values.dtype)
    rows, values = rows.to(kind), values.to(kind)
    count = values.shape[-1]
    # The sort is stable: of equal numbers, what stands first counts as smaller.
    together = _core.cat([rows, values] if right else [values, rows], -1)
    rank = together.argsort(-1, stable=True).argsort(-1)
    own = values.argsort(-1, stable=True).argsort(-1)
    start = rows.shape[-1] if right else 0
    return rank.narrow(-1, start, count) - own


@composed
def searchsorted(
    sorted_sequence: Tensor,
    input: Tensor | Number,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where each number belongs in the sequence of its row (the last dimension), so that it stays sorted.

    A number goes before its equals, or behind them with `right`. A 1-D sequence serves all rows of `input`. `sorter` is
    the order in which the sequence is sorted. RuntimeError if the other dimensions differ.
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    values = input if isinstance(input, Tensor) else _core.tensor(input, dtype=sorted_sequence.dtype)
    rows = (sorted_sequence if sorter is None else sorted_sequence.gather(-1, sorter)).detach()
    if rows.dim() == 1:
        found = _positions(rows, values.detach().reshape(-1), right or side == "right").reshape(values.shape)
    elif rows.shape[:-1] == values.shape[:-1] and rows.dim() == values.dim():
        found = _positions(rows, values.detach(), right or side == "right")
    else:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(rows.shape)} and input "
            f"value tensor {list(values.shape)}"
        )
    return found.int() if out_int32 else found


@composed
def bucketize(input: Tensor | Number, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The number of the bucket between the sorted 1-D `boundaries` that each element lies in, from 0."""
    if boundaries.dim() != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.dim()})")
    found: Tensor = searchsorted(boundaries, input, out_int32=out_int32, right=right)
    return found


@composed
def histc(input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0) -> Tensor:
    """How many elements lie in each of `bins` equal intervals from `min` to `max` (those of the data, if both are 0).

    The last interval contains its end; what lies outside is not counted.
    """
    if bins <= 0:
        raise RuntimeError(f"torch.histc(): bins must be > 0, but got {bins}")
    x = input.detach().reshape(-1)
    if not x.dtype.is_floating_point:
        raise RuntimeError(f'"histogram_cpu" not implemented for {x.dtype}')
    low, high = float(min), float(max)
    if low == high and x.numel():
        low, high = float(x.amin()), float(x.amax())
    if low == high:
        low, high = low - 1, high + 1
    if not (abs(low) < float("inf") and abs(high) < float("inf")):
        raise RuntimeError(f"torch.histc: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    inside = x[(x >= low) & (x <= high)].double()
    place = ((inside - low) * (bins / (high - low))).long().clamp(max=bins - 1)
    counts = _core.zeros(bins, dtype=_core.int64).scatter_add(0, place, _core.ones_like(place))
    return counts.to(input.dtype)


@composed
def msort(input: Tensor) -> Tensor:
    """`input` sorted along its first dimension."""
    result: Tensor = (input.sort(0) if input.dim() else input.clone().reshape(1).sort(0))[0]
    return result.reshape(input.shape)


@composed
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Mode:
    """The most frequent element along `dim` (the smallest of several), and where its last occurrence is."""
    dim = wrap_axis(dim, input.dim())
    if input.dim() == 0:
        return Mode(input.clone(), _core.zeros((), dtype=_core.int64))
    length = input.shape[dim]
    if length == 0:
        raise IndexError(f"mode(): Expected reduction dim {dim} to have non-zero size.")
    values, order = input.detach().sort(dim, stable=True)
    # In sorted order, how often each element has occurred up to its place.
    starts = _core.ones_like(values, dtype=_core.bool)
    later, earlier = values.narrow(dim, 1, length - 1), values.narrow(dim, 0, length - 1)
    starts.narrow(dim, 1, length - 1).copy_(later != earlier)
    places = _core.arange(length).reshape((-1, *([1] * (input.dim() - 1 - dim)))).expand(values.shape)
    first = _core.where(starts, places, 0).cummax(dim)[0]
    longest = (places - first).argmax(dim, True)
    index = order.gather(dim, longest)
    chosen = input.gather(dim, index)
    return Mode(*((chosen, index) if keepdim else (chosen.squeeze(dim), index.squeeze(dim))))
