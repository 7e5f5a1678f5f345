"""What the parameters and the values of distributions must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _core
from .._core import Tensor

__all__ = [
    "Constraint",
    "boolean",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "real",
    "real_vector",
    "simplex",
    "unit_interval",
]

_TOLERANCE = 1e-6  # of sums that should be 1, and of symmetry


class Constraint:
    """A region of values. `event_dim` axes at the end make one event; whole numbers only if `is_discrete`."""

    is_discrete = False
    event_dim = 0

    def check(self, value: Tensor) -> Tensor:
        """Which events of `value` are allowed: bool, of `value`'s shape without the event's axes."""
        raise NotImplementedError

    def _bounds(self) -> str:
        return ""

    def __repr__(self) -> str:
        name = "".join(part.capitalize() for part in type(self).__name__.split("_"))
        return f"{name}({self._bounds()})"


class _Test(Constraint):
    """A constraint without parameters, given by its test."""

    def __init__(
        self, name: str, test: Callable[[Tensor], Tensor], *, event_dim: int = 0, is_discrete: bool = False
    ) -> None:
        self._name = name
        self._test = test
        self.event_dim = event_dim
        self.is_discrete = is_discrete

    def check(self, value: Tensor) -> Tensor:
        return self._test(value)

    def __repr__(self) -> str:
        return self._name


class _Dependent(Constraint):
    """Depends on other parameters, so it cannot be checked alone."""

    def __init__(self, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        self.is_discrete = is_discrete
        self.event_dim = event_dim

    def check(self, value: Tensor) -> Tensor:
        raise ValueError("Cannot determine validity of dependent constraint")

    def __call__(self, *, is_discrete: bool = False, event_dim: int = 0) -> _Dependent:
        return _Dependent(is_discrete=is_discrete, event_dim=event_dim)

    def __repr__(self) -> str:
        return "Dependent()"


class dependent_property(property, _Dependent):  # noqa: N801  # PyTorch's name
    """A support that depends on parameters: a property of the instance, and the class's `dependent`."""

    def __init__(
        self, fn: Callable[[Any], Constraint] | None = None, *, is_discrete: bool = False, event_dim: int = 0
    ) -> None:
        property.__init__(self, fn)
        _Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Callable[[Any], Constraint]) -> dependent_property:  # type: ignore[override]
        return dependent_property(fn, is_discrete=self.is_discrete, event_dim=self.event_dim)


def is_dependent(constraint: Constraint) -> bool:
    return isinstance(constraint, _Dependent)


class interval(Constraint):  # noqa: N801  # PyTorch's name
    """From `lower_bound` to `upper_bound`, both included; numbers or tensors."""

    def __init__(self, lower_bound: Tensor | float, upper_bound: Tensor | float) -> None:
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)

    def _bounds(self) -> str:
        return f"lower_bound={self.lower_bound}, upper_bound={self.upper_bound}"


class half_open_interval(interval):  # noqa: N801  # PyTorch's name
    """From `lower_bound`, included, to below `upper_bound`."""

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value < self.upper_bound)


class integer_interval(interval):  # noqa: N801  # PyTorch's name
    """The whole numbers from `lower_bound` to `upper_bound`."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & super().check(value)


class greater_than(Constraint):  # noqa: N801  # PyTorch's name
    """Above `lower_bound`."""

    def __init__(self, lower_bound: Tensor | float) -> None:
        self.lower_bound = lower_bound

    def check(self, value: Tensor) -> Tensor:
        return value > self.lower_bound

    def _bounds(self) -> str:
        return f"lower_bound={self.lower_bound}"


class greater_than_eq(greater_than):  # noqa: N801  # PyTorch's name
    """`lower_bound` or above."""

    def check(self, value: Tensor) -> Tensor:
        return value >= self.lower_bound


class _integer_greater_than(greater_than):  # noqa: N801  # named as the others
    """The whole numbers from `lower_bound` on."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & (value >= self.lower_bound)


class less_than(Constraint):  # noqa: N801  # PyTorch's name
    """Below `upper_bound`."""

    def __init__(self, upper_bound: Tensor | float) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound

    def _bounds(self) -> str:
        return f"upper_bound={self.upper_bound}"


class independent(Constraint):  # noqa: N801  # PyTorch's name
    """`base_constraint` of events with `reinterpreted_batch_ndims` more axes: all their parts must be allowed."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        allowed = self.base_constraint.check(value)
        if allowed.dim() < self.reinterpreted_batch_ndims:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        for _ in range(self.reinterpreted_batch_ndims):
            allowed = allowed.all(-1)
        return allowed

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class multinomial(Constraint):  # noqa: N801  # PyTorch's name
    """Vectors of counts that add up to at most `upper_bound`."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Tensor | int) -> None:
        self.upper_bound = upper_bound

    def _bounds(self) -> str:
        return f"upper_bound={self.upper_bound}"

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


def _is_lower_cholesky(x: Tensor) -> Tensor:
    lower = (x.tril() == x).flatten(-2).all(-1)
    return lower & (x.diagonal(0, -2, -1) > 0).all(-1)


def _is_positive_definite(x: Tensor) -> Tensor:
    from ..linalg import LinAlgError, cholesky

    def one(matrix: Tensor) -> bool:
        try:
            cholesky(matrix)
        except LinAlgError:
            return False
        return True

    symmetric = ((x - x.mT).abs() <= _TOLERANCE * x.abs()).flatten(-2).all(-1)
    definite = [one(matrix) for matrix in x.detach().reshape(-1, *x.shape[-2:])]
    return symmetric & _core.tensor(definite, dtype=_core.bool).reshape(x.shape[:-2])


dependent = _Dependent()
real = _Test("Real()", lambda x: x == x)  # not NaN
boolean = _Test("Boolean()", lambda x: (x == 0) | (x == 1), is_discrete=True)
positive = greater_than(0.0)
nonnegative = greater_than_eq(0.0)
nonnegative_integer = _integer_greater_than(0)
positive_integer = _integer_greater_than(1)
unit_interval = interval(0.0, 1.0)
real_vector = independent(real, 1)
simplex = _Test("Simplex()", lambda x: (x >= 0).all(-1) & ((x.sum(-1) - 1).abs() < _TOLERANCE), event_dim=1)
one_hot = _Test("OneHot()", lambda x: ((x == 0) | (x == 1)).all(-1) & (x.sum(-1) == 1), event_dim=1, is_discrete=True)
lower_cholesky = _Test("LowerCholesky()", _is_lower_cholesky, event_dim=2)
positive_definite = _Test("PositiveDefinite()", _is_positive_definite, event_dim=2)
