"""Weibull's distribution."""

from __future__ import annotations

from math import nan

from .. import _core
from .._core import Tensor, lgamma
from . import constraints
from .exponential import Exponential
from .gumbel import EULER
from .parameters import broadcast_all
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, PowerTransform

__all__ = ["Weibull"]


class Weibull(TransformedDistribution):
    """Lifetimes: ``cdf(x) = 1 - exp(-(x / scale)^concentration)``; a concentration of 1 is the exponential one."""

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(self, scale: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        transforms = [PowerTransform(self.concentration.reciprocal()), AffineTransform(0.0, self.scale)]
        super().__init__(Exponential(_core.ones_like(self.scale), validate_args), transforms, validate_args)

    def _log_moment(self, n: int) -> Tensor:
        """Of ``x / scale``."""
        return lgamma(1 + n / self.concentration)

    @property
    def mean(self) -> Tensor:
        return self.scale * self._log_moment(1).exp()

    @property
    def mode(self) -> Tensor:
        """NaN for a concentration below 1: the density has no largest value then."""
        inner = (1 - self.concentration.reciprocal()).pow(self.concentration.reciprocal())
        return (self.scale * inner).where(self.concentration >= 1, nan)

    @property
    def variance(self) -> Tensor:
        return self.scale.square() * (self._log_moment(2).exp() - (2 * self._log_moment(1)).exp())

    def entropy(self) -> Tensor:
        return EULER * (1 - self.concentration.reciprocal()) + (self.scale / self.concentration).log() + 1
