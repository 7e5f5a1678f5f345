"""LAPACK's routines, by NumPy. They run at once, for they need the numbers."""

from __future__ import annotations

from typing import Any

from .. import _core
from .._core import Tensor
from .._core import dtype as DType

__all__ = ["LinAlgError", "column_major", "lapack"]


class LinAlgError(RuntimeError):
    """A matrix does not have the property that an algorithm needs (regular, positive definite)."""


def column_major(matrices: Tensor) -> Tensor:
    """A result in the order that LAPACK leaves it in: columns one behind the other."""
    *batch, rows, columns = matrices.shape
    strides = [max(rows, 1), 1]
    step = strides[0] * max(columns, 1)
    for size in reversed(batch):
        strides.append(step)
        step *= max(size, 1)
    return _core._lay_out(matrices, [*strides[:1:-1], 1, strides[0]])


def lapack(name: str, *operands: Tensor, dtype: DType | None = None, **options: Any) -> list[Tensor]:
    """What ``numpy.linalg.<name>`` gives for (..., m, n) matrices, as `dtype`. LinAlgError where it gives nothing.

    On meta only the shapes are found out: from what it gives for a batch of no such matrices.
    """
    from numpy import linalg

    first, on_meta = operands[0], operands[0].is_meta
    seen = [_core.empty((0, *x.shape[-2:]), dtype=x.dtype, device="cpu") if on_meta else x.detach() for x in operands]
    try:
        results = getattr(linalg, name)(*(x.numpy() for x in seen), **options)
    except linalg.LinAlgError as error:
        raise LinAlgError(f"linalg.{name}: {error}") from None
    # LAPACK itself stops at a pivot that is NaN, not every library that is built with it; those behind are NaN, too.
    if name == "cholesky" and results.size and not (results[..., -1, -1].real > 0).all():
        raise LinAlgError("linalg.cholesky: Matrix is not positive definite")
    together = results if isinstance(results, tuple) else (results,)
    parts = [_core.tensor(part, dtype=dtype, device="cpu") for part in together]
    if on_meta:
        parts = [first.new_empty((*first.shape[:-2], *part.shape[1:]), dtype=part.dtype) for part in parts]
    return [column_major(part) if part.dim() >= first.dim() else part for part in parts]
