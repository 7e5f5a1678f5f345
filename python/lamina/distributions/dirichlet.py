"""Dirichlet's distribution of probability vectors."""

from __future__ import annotations

from .. import _core
from .._core import Tensor, digamma, lgamma
from . import constraints
from .dirichlet_samples import _Dirichlet_backward, sample_dirichlet
from .exp_family import ExponentialFamily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Dirichlet", "_Dirichlet_backward"]


class Dirichlet(ExponentialFamily):
    """Vectors x of positive numbers that add up to 1, density in proportion to the product of ``x^(concentration-1)``.

    `concentration` is (..., n): its last axis is the event's.
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        """Where all concentrations are below 1, the corner of the largest one; NaN where all are 1."""
        above = (self.concentration - 1).clamp(min=0)
        total, peaked = above.sum(-1, True), (self.concentration < 1).all(-1, True)
        corner = _core.arange(above.shape[-1], device=above.device) == self.concentration.argmax(-1, True)
        return (above / total).where(~peaked, corner.to(above.dtype))

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        return self.mean * (1 - self.mean) / (total + 1)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return sample_dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a = self.concentration
        return (a - 1).xlogy(value).sum(-1) + lgamma(a.sum(-1)) - lgamma(a).sum(-1)

    def entropy(self) -> Tensor:
        a = self.concentration
        total = a.sum(-1)
        return (
            lgamma(a).sum(-1) - lgamma(total) - (a.shape[-1] - total) * digamma(total) - ((a - 1) * digamma(a)).sum(-1)
        )

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration - 1,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        a = natural_params[0] + 1
        return lgamma(a).sum(-1) - lgamma(a.sum(-1))

    @property
    def _mean_carrier_measure(self) -> float:
        return 0.0
