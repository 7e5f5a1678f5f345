"""The logistic normal distribution."""

from __future__ import annotations

from .._core import Tensor
from . import constraints
from .normal import Normal
from .transformed_distribution import TransformedDistribution
from .transforms import StickBreakingTransform

__all__ = ["LogisticNormal"]


class LogisticNormal(TransformedDistribution):
    """Probability vectors (..., n + 1) that a `StickBreakingTransform` makes of n independent normal variables.

    `loc` and `scale` are (..., n), and broadcast; numbers count as vectors of one.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        normal = Normal(loc, scale, validate_args)
        base = normal if normal.batch_shape else normal.expand((1,))
        super().__init__(base, StickBreakingTransform(), validate_args)

    @property
    def _normal_of_parts(self) -> Normal:
        return self.base_dist.base_dist  # type: ignore[attr-defined, no-any-return]  # an Independent

    @property
    def loc(self) -> Tensor:
        return self._normal_of_parts.loc

    @property
    def scale(self) -> Tensor:
        return self._normal_of_parts.scale
