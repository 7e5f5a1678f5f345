"""A search along a line for a point that satisfies the strong Wolfe conditions."""

from __future__ import annotations

from math import inf, isfinite, sqrt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._core import Tensor

__all__ = ["strong_wolfe"]

_DECREASE, _CURVATURE = 1e-4, 0.9  # c1 and c2 of Nocedal and Wright
_TOLERANCE = 1e-9


class _Point:
    """Where on the line, the loss there, its gradient, and its slope along the line."""

    def __init__(self, t: float, loss: float, gradient: Tensor, slope: float) -> None:
        self.t, self.loss, self.gradient, self.slope = t, loss, gradient, slope


def strong_wolfe(
    at: Callable[[float], tuple[float, Tensor]],
    t: float,
    direction: Tensor,
    loss: float,
    gradient: Tensor,
    slope: float,
    most: int,
) -> tuple[float, Tensor, float, int]:
    """Loss, gradient, distance, and the number of evaluations, of a good enough point along `direction`.

    ``at(distance)`` evaluates; `loss`, `gradient` and `slope` are those at 0, `t` is the first guess. It is evaluated,
    and at most `most` other points. Source: Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6,
    with cubic interpolation.
    """
    scale = float(direction.abs().max())
    origin = _Point(0.0, loss, gradient.clone(), slope)
    spent = 0

    def point(distance: float) -> _Point:
        nonlocal spent
        spent += 1
        value, there = at(distance)
        return _Point(distance, value, there, float(there.dot(direction)))

    def too_high(here: _Point, best: float) -> bool:
        return here.loss > loss + _DECREASE * here.t * slope or here.loss >= best

    def flat_enough(here: _Point) -> bool:
        return abs(here.slope) <= -_CURVATURE * slope

    before, here = origin, point(t)
    bracket: list[_Point] = []
    done = False
    for search in range(most):
        if too_high(here, before.loss if search > 1 else inf):
            bracket = [before, here]
            break
        if flat_enough(here):
            bracket, done = [here], True
            break
        if here.slope >= 0:
            bracket = [before, here]
            break
        nearest, farthest = here.t + 0.01 * (here.t - before.t), here.t * 10
        t = _cubic_minimum(before, here, (nearest, farthest))
        before, here = here, point(t)
    if not bracket:
        bracket = [origin, here]
        search = most
    _zoom(bracket, point, too_high, flat_enough, scale, most - search if not done else 0)
    best = min(bracket, key=lambda p: p.loss)
    return best.loss, best.gradient, best.t, spent


def _zoom(
    bracket: list[_Point],
    point: Callable[[float], _Point],
    too_high: Callable[[_Point, float], bool],
    flat_enough: Callable[[_Point], bool],
    scale: float,
    most: int,
) -> None:
    """Narrow `bracket`, in place, until an end of it will do, by at most so many evaluations."""
    stuck = False
    low, high = (0, 1) if bracket[0].loss <= bracket[-1].loss else (1, 0)
    for _ in range(most):
        left, right = sorted(p.t for p in bracket)
        if (right - left) * scale < _TOLERANCE:
            return
        t = _cubic_minimum(bracket[0], bracket[1])
        margin = 0.1 * (right - left)
        # A point close to an end tells little: the second time in a row it is moved inwards.
        if min(right - t, t - left) < margin:
            if stuck or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        here = point(t)
        if too_high(here, bracket[low].loss):
            bracket[high] = here
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
        else:
            if flat_enough(here):
                bracket[low] = here
                return
            if here.slope * (bracket[high].t - bracket[low].t) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = here


def _cubic_minimum(a: _Point, b: _Point, bounds: Any = None) -> float:
    """Where the cubic through two points with their slopes is lowest, within `bounds` (default: between them)."""
    low, high = bounds if bounds is not None else (min(a.t, b.t), max(a.t, b.t))
    if a.t > b.t:
        a, b = b, a
    theta = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t) if a.t != b.t else float("nan")
    square = theta * theta - a.slope * b.slope
    if isfinite(square) and square >= 0:
        root = sqrt(square)
        bend = b.slope - a.slope + 2 * root
        if bend == 0:  # a straight line is lowest at its end
            return high if b.slope < 0 else low
        t = b.t - (b.t - a.t) * ((b.slope + root - theta) / bend)
        return min(max(t, low), high)
    return (low + high) / 2
