"""Kumaraswamy's distribution."""

from __future__ import annotations

from math import nan

from .. import _core
from .._core import Tensor, digamma, lgamma
from . import constraints
from .gumbel import EULER
from .parameters import broadcast_all
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, PowerTransform
from .uniform import Uniform

__all__ = ["Kumaraswamy"]


class Kumaraswamy(TransformedDistribution):
    """``cdf(x) = 1 - (1 - x^concentration1)^concentration0`` on [0, 1]: like a beta distribution, in closed form.

    Source: Jones, "Kumaraswamy's distribution: a beta-type distribution with some tractability advantages", 2009.
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval

    def __init__(
        self, concentration1: Tensor | float, concentration0: Tensor | float, validate_args: bool | None = None
    ) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        base = Uniform(_core.zeros_like(self.concentration0), _core.ones_like(self.concentration0), validate_args)
        transforms = [
            PowerTransform(self.concentration0.reciprocal()),
            AffineTransform(1.0, -1.0),
            PowerTransform(self.concentration1.reciprocal()),
        ]
        super().__init__(base, transforms, validate_args)

    def _moment(self, n: int) -> Tensor:
        """``E x^n = b B(1 + n/a, b)`` with Euler's beta function B."""
        a, b = self.concentration1, self.concentration0
        return b * (lgamma(1 + n / a) + lgamma(b) - lgamma(1 + n / a + b)).exp()

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        """NaN where the density is unbounded, or even: one of the concentrations below 1, or both 1."""
        a, b = self.concentration1, self.concentration0
        return ((a - 1) / (a * b - 1)).pow(a.reciprocal()).where((a >= 1) & (b >= 1), nan)

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean.square()

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return 1 - 1 / b + (1 - 1 / a) * (digamma(b + 1) + EULER) - a.log() - b.log()
