"""One axis of a tensor in another length: each new element repeats an old one, or weighs some of them."""

from __future__ import annotations

from functools import lru_cache
from math import floor, prod

from ... import _core
from ..._core import Tensor
from ...autograd.modes import inference_mode
from ...functions.arguments import check_listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..._core import dtype as DType
    from ..._typing import Device

__all__ = ["antialiased", "cubic", "cubic_weights", "linear", "nearest"]

_LONGEST_KEPT = 1 << 12


def nearest(input: Tensor, axis: int, wanted: int, step: float, exact: bool, whole: bool) -> Tensor:
    """Each new element is an old one, with `exact` the nearest to its centre: at borders PyTorch's rounding decides.

    With `whole` an axis of equal, or twice the length repeats each element once, or twice, whatever the step.
    """
    length = input.shape[axis]
    if whole and wanted in (length, 2 * length):
        times = wanted // length
        return input if times == 1 else input.repeat_interleave(times, axis)
    kind = input.dtype if input.dtype == _core.float64 else _core.float32
    scale = _core.tensor(step, dtype=kind).to(_core.float64)
    places = _core.arange(wanted, dtype=_core.float64, device=input.device)
    places = ((places + 0.5) * scale - 0.5).to(kind) + 0.5 if exact else (places * scale).to(kind)
    index = places.to(_core.float32).floor().to(_core.int64).clamp_max(length - 1)
    if axis == input.ndim - 1 and input.dtype == kind:  # neighbors are moved by vectors
        return _taken(input, axis, index.unsqueeze(1), input.new_ones((wanted, 1)))
    return input.index_select(axis, index)


def linear(input: Tensor, axis: int, wanted: int, step: float, align_corners: bool) -> Tensor:
    """Each new element lies between two old ones; an axis of equal length stays as it is, whatever the step."""
    if wanted == input.shape[axis]:
        return input
    return _taken(input, axis, *_kept(_lines, input, axis, wanted, step, align_corners))


def cubic(input: Tensor, axis: int, wanted: int, step: float, align_corners: bool) -> Tensor:
    """Each new element lies on a cubic through four old ones (Keys, 1981); the outermost are repeated."""
    return _taken(input, axis, *_kept(_cubics, input, axis, wanted, step, align_corners))


def _lines(last: int, places: list[float]) -> tuple[list[Any], list[Any]]:
    """For each place up to `last` the two old elements that it lies between, and what they weigh."""
    places = [max(place, 0.0) for place in places]
    below = [min(floor(place), last) for place in places]
    above = [min(n + 1, last) for n in below]
    weight = [place - n for place, n in zip(places, below)]
    return list(zip(below, above)), [(1 - w, w) for w in weight]


def _cubics(last: int, places: list[float]) -> tuple[list[Any], list[Any]]:
    """For each place the four old elements around it, and what they weigh."""
    first = [floor(place) for place in places]
    taps = [[min(max(n + tap, 0), last) for tap in (-1, 0, 1, 2)] for n in first]
    return taps, [[_cubic(abs(tap - place + n), -0.75) for tap in (-1, 0, 1, 2)] for place, n in zip(places, first)]


def antialiased(input: Tensor, axis: int, wanted: int, step: float, align_corners: bool, reach: int) -> Tensor:
    """Each new element weighs all old ones that it covers: a triangle (`reach` 2) or cubic (4), as wide as the step."""
    length = input.shape[axis]
    scale = _scale(length, wanted, step, align_corners)
    width = max(scale, 1.0)
    centers = (_core.arange(wanted, dtype=_core.float64, device=input.device).unsqueeze(1) + 0.5) * scale
    places = _core.arange(length, dtype=_core.float64, device=input.device)
    low = (centers - reach / 2 * width + 0.5).trunc().clamp_min(0)
    high = (centers + reach / 2 * width + 0.5).trunc().clamp_max(length)
    away = ((places - centers + 0.5) * (1.0 / width)).abs()
    weights = (1 - away).clamp_min(0) if reach == 2 else cubic_weights(away, -0.5)
    weights = _core.where((places >= low) & (places < high), weights, 0.0)
    matrix = (weights / weights.sum(1, keepdim=True)).to(input.dtype)
    return (input.movedim(axis, -1) @ matrix.T).movedim(-1, axis)


def cubic_weights(away: Tensor, a: float) -> Tensor:
    """The weight of what lies `away` (not negative): Keys' cubic, with the slope `a` at 1, up to 2."""
    near = ((a + 2) * away - (a + 3)) * away * away + 1
    far = ((away - 5) * away + 8) * away * a - 4 * a
    return _core.where(away <= 1, near, _core.where(away < 2, far, 0.0))


def _cubic(away: float, a: float) -> float:
    if away <= 1:
        return ((a + 2) * away - (a + 3)) * away * away + 1
    return ((away - 5) * away + 8) * away * a - 4 * a


def _scale(length: int, wanted: int, step: float, align_corners: bool) -> float:
    """How far apart new elements are among the old ones."""
    if align_corners:
        return (length - 1) / (wanted - 1) if wanted > 1 else 0.0
    return step


def _places(length: int, wanted: int, step: float, align_corners: bool) -> list[float]:
    """Where among the old elements each new one lies."""
    check_listed("interpolate", wanted)
    scale = _scale(length, wanted, step, align_corners)
    return [n * scale if align_corners else (n + 0.5) * scale - 0.5 for n in range(wanted)]


def _kept(
    weigh: Callable[[int, list[float]], tuple[list[Any], list[Any]]],
    input: Tensor,
    axis: int,
    wanted: int,
    step: float,
    align_corners: bool,
) -> tuple[Tensor, Tensor]:
    """What each new element along `axis` weighs, and how much: made once, but for very long axes."""
    make = _weighed if wanted <= _LONGEST_KEPT else _weighed.__wrapped__
    return make(weigh, input.shape[axis], wanted, step, align_corners, input.dtype, input.device)


@lru_cache(maxsize=64)
def _weighed(
    weigh: Callable[[int, list[float]], tuple[list[Any], list[Any]]],
    length: int,
    wanted: int,
    step: float,
    align_corners: bool,
    dtype: DType,
    device: Device,
) -> tuple[Tensor, Tensor]:
    taps, weights = weigh(length - 1, _places(length, wanted, step, align_corners))
    with inference_mode(False):  # gradients of later calls may read them
        return (
            _core.tensor(taps, dtype=_core.int64, device=device),
            _core.tensor(weights, dtype=dtype, device=device),
        )


def _taken(input: Tensor, axis: int, index: Tensor, weights: Tensor) -> Tensor:
    before, after = input.shape[:axis], input.shape[axis + 1 :]
    slices = input.reshape((1, prod(before), input.shape[axis], prod(after)))
    taken = _core._weighted_take(slices, index.unsqueeze(0), weights.unsqueeze(0))
    return taken.reshape((*before, index.shape[0], *after))
