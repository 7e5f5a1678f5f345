"""Dirichlet's distribution of probability vectors."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import finfo
from ..functions.special_values import digamma, lgamma
from . import constraints
from .distribution import Distribution
from .gamma_samples import sample_log_gamma

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Dirichlet"]


class Dirichlet(Distribution):
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
        """Where all concentrations are below 1, the corner of the largest one."""
        above = (self.concentration - 1).clamp(min=0)
        total = above.sum(-1, True)
        corner = _core.arange(above.shape[-1], device=above.device) == self.concentration.argmax(-1, True)
        return (above / total).where(total > 0, corner.to(above.dtype))

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        return self.mean * (1 - self.mean) / (total + 1)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        # Gamma variables, divided by their sum; as logarithms, which do not underflow.
        logarithms = sample_log_gamma(self.concentration.expand(self._extended_shape(sample_shape)))
        return logarithms.softmax(-1).clamp(min=finfo(logarithms.dtype).tiny)

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
