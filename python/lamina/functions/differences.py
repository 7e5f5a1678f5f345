"""Derivatives of sampled functions by differences of neighbours."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .arguments import composed, wrap_axes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._typing import Number

__all__ = ["gradient"]


@composed
def gradient(
    input: Tensor,
    *,
    spacing: Number | Sequence[Number] | Sequence[Tensor] | None = None,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
) -> tuple[Tensor, ...]:
    """The derivative of the samples `input` along each of `dim` (all), by central differences; of `input`'s shape.

    `spacing` is the distance of the samples (1), one for each of `dim`, or a 1-D tensor of coordinates for each. At the
    edges the difference is one-sided, of order `edge_order` (1 or 2), which takes ``edge_order + 1`` samples.
    RuntimeError if there are fewer, and for another number of spacings.

    Source: Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", 1988.
    """
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    axes = list(range(input.dim())) if dim is None else wrap_axes(dim, input.dim())
    if spacing is None or isinstance(spacing, (int, float, Tensor)):
        spacings = [1 if spacing is None else spacing] * len(axes)
    else:
        spacings = list(spacing)  # type: ignore[arg-type]
        if len(spacings) != len(axes):
            wanted = (
                f"a scalar, or a list of length equal to 'self.dim() = {input.dim()}', since dim argument was not "
                f"given, but got a list of length {len(spacings)}"
                if dim is None
                else "a scalar or it's spacing and dim arguments to have the same length, but got a spacing argument "
                f"of length {len(spacings)} and a dim argument of length {len(axes)}."
            )
            raise RuntimeError(f"torch.gradient expected spacing to be unspecified, {wanted}")
    if any(input.shape[axis] < edge_order + 1 for axis in axes):
        raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    return tuple(_along(input, axis, step, edge_order) for axis, step in zip(axes, spacings, strict=True))


def _along(x: Tensor, axis: int, spacing: Number | Tensor, edge_order: int) -> Tensor:
    count = x.shape[axis]

    def samples(start: int, length: int = 1) -> Tensor:
        return x.narrow(axis, start, length)

    first: list[Number | Tensor]  # the two distances at either end
    last: list[Number | Tensor]
    if isinstance(spacing, Tensor):
        steps = spacing.diff().reshape([-1 if other == axis else 1 for other in range(x.dim())])

        def step(start: int, length: int = 1) -> Tensor:
            return steps.narrow(axis, start, length)

        left, right = step(0, count - 2), step(1, count - 2)
        middle = _three(samples(0, count - 2), samples(1, count - 2), samples(2, count - 2), left, right, 1)
        first, last = [step(0), step(min(1, count - 2))], [step(max(count - 3, 0)), step(count - 2)]
    else:
        middle = (samples(2, count - 2) - samples(0, count - 2)) / (2 * spacing)
        first = last = [spacing, spacing]
    if edge_order == 1:
        low, high = (samples(1) - samples(0)) / first[0], (samples(count - 1) - samples(count - 2)) / last[1]
    else:
        low = _three(samples(0), samples(1), samples(2), first[0], first[1], 0)
        high = _three(samples(count - 3), samples(count - 2), samples(count - 1), last[0], last[1], 2)
    return _core.cat([low, middle, high], axis)


def _three(f0: Tensor, f1: Tensor, f2: Tensor, a: Number | Tensor, b: Number | Tensor, place: int) -> Tensor:
    """The slope, at the place 0, 1 or 2, of the parabola through three samples at distances `a` and `b`."""
    both = a + b
    if place == 0:
        return -(a + both) / (a * both) * f0 + both / (a * b) * f1 - a / (b * both) * f2
    if place == 1:
        return -b / (a * both) * f0 + (b - a) / (a * b) * f1 + a / (b * both) * f2
    return b / (a * both) * f0 - both / (a * b) * f1 + (b + both) / (b * both) * f2
