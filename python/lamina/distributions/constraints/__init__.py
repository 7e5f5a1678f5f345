"""What the parameters and the values of distributions must be."""

from __future__ import annotations

from .constraint import Constraint, dependent, dependent_property, is_dependent
from .intervals import (
    boolean,
    greater_than,
    greater_than_eq,
    half_open_interval,
    integer_interval,
    interval,
    less_than,
    nonnegative,
    nonnegative_integer,
    positive,
    positive_integer,
    real,
    unit_interval,
)
from .joined import MixtureSameFamilyConstraint, cat, independent, stack
from .matrices import (
    corr_cholesky,
    lower_cholesky,
    lower_triangular,
    positive_definite,
    positive_semidefinite,
    square,
    symmetric,
)
from .vectors import multinomial, one_hot, real_vector, simplex

__all__ = [
    "Constraint",
    "MixtureSameFamilyConstraint",
    "boolean",
    "cat",
    "corr_cholesky",
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
    "lower_triangular",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "positive_semidefinite",
    "real",
    "real_vector",
    "simplex",
    "square",
    "stack",
    "symmetric",
    "unit_interval",
]
