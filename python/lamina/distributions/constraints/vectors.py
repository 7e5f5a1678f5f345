"""What vectors must be."""

from __future__ import annotations

from ..._core import Tensor
from .constraint import Constraint
from .intervals import boolean, real
from .joined import independent

__all__ = ["multinomial", "one_hot", "real_vector", "simplex"]

_TOLERANCE = 1e-6  # of sums that should be 1


class _Simplex(Constraint):
    """Numbers from 0 on that add up to 1."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < _TOLERANCE)


class _OneHot(Constraint):
    """A single 1, and 0 else."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return boolean.check(value).all(-1) & (value.sum(-1) == 1)


class _Multinomial(Constraint):
    """Counts that add up to at most `upper_bound`."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Tensor | int) -> None:
        self.upper_bound = upper_bound

    def _bounds(self) -> str:
        return f"upper_bound={self.upper_bound}"

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


multinomial = _Multinomial
one_hot = _OneHot()
real_vector = independent(real, 1)
simplex = _Simplex()
