"""Triangular systems: an op; those of complex numbers by recorded matrix products, panel by panel of rows.

There the blocks on the diagonal are inverted, all at once, by ever larger blocks on their diagonals:
``[[A, 0], [C, D]]`` has the inverse ``[[A⁻¹, 0], [-D⁻¹ C A⁻¹, D⁻¹]]``.
"""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..functions.matrices import tril, triu

__all__ = ["solve_triangle"]

_PANEL = 32


def _inverse_lower(T: Tensor, unit: bool) -> Tensor:
    """Of (..., n, n), n a power of 2."""
    n = T.shape[-1]
    diagonal = T.diagonal(0, -2, -1)
    inverses = (_core.ones_like(diagonal) if unit else 1 / diagonal).unsqueeze(-1).unsqueeze(-1)
    for half in (1 << level for level in range(n.bit_length() - 1)):
        count = n // (2 * half)
        blocks = T.reshape(*T.shape[:-2], count, 2 * half, count, 2 * half).diagonal(0, -4, -2)
        below = blocks[..., half:, :half, :].permute(*range(T.dim() - 2), -1, -3, -2)
        first, last = inverses[..., ::2, :, :], inverses[..., 1::2, :, :]
        corner = -(last @ (below @ first))
        top = _core.cat([first, _core.zeros_like(first)], -1)
        inverses = _core.cat([top, _core.cat([corner, last], -1)], -2)
    return inverses.squeeze(-3)


def _by_steps(A: Tensor, rest: Tensor, upper: bool, unit: bool) -> Tensor:
    rows: list[Tensor] = []
    n = A.shape[-1]
    for step in reversed(range(n)) if upper else range(n):
        # What is left of B is that of the rows still to be solved.
        first, others = (-1, slice(0, -1)) if upper else (0, slice(1, None))
        row = rest[..., first, :].unsqueeze(-2)
        if not unit:
            row = row / A[..., step, step, None, None]
        column = A[..., :step, step] if upper else A[..., step + 1 :, step]
        rest = rest[..., others, :] - column.unsqueeze(-1) * row
        rows.append(row)
    return _core.cat(rows[::-1] if upper else rows, -2) if rows else rest


def solve_triangle(A: Tensor, B: Tensor, upper: bool, unit: bool, zeros: bool = False) -> Tensor:
    """X with ``A X = B`` for triangles (..., n, n) and (..., n, m) of one batch shape; `unit`: ones on the diagonal.

    `zeros`: A's other half is known to hold zeros, and nothing else is to get a gradient of it.
    """
    if not (A.is_complex() or B.is_complex()):
        kept = A if zeros else (triu if upper else tril)(A, (1 if upper else -1) if unit else 0)
        return _core._solve_triangle(kept, B, upper, unit)
    n = A.shape[-1]
    if n <= _PANEL:
        return _by_steps(A, B, upper, unit)
    if upper:  # a lower one from the last row to the first
        return solve_triangle(A.flip(-2, -1), B.flip(-2), False, unit).flip(-2)
    whole = n // _PANEL * _PANEL
    blocks = _core.stack([A[..., i : i + _PANEL, i : i + _PANEL] for i in range(0, whole, _PANEL)], -3)
    inverses = _inverse_lower(blocks, unit)
    X = B[..., :0, :]
    for block, i in enumerate(range(0, whole, _PANEL)):
        rest = B[..., i : i + _PANEL, :]
        if i:
            rest = rest - A[..., i : i + _PANEL, :i] @ X
        X = _core.cat([X, inverses[..., block, :, :] @ rest], -2)
    if whole == n:
        return X
    last = _by_steps(A[..., whole:, whole:], B[..., whole:, :] - A[..., whole:, :whole] @ X, False, unit)
    return _core.cat([X, last], -2)
