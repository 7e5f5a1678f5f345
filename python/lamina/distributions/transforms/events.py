"""Transforms of vectors and of whole events."""

from __future__ import annotations

from math import prod

from ... import _core
from ..._core import Size, Tensor
from ...dtypes import finfo
from ...nn.functional import logsigmoid, pad
from .. import constraints
from .transform import Transform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ReshapeTransform", "SoftmaxTransform", "StickBreakingTransform"]


class ReshapeTransform(Transform):
    """Events of shape `in_shape` in the shape `out_shape`. ValueError for different numbers of elements."""

    bijective = True

    def __init__(self, in_shape: Sequence[int], out_shape: Sequence[int], cache_size: int = 0) -> None:
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if prod(self.in_shape) != prod(self.out_shape):
            raise ValueError("in_shape, out_shape have different numbers of elements")
        super().__init__(cache_size)
        self.domain = constraints.independent(constraints.real, len(self.in_shape))
        self.codomain = constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape(self.forward_shape(x.shape))

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape(self.inverse_shape(y.shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x.new_zeros(x.shape[: x.dim() - len(self.in_shape)])

    def forward_shape(self, shape: Sequence[int]) -> Size:
        return _exchanged(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return _exchanged(shape, self.out_shape, self.in_shape)


def _exchanged(shape: Sequence[int], old: Size, new: Size) -> Size:
    """`shape` with `new` for the `old` at its end."""
    if len(shape) < len(old):
        raise ValueError("Too few dimensions on input")
    cut = len(shape) - len(old)
    if tuple(shape[cut:]) != tuple(old):
        raise ValueError(f"Shape mismatch: expected {tuple(shape[cut:])} but got {tuple(old)}")
    return Size((*shape[:cut], *new))


class SoftmaxTransform(Transform):
    """``y = exp(x) / sum(exp(x))`` of vectors, whose inverse is taken to be log y: not a bijection."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SoftmaxTransform)

    __hash__ = Transform.__hash__

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Sequence[int]) -> Size:
        return longer(shape, 0)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return longer(shape, 0)


class StickBreakingTransform(Transform):
    """Vectors of n numbers to n + 1 positive ones that add up to 1: parts broken off a stick, and what is left.

    The part ``sigmoid(x_k - log(n - k))`` of the rest is broken off at place k, so that x = 0 gives equal parts.
    Source: Stan Reference Manual, "Unit simplex".
    """

    bijective = True
    domain = constraints.real_vector
    codomain = constraints.simplex

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StickBreakingTransform)

    __hash__ = Transform.__hash__

    def _offset(self, x: Tensor) -> Tensor:
        return _core.arange(x.shape[-1], 0, -1, dtype=x.dtype, device=x.device).log()

    def _call(self, x: Tensor) -> Tensor:
        part = (x - self._offset(x)).sigmoid()
        rest = (1 - part).cumprod(-1)
        return pad(part, (0, 1), value=1) * pad(rest, (1, 0), value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        parts = y[..., :-1]
        rest = (1 - parts.cumsum(-1)).clamp(min=finfo(y.dtype).tiny)
        return parts.log() - rest.log() + self._offset(parts)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        # dy_k/dx_k = rest sigmoid(z) sigmoid(-z), and y_k is the rest times sigmoid(z); the Jacobian is triangular.
        return (logsigmoid(self._offset(x) - x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        return longer(shape, 1)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return longer(shape, -1)


def longer(shape: Sequence[int], by: int) -> Size:
    """`shape` with a last axis that is `by` longer. ValueError if there is none."""
    if not shape:
        raise ValueError("Too few dimensions on input")
    return Size((*shape[:-1], shape[-1] + by))
