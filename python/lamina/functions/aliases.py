"""PyTorch's other names for native ops."""

from __future__ import annotations

from .. import _core
from .._core import Tensor

# fmt: off
__all__ = [
    "METHOD_ALIASES", "absolute", "adjoint", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "fix", "greater", "greater_equal", "is_conj", "is_neg", "less", "less_equal",
    "negative", "not_equal", "positive", "resolve_conj", "resolve_neg",
]
# fmt: on

absolute = _core.abs
arccos = _core.acos
arccosh = _core.acosh
arcsin = _core.asin
arcsinh = _core.asinh
arctan = _core.atan
arctan2 = _core.atan2
arctanh = _core.atanh
fix = _core.trunc
greater = _core.gt
greater_equal = _core.ge
less = _core.lt
less_equal = _core.le
negative = _core.neg
not_equal = _core.ne


def positive(input: Tensor) -> Tensor:
    """`input` itself. RuntimeError for bool."""
    if input.dtype == _core.bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def adjoint(input: Tensor) -> Tensor:
    """Each matrix transposed and conjugated; for real numbers a view."""
    if input.dim() == 0:
        return input
    if input.dim() == 1:
        raise RuntimeError("tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.")
    return input.mH


def resolve_conj(input: Tensor) -> Tensor:
    """`input` itself: conjugation is never pending."""
    return input


def resolve_neg(input: Tensor) -> Tensor:
    """`input` itself: negation is never pending."""
    return input


def is_conj(input: Tensor) -> bool:
    """False: conjugation is never pending."""
    return False


def is_neg(input: Tensor) -> bool:
    """False: negation is never pending."""
    return False


# Alias of a method, and the method.
METHOD_ALIASES: tuple[tuple[str, str], ...] = (
    ("absolute", "abs"),
    ("arccos", "acos"),
    ("arccosh", "acosh"),
    ("arcsin", "asin"),
    ("arcsinh", "asinh"),
    ("arctan", "atan"),
    ("arctan2", "atan2"),
    ("arctanh", "atanh"),
    ("fix", "trunc"),
    ("greater", "gt"),
    ("greater_equal", "ge"),
    ("less", "lt"),
    ("less_equal", "le"),
    ("negative", "neg"),
    ("not_equal", "ne"),
)
