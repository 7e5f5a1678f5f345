"""What linear algebra asks of its operands."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import has_gradients, scalar_name

__all__ = ["check_computed", "check_matrices", "check_square", "is_computed"]


def is_computed(A: Tensor) -> bool:
    """Whether A's type is one of the four that LAPACK has."""
    return A.dtype.to_real() in (_core.float32, _core.float64)


def check_matrices(name: str, A: Tensor) -> None:
    """RuntimeError unless A is (..., m, n), of floating point or complex numbers."""
    if A.dim() < 2:
        raise RuntimeError(f"linalg.{name}: The input tensor A must have at least 2 dimensions.")
    if not has_gradients(A):
        kind = scalar_name(A.dtype)
        raise RuntimeError(f"linalg.{name}: Expected a floating point or complex tensor as input. Got {kind}")


def check_square(name: str, A: Tensor) -> int:
    """As check_matrices, and RuntimeError unless m is n, which is returned."""
    check_matrices(name, A)
    m, n = A.shape[-2:]
    if m != n:
        raise RuntimeError(f"linalg.{name}: A must be batches of square matrices, but they are {m} by {n} matrices")
    return n


def check_computed(name: str, A: Tensor) -> None:
    """As check_matrices, and NotImplementedError unless A's type is one that LAPACK has."""
    check_matrices(name, A)
    if not is_computed(A):
        raise NotImplementedError(f"\"linalg_{name}\" not implemented for '{scalar_name(A.dtype)}'")
