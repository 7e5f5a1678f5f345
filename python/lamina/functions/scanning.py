"""Running extremes, running log-sum-exp and differences along an axis.

A scan without a kernel of its own doubles its reach: after k rounds an element knows its 2**k predecessors, so n
elements take log2(n) rounds of elementwise work.
"""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import has_gradients, scalar_name
from ..return_types import cummax as RunningMax
from ..return_types import cummin as RunningMin
from .arguments import composed, composed_as, wrap_axis
from .pointwise import logaddexp

__all__ = ["cummax", "cummin", "diff", "logcumsumexp"]


def _require_ordered(kernel: str, input: Tensor) -> None:
    if input.is_complex():
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(input.dtype)}'")


@composed_as("Cummax")
def cummax(input: Tensor, dim: int) -> RunningMax:
    """The largest element so far along `dim` and where it was; the latest of equals, and NaN once met."""
    _require_ordered("cummax_cpu", input)
    return RunningMax(*_core._running_extreme(input, dim, True))


@composed_as("Cummin")
def cummin(input: Tensor, dim: int) -> RunningMin:
    """The smallest element so far along `dim` and where it was; the latest of equals, and NaN once met."""
    _require_ordered("cummin_cpu", input)
    return RunningMin(*_core._running_extreme(input, dim, False))


@composed_as("Logcumsumexp")
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """``log(cumsum(exp(input), dim))`` without overflow."""
    dim = wrap_axis(dim, input.dim())
    if not has_gradients(input):
        raise RuntimeError(f"logcumsumexp: expected a floating point tensor, got {input.dtype}")
    if input.dim() == 0 or input.numel() == 0:
        return input.clone()
    total, length, reach = input, input.shape[dim], 1
    while reach < length:
        earlier, later = total.narrow(dim, 0, length - reach), total.narrow(dim, reach, length - reach)
        total = _core.cat([total.narrow(dim, 0, reach), logaddexp(later, earlier)], dim)
        reach *= 2
    return _core._lay_contiguous(total.clone() if total is input else total)


def _check_joinable(input: Tensor, part: Tensor, dim: int) -> None:
    if part.dim() != input.dim():
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    for axis, (size, other) in enumerate(zip(input.shape, part.shape)):
        if axis != dim and size != other:
            raise RuntimeError(
                "diff expects the shape of tensor to prepend or append to match that of input except along the "
                f"differencing dimension; input.size({axis}) = {size}, but got tensor.size({axis}) = {other}"
            )


@composed
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Differences of neighbors along `dim`, `n` times over, with `prepend` and `append` put at its ends first."""
    if input.dim() == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:
        return input.clone()
    for part in (prepend, append):
        if part is not None:
            _check_joinable(input, part, wrap_axis(dim, input.dim()))
    parts = [part for part in (prepend, input, append) if part is not None]
    x = _core.cat(parts, dim) if len(parts) > 1 else input
    for _ in range(min(n, x.shape[dim])):
        length = x.shape[dim] - 1
        later, earlier = x.narrow(dim, 1, length), x.narrow(dim, 0, length)
        x = later != earlier if x.dtype == _core.bool else later - earlier
    return x
