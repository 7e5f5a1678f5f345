"""Transforms from all real numbers to what a constraint allows."""

from __future__ import annotations

from typing import Any

from .._core import Tensor
from . import constraints
from .transforms import (
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    SigmoidTransform,
    SoftmaxTransform,
    StackTransform,
    StickBreakingTransform,
    Transform,
    identity_transform,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Factory = Callable[[Any], Transform]

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """For each type of constraint a function that makes the transform for a constraint of that type.

    >>> transform_to(constraints.positive)(lamina.tensor(-1.0))
    tensor(0.3679)
    """

    def __init__(self) -> None:
        self._factories: dict[type, Factory] = {}

    def register(self, constraint: constraints.Constraint | type, factory: Factory | None = None) -> Any:
        """Has `factory` make the transforms for `constraint`'s type; without it a decorator. TypeError for others."""
        if factory is None:
            return lambda given: self.register(constraint, given)
        kind = type(constraint) if isinstance(constraint, constraints.Constraint) else constraint
        if not (isinstance(kind, type) and issubclass(kind, constraints.Constraint)):
            raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._factories[kind] = factory
        return factory

    def __call__(self, constraint: constraints.Constraint) -> Transform:
        """The transform to `constraint`. NotImplementedError if there is none for its type."""
        factory = self._factories.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints")
        return factory(constraint)


biject_to = ConstraintRegistry()
"""Bijections, whose Jacobian is known: for densities of unconstrained values."""

transform_to = ConstraintRegistry()
"""Transforms that need not be one-to-one, so that no coordinate is special: for optimizers."""


def _above(constraint: Any) -> Transform:
    return ComposeTransform([ExpTransform(), AffineTransform(constraint.lower_bound, 1)])


def _below(constraint: Any) -> Transform:
    return ComposeTransform([ExpTransform(), AffineTransform(constraint.upper_bound, -1)])


def _between(constraint: Any) -> Transform:
    low, high = constraint.lower_bound, constraint.upper_bound
    if not isinstance(low, Tensor) and not isinstance(high, Tensor) and (low, high) == (0, 1):
        return SigmoidTransform()
    return ComposeTransform([SigmoidTransform(), AffineTransform(low, high - low)])


def _fill(registry: ConstraintRegistry) -> None:
    """What both registries have."""
    registry.register(constraints.real, lambda _: identity_transform)
    for above in (constraints.greater_than, constraints.greater_than_eq):
        registry.register(above, _above)
    registry.register(constraints.less_than, _below)
    for between in (constraints.interval, constraints.half_open_interval):
        registry.register(between, _between)
    registry.register(constraints.corr_cholesky, lambda _: CorrCholeskyTransform())
    registry.register(
        constraints.independent,
        lambda c: IndependentTransform(registry(c.base_constraint), c.reinterpreted_batch_ndims),
    )
    registry.register(constraints.cat, lambda c: CatTransform([registry(part) for part in c.cseq], c.dim, c.lengths))
    registry.register(constraints.stack, lambda c: StackTransform([registry(part) for part in c.cseq], c.dim))


_fill(biject_to)
_fill(transform_to)
biject_to.register(constraints.simplex, lambda _: StickBreakingTransform())
transform_to.register(constraints.simplex, lambda _: SoftmaxTransform())
transform_to.register(constraints.lower_cholesky, lambda _: LowerCholeskyTransform())
for _definite in (constraints.positive_definite, constraints.positive_semidefinite):
    transform_to.register(_definite, lambda _: PositiveDefiniteTransform())
