"""Where numbers belong in sorted sequences, sorting by rows, and the most frequent element."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import scalar_name
from ..looking import holds_somewhere
from ..return_types import mode as Mode
from .arguments import as_tensor_beside, composed, wrap_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._typing import Number

__all__ = ["bucketize", "mode", "msort", "searchsorted"]


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
    values = as_tensor_beside(sorted_sequence, input)
    if values.dim() == 0 and sorted_sequence.dim() != 1:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got "
            f"boundaries tensor dim({sorted_sequence.dim()}) and input value's dim(0) numel(1)"
        )
    rows = sorted_sequence if sorter is None else _in_order(sorted_sequence, sorter)
    found = _core._search(rows, values, right or side == "right")
    return found.int() if out_int32 else found


def _in_order(sequence: Tensor, sorter: Tensor) -> Tensor:
    if sequence.shape != sorter.shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
            f"{list(sequence.shape)} and got sorter tensor {list(sorter.shape)}"
        )
    if sorter.dtype != _core.int64:
        raise RuntimeError(
            f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {scalar_name(sorter.dtype)}"
        )
    if holds_somewhere((sorter < 0) | (sorter >= sequence.shape[-1])):
        raise RuntimeError("torch.searchsorted(): sorter index out of range")
    return sequence.gather(-1, sorter)


@composed
def bucketize(input: Tensor | Number, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The number of the bucket between the sorted 1-D `boundaries` that each element lies in, from 0."""
    if boundaries.dim() != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.dim()})")
    found: Tensor = searchsorted(boundaries, input, out_int32=out_int32, right=right)
    return found


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
        return Mode(input.clone(), input.new_zeros((), dtype=_core.int64))
    length = input.shape[dim]
    if length == 0:
        raise IndexError(f"mode(): Expected reduction dim {dim} to have non-zero size.")
    values, order = input.detach().sort(dim, stable=True)
    # In sorted order, how often each element has occurred up to its place.
    differs = values.narrow(dim, 1, length - 1) != values.narrow(dim, 0, length - 1)
    starts = _core.cat([differs.new_ones((*input.shape[:dim], 1, *input.shape[dim + 1 :])), differs], dim)
    line = _core.arange(length, device=input.device)
    places = line.reshape((-1, *([1] * (input.dim() - 1 - dim)))).expand(values.shape)
    first = _core.where(starts, places, -1).cummax(dim)[1]
    longest = (places - first).argmax(dim, True)
    index = _core._gather_within(order, dim, longest)
    chosen = _core._gather_within(input, dim, index)
    return Mode(*((chosen, index) if keepdim else (chosen.squeeze(dim), index.squeeze(dim))))
