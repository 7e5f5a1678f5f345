"""segment_reduce: one result for each of the stretches that an axis is divided into."""

from __future__ import annotations

from math import inf

from .. import _core
from .._core import Tensor
from ..dtypes import scalar_name
from ..looking import holds_somewhere
from .arguments import composed, wrap_axis
from .counting import searchsorted
from .scattering import scatter_reduce

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._typing import Number

__all__ = ["segment_reduce"]

# How scatter_reduce calls them, and what they are of nothing.
_REDUCTIONS = {
    "sum": ("sum", 0.0),
    "mean": ("sum", 0.0),
    "prod": ("prod", 1.0),
    "max": ("amax", -inf),
    "min": ("amin", inf),
}


@composed
def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Tensor | None = None,
    indices: Tensor | None = None,
    offsets: Tensor | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: Number | None = None,
) -> Tensor:
    """The sum, mean, max, min or prod of each segment of `data` along `axis`.

    `lengths` (..., segments) are those of the segments, `offsets` (..., segments + 1) where they begin and the last one
    ends; the axes before are those of `data`. `initial` takes part in each result; without it an empty segment has 0,
    1, ±inf or, as a mean, NaN. RuntimeError, unless `unsafe`, if the lengths are negative or are not all of `data`.
    """
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, max or min, got {reduce}")
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if lengths is None:
        if offsets is None:
            raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
        lengths = offsets.diff(dim=-1)
    if not data.dtype.is_floating_point:
        raise NotImplementedError(f"\"_segment_reduce_cpu\" not implemented for '{scalar_name(data.dtype)}'")
    if lengths.dtype not in (_core.int32, _core.int64):
        raise NotImplementedError(f"segment_reduce(): lengths must be int32 or int64, got {lengths.dtype}")
    axis = wrap_axis(axis, data.dim())
    if axis != lengths.dim() - 1:
        raise RuntimeError(f"segment_reduce(): Expected axis to be the last dimension of lengths but got {axis}.")
    if tuple(lengths.shape[:-1]) != tuple(data.shape[:axis]):
        raise RuntimeError(
            f"segment_reduce(): Expected the axes of lengths before the last to be those of data, {data.shape[:axis]}, "
            f"got {lengths.shape[:-1]}"
        )
    if not unsafe:
        if holds_somewhere(lengths < 0):
            raise RuntimeError("lengths contains negative value!")
        if holds_somewhere(lengths.sum(-1) != data.shape[axis]):
            raise RuntimeError(
                "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) "
                "when !unsafe."
            )
    return _reduced(data, reduce, lengths, axis, initial)


def _reduced(data: Tensor, reduce: str, lengths: Tensor, axis: int, initial: Number | None) -> Tensor:
    name, nothing = _REDUCTIONS[reduce]
    extreme = reduce in ("max", "min")
    start = nothing if initial is None or extreme else initial
    segments = lengths.shape[-1]
    # The number of the segment that each place along the axis is in; places behind all segments go into one more.
    places = _core.arange(data.shape[axis], device=data.device).expand(data.shape[: axis + 1])
    numbers = searchsorted(lengths.cumsum(-1), places, right=True)
    shape = [*data.shape[:axis], segments + 1, *data.shape[axis + 1 :]]
    index = numbers.reshape(*numbers.shape, *(1 for _ in data.shape[axis + 1 :])).expand(data.shape)
    base = _core.full(shape, float(start), dtype=data.dtype, device=data.device)
    result = scatter_reduce(base, axis, index, data, name).narrow(axis, 0, segments)
    if extreme and initial is not None:
        return _core.where(result < initial if reduce == "max" else result > initial, initial, result)
    if reduce != "mean":
        return result
    count = lengths.reshape(*lengths.shape, *(1 for _ in data.shape[axis + 1 :])).to(data.dtype)
    return result / count if initial is None else _core.where(count == 0, result, result / count.clamp(min=1))
