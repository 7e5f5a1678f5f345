"""Pareto's distribution."""

from __future__ import annotations

from math import inf

from .._core import Tensor
from . import constraints
from .exponential import Exponential
from .parameters import broadcast_all
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, ExpTransform

__all__ = ["Pareto"]


class Pareto(TransformedDistribution):
    """Density ``alpha scale^alpha / x^(alpha + 1)`` from `scale` on: log(x / scale) is exponential of rate `alpha`."""

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale: Tensor | float, alpha: Tensor | float, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        transforms = [ExpTransform(), AffineTransform(0.0, self.scale)]
        super().__init__(Exponential(self.alpha, validate_args), transforms, validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> constraints.Constraint:
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        """Infinite for an alpha up to 1."""
        a = self.alpha.where(self.alpha > 1, 2.0)
        return (self.scale * a / (a - 1)).where(self.alpha > 1, inf)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        """Infinite for an alpha up to 2."""
        a = self.alpha.where(self.alpha > 2, 3.0)
        return (self.scale.square() * a / ((a - 1).square() * (a - 2))).where(self.alpha > 2, inf)

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + 1 + 1 / self.alpha
