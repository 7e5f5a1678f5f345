"""Triangular factors with row exchanges, ``A = P @ L @ U``, and what they solve, by elimination as in solving.py.

A zero pivot is no error here but a number: `info` is the first step that met one, from 1, or 0.
"""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..autograd.batching import whole_batch_of
from ..dtypes import scalar_name
from ..functions.arguments import composed
from ..functions.matrices import tril, triu
from ..functions.precision import as_given, in_float32
from ..functions.shaping import broadcast_shapes
from ..looking import holds_somewhere
from ..return_types import linalg_inv_ex, linalg_lu, linalg_lu_factor, linalg_lu_factor_ex, linalg_solve_ex
from ..return_types import lu_unpack as Unpacked
from .checks import check_square, is_computed
from .inverting import inverse, solution
from .lapack import column_major
from .solving import (
    SINGULAR,
    _swap,
    first_where,
    magnitude,
    raise_at_first,
    solve_triangular,
)

__all__ = [
    "inv",
    "inv_ex",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "lu_unpack",
    "matrix_power",
    "solve",
    "solve_ex",
]


def _check(name: str, A: Tensor, pivot: bool) -> None:
    if A.dim() < 2:
        raise RuntimeError(
            f"torch.{name}: Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead"
        )
    if not is_computed(A):
        raise NotImplementedError(f"\"lu_cpu\" not implemented for '{scalar_name(A.dtype)}'")
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")


def _factor(A: Tensor) -> linalg_lu_factor_ex:
    m, n = A.shape[-2:]
    row, column = _core.arange(m, device=A.device).unsqueeze(1), _core.arange(n, device=A.device)
    work, pivots, zeros = A.clone(), [], []
    for step in range(min(m, n)):
        chosen = magnitude(work.detach()[..., step:, step : step + 1]).argmax(-2, True) + step
        work = _swap(work, -2, step, chosen)
        pivot = work[..., step : step + 1, step : step + 1]
        zeros.append(pivot.detach() == 0)
        # Below a zero pivot there are zeros only.
        factors = work[..., step : step + 1] / _core.where(zeros[-1], 1.0, pivot)
        rest = _core.where(column == step, factors, work - factors * work[..., step : step + 1, :])
        work = _core.where((row > step) & (column >= step), rest, work)
        pivots.append(chosen + 1)
    if not pivots:
        none = A.new_empty((*A.shape[:-2], 0), dtype=_core.int32)
        return linalg_lu_factor_ex(work, none, A.new_zeros(A.shape[:-2], dtype=_core.int32))
    info = first_where(_core.cat(zeros, -1).squeeze(-2))
    return linalg_lu_factor_ex(column_major(work), _core.cat(pivots, -1).squeeze(-2).int(), info)


@as_given
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> linalg_lu_factor_ex:
    """Both factors of (..., m, n) matrices in one, the rows exchanged at each step (from 1), and `info`."""
    _check("lu_factor", A, pivot)
    result = _factor(A)
    if check_errors:
        _raise_if_singular(result.info)
    return result


def _raise_if_singular(info: Tensor) -> None:
    if holds_somewhere(info != 0):
        step = int(whole_batch_of(info).max())
        raise RuntimeError(
            f"torch.linalg.lu_factor: U[{step},{step}] is zero and using it on lu_solve would result in a division by "
            "zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
            "linalg.lu_factor_ex(A, pivot)"
        )


@as_given
def lu_factor(A: Tensor, *, pivot: bool = True) -> linalg_lu_factor:
    """`lu_factor_ex` without `info`; RuntimeError if a pivot is zero."""
    LU, pivots, _ = lu_factor_ex(A, pivot=pivot, check_errors=True)
    return linalg_lu_factor(LU, pivots)


def _order(pivots: Tensor, m: int) -> Tensor:
    """(..., m): which row of A each row of ``L @ U`` is."""
    order = _core.arange(m, device=pivots.device).expand((*pivots.shape[:-1], m)).unsqueeze(-1)
    for step in range(pivots.shape[-1]):
        order = _swap(order, -2, step, (pivots[..., step, None, None] - 1).long())
    return order.squeeze(-1)


@as_given
def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> Unpacked:
    """P (..., m, m), L (..., m, k) and U (..., k, n) of what `lu_factor` gives; empty is what is not to be unpacked."""
    if LU_pivots.dtype != _core.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\n"
            "Note: this function is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    m, n = LU_data.shape[-2:]
    k = min(m, n)
    P = L = U = LU_data.new_empty(0)
    if unpack_pivots:
        rows = _core.arange(m, device=LU_data.device).unsqueeze(-1)
        P = (rows == _order(LU_pivots, m).unsqueeze(-2)).to(LU_data.dtype)
    if unpack_data:
        L = tril(LU_data[..., :k], -1) + _core.eye(m, k, dtype=LU_data.dtype, device=LU_data.device)
        U = triu(LU_data[..., :k, :])
    return Unpacked(P, L, U)


@as_given
def lu(A: Tensor, *, pivot: bool = True) -> linalg_lu:
    """``A = P @ L @ U`` of (..., m, n) matrices: a permutation, a triangle with ones on its diagonal, an upper one."""
    _check("lu", A, pivot)
    LU, pivots, _ = _factor(A)
    return linalg_lu(*lu_unpack(LU, pivots))


