"""Reductions composed from sums, extremes and counts."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..return_types import aminmax as MinMax
from .arguments import check_points, check_spacing, composed, composed_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._core import dtype as DType
    from .._typing import Number

__all__ = ["aminmax", "count_nonzero", "dist", "nanmean", "nansum", "std_mean", "trapezoid", "var_mean"]


@composed_as("Aminmax")
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """The smallest and largest element, along `dim` or of all: ``(min, max)``. NaN wins."""
    if dim is None:
        if input.numel() == 0:
            raise RuntimeError(
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
            )
        axes = tuple(range(input.dim()))
        return MinMax(*_core._one_node(input, (input.amin(axes, keepdim), input.amax(axes, keepdim)), "Aminmax"))
    return MinMax(*_core._one_node(input, (input.amin(dim, keepdim), input.amax(dim, keepdim)), "Aminmax"))


@composed
def count_nonzero(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """How many elements are not 0, along `dim` (one or several) or of all; int64."""
    nonzero = input != 0
    return nonzero.sum() if dim is None else nonzero.sum(dim)


@composed_as("Nansum")
def nansum(
    input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """`sum` with NaN counted as 0."""
    if input.is_complex():
        raise RuntimeError("nansum on CPU does not support complex inputs")
    x = _core.where(input.isnan(), 0.0, input) if input.dtype.is_floating_point else input
    return x.sum(dim, keepdim, dtype=dtype)


@composed
def nanmean(
    input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """`mean` of the elements that are not NaN; NaN if there are none."""
    if not input.dtype.is_floating_point:
        raise RuntimeError(f"nanmean(): expected input to have floating point dtype but got {input.dtype}")
    count = input.isnan().logical_not().sum(dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / count


@composed_as("StdMean")
def std_mean(
    input: Tensor,
    dim: int | Sequence[int] | bool | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
) -> tuple[Tensor, Tensor]:
    """``(std, mean)``; arguments as in `std`."""
    std, mean = _moments("std_mean", input, dim, unbiased, keepdim or keepdims, correction, axis)
    std, mean = _core._one_node(input, (std.sqrt(), mean), "StdMean")
    return std, mean


@composed_as("VarMean")
def var_mean(
    input: Tensor,
    dim: int | Sequence[int] | bool | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
) -> tuple[Tensor, Tensor]:
    """``(var, mean)``; arguments as in `var`."""
    moments = _moments("var_mean", input, dim, unbiased, keepdim or keepdims, correction, axis)
    var, mean = _core._one_node(input, moments, "VarMean")
    return var, mean


def _moments(
    name: str,
    input: Tensor,
    dim: int | Sequence[int] | bool | None,
    unbiased: bool | None,
    keepdim: bool,
    correction: Number | None,
    axis: int | Sequence[int] | None,
) -> tuple[Tensor, Tensor]:
    if isinstance(dim, bool):  # std_mean(x, unbiased)
        dim, unbiased = None, dim
    dim = axis if dim is None else dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    return _core._variance(name, input, dim, correction, keepdim), input.mean(dim, keepdim)


@composed_as("Dist")
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of ``input - other``."""
    return (input - other).norm(p)


@composed
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The trapezoidal rule along `dim`, at the points `x` or at a distance `dx` (1) from each other."""
    if x is not None and dx is not None:
        raise RuntimeError("trapezoid: got both x and dx; they exclude each other")
    check_spacing("trapezoid", dx)
    count = y.shape[dim]
    check_points("trapezoid", x, count)
    if count == 0:
        return y.sum(dim)
    heights = y.narrow(dim, 1, count - 1) + y.narrow(dim, 0, count - 1)
    if x is None:
        return heights.sum(dim) * ((1.0 if dx is None else dx) / 2)
    if x.dim() == 1:
        x = x.reshape((-1, *([1] * (y.dim() - 1 - dim % y.dim()))))
        return (heights * (x[1:] - x[:-1])).sum(dim) / 2
    return (heights * x.diff(dim=dim)).sum(dim) / 2