@as_given
def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """X with ``A X = B`` (``X A = B`` if not `left`; Aᴴ for A if `adjoint`) for the A whose factors these are."""
    n = check_square("lu_solve", LU)
    if pivots.dtype != _core.int32:
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    if B.dim() < 2:
        raise RuntimeError("linalg.lu_solve: The input tensor B must have at least 2 dimensions.")
    if B.shape[-2 if left else -1] != n:
        equation = "AX = B" if left else "XA = B"
        shapes = f"({n}x{n} and {B.shape[-2]}x{B.shape[-1]})"
        raise RuntimeError(f"linalg.lu_solve: Incompatible shapes of A and B for the equation {equation} {shapes}")
    if not left:
        return lu_solve(LU, pivots, B.mH, adjoint=not adjoint).mH
    B = B.expand((*broadcast_shapes(LU.shape[:-2], B.shape[:-2]), *B.shape[-2:]))
    order = _order(pivots, n)
    if adjoint:
        B = solve_triangular(LU.mH, solve_triangular(LU.mH, B, upper=False), upper=True, unitriangular=True)
        return column_major(B.gather(-2, order.argsort(-1).unsqueeze(-1).expand(B.shape)))
    B = B.gather(-2, order.unsqueeze(-1).expand(B.shape))
    return solve_triangular(LU, solve_triangular(LU, B, upper=False, unitriangular=True), upper=True)


def _solution(A: Tensor, B: Tensor, left: bool) -> tuple[Tensor, Tensor | None]:
    """With LAPACK's `info`, or None where it is 0."""
    n = check_square("solve", A)
    vector = B.dim() == 1 or (A.dim() - 1 == B.dim() and B.shape == A.shape[:-1])
    if not left:
        if vector:
            raise RuntimeError(
                "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False"
            )
        turned, info = _solution(A.mT, B.mT, True)
        return turned.mT, info
    right = B.unsqueeze(-1) if vector else B
    if right.dim() < 2 or right.shape[-2] != n:
        raise RuntimeError(f"linalg.solve: Incompatible shapes for AX = B: A is {list(A.shape)} and B {list(B.shape)}")
    batch = broadcast_shapes(A.shape[:-2], right.shape[:-2])
    found, info = solution(A.expand((*batch, n, n)), right.expand((*batch, *right.shape[-2:]))), None
    if found is None:
        LU, pivots, info = _factor(A)
        found = lu_solve(LU, pivots, right)
    return found.squeeze(-1) if vector else found, info


def _no_errors(A: Tensor) -> Tensor:
    return A.new_zeros(A.shape[:-2], dtype=_core.int32)


_UNSOLVED = "The solver failed because the input matrix is singular."


@as_given
@composed
def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> linalg_solve_ex:
    """`solve`, and `info`: where that is not 0, A is singular and the result means nothing."""
    found, info = _solution(A, B, left)
    if check_errors and info is not None:
        raise_at_first("solve_ex", info, _UNSOLVED)
    return linalg_solve_ex(found, _no_errors(A) if info is None else info)


@in_float32
@composed
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with ``A X = B`` (``X A = B`` if not `left`); B is a matrix, a vector, or a batch. LinAlgError if singular."""
    found, info = _solution(A, B, left)
    if info is not None:
        raise_at_first("solve", info, _UNSOLVED)
    return found


def _inverse(A: Tensor) -> tuple[Tensor, Tensor | None]:
    """With LAPACK's `info`, or None where it is 0."""
    n = check_square("inv", A)
    found = inverse(A)
    if found is not None:
        return found, None
    LU, pivots, info = _factor(A)
    return lu_solve(LU, pivots, _core.eye(n, dtype=A.dtype, device=A.device)), info


@in_float32
@composed
def inv_ex(A: Tensor, *, check_errors: bool = False) -> linalg_inv_ex:
    """`inv`, and `info`: where that is not 0, the matrix is singular and the result means nothing."""
    found, info = _inverse(A)
    if check_errors and info is not None:
        raise_at_first("inv_ex", info, SINGULAR)
    return linalg_inv_ex(found, _no_errors(A) if info is None else info)


@in_float32
@composed
def inv(A: Tensor) -> Tensor:
    """The inverse of the matrix or of each matrix of a batch. LinAlgError if one is singular."""
    found, info = _inverse(A)
    if info is not None:
        raise_at_first("inv", info, SINGULAR)
    return found


@composed
def matrix_power(A: Tensor, n: int) -> Tensor:
    """`A` multiplied `n` times with itself; the inverse's power for a negative `n`."""
    check_square("matrix_power", A)
    if n == 0:
        return _core.eye(A.shape[-1], dtype=A.dtype, device=A.device).expand(A.shape).clone()
    base, count = (A, n) if n > 0 else (inv(A), -n)
    result: Tensor | None = None
    while count:
        if count & 1:
            result = base if result is None else result @ base
        count >>= 1
        if count:
            base = base @ base
    assert result is not None
    return result.clone() if result is A else result
