"""Determinants, Cholesky factors and triangular systems: by LAPACK, or by elimination, recorded step by step.

Where LAPACK cannot be asked or has no answer, a matrix of n rows takes n recorded steps over the whole batch.
Derivatives of any order are those of the steps; only the choice of the pivots is constant.
"""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..autograd.batching import whole_batch_of
from ..functions.arguments import composed
from ..functions.matrices import diag_embed, tril
from ..functions.precision import as_given, in_float32
from ..functions.shaping import broadcast_shapes
from ..looking import holds_somewhere
from ..return_types import linalg_cholesky_ex, linalg_slogdet
from .checks import check_square
from .inverting import cholesky_factor, determinant, sign_and_logarithm
from .lapack import LinAlgError, column_major
from .triangles import solve_triangle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "cholesky",
    "cholesky_ex",
    "cholesky_inverse",
    "cholesky_solve",
    "det",
    "logdet",
    "multi_dot",
    "slogdet",
    "solve_triangular",
]


def first_where(bad: Tensor) -> Tensor:
    """LAPACK's `info` of steps (..., n): the first, from 1, that is bad, or 0."""
    if bad.shape[-1] == 0:
        return bad.new_zeros(bad.shape[:-1], dtype=_core.int32)
    return _core.where(bad.any(-1), bad.int().argmax(-1) + 1, 0).int()


def raise_at_first(name: str, info: Tensor, text: str) -> None:
    """LinAlgError for the first matrix whose `info` is not 0; `text` says what is wrong with the step {}."""
    if holds_somewhere(info != 0):
        info = whole_batch_of(info)
        steps = info.reshape(-1).tolist()
        element = next(place for place, step in enumerate(steps) if step)
        batch = f"(Batch element {element}): " if info.dim() else ""
        raise LinAlgError(f"linalg.{name}: {batch}{text.format(steps[element])}")


SINGULAR = "The diagonal element {} is zero, the inversion could not be completed because the input matrix is singular."


def magnitude(x: Tensor) -> Tensor:
    """What LAPACK chooses pivots by: of complex numbers the sum of both parts' absolute values."""
    return x.real.abs() + x.imag.abs() if x.is_complex() else x.abs()


def _swap(x: Tensor, axis: int, step: int, chosen: Tensor) -> Tensor:
    """`x` with places `step` and `chosen` (one a matrix: (..., 1, 1)) of `axis` exchanged."""
    place = _core.arange(x.shape[axis], device=x.device).reshape((-1, 1) if axis == -2 else (1, -1))
    order = _core.where(place == step, chosen, _core.where(place == chosen, step, place))
    return x.gather(axis, order.expand(x.shape))


@as_given
@composed
def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """X with ``A X = B`` (``X A = B`` if not `left`) for a triangular A, by substitution; B is a matrix or a batch.

    Only A's triangle is read, without its diagonal if that is to be taken for ones. A zero on the diagonal is no error:
    the result is infinite or NaN.
    """
    n = check_square("solve_triangular", A)
    if not left:
        return solve_triangular(A.mT, B.mT, upper=not upper, unitriangular=unitriangular).mT
    if B.dim() < 2 or B.shape[-2] != n:
        raise RuntimeError(
            f"linalg.solve_triangular: Incompatible shapes for AX = B: A is {list(A.shape)} and B {list(B.shape)}"
        )
    batch = broadcast_shapes(A.shape[:-2], B.shape[:-2])
    A, rest = A.expand((*batch, n, n)), B.expand((*batch, *B.shape[-2:]))
    return column_major(solve_triangle(A, rest, upper, unitriangular))


def _pivots(A: Tensor) -> tuple[Tensor, Tensor]:
    """(..., n): the pivots of elimination with row and column exchanges, and (..., ) the sign of these.

    Choosing among all elements keeps the gradient right for singular matrices: a zero pivot means that all that is left
    is zero.
    """
    n, work = A.shape[-1], A
    sign = A.new_ones((*A.shape[:-2], 1, 1))
    pivots = []
    for step in range(n):
        rest = magnitude(work.detach())
        best = rest.reshape((*A.shape[:-2], (n - step) ** 2)).argmax(-1, True).unsqueeze(-1)
        row, column = best.div(n - step, rounding_mode="floor"), best.remainder(n - step)
        sign = sign * _core.where((row == 0) == (column == 0), 1.0, -1.0).to(A.dtype)
        work = _swap(_swap(work, -2, 0, row), -1, 0, column)
        pivot = work[..., :1, :1]
        pivots.append(pivot)
        divisor = _core.where(pivot.detach() == 0, 1.0, pivot)
        work = work[..., 1:, 1:] - work[..., 1:, :1] * (work[..., :1, 1:] / divisor)
    stacked = _core.cat(pivots, -1) if pivots else A.new_ones((*A.shape[:-2], 1, 1))
    return stacked.squeeze(-2), sign.squeeze(-1).squeeze(-1)


@as_given
@composed
def det(A: Tensor) -> Tensor:
    """The determinant of the matrix or of each matrix of a batch."""
    check_square("det", A)
    found = determinant(A)
    if found is not None:
        return found
    pivots, sign = _pivots(A)
    return pivots.prod(-1) * sign


@as_given
@composed
def slogdet(A: Tensor) -> linalg_slogdet:
    """The determinant's sign and the logarithm of its absolute value (0 and -inf if the matrix is singular).

    The sign of a complex determinant is that divided by its absolute value, and has a gradient.
    """
    check_square("slogdet", A)
    found = sign_and_logarithm(A)
    if found is not None:
        return linalg_slogdet(*found)
    pivots, sign = _pivots(A)
    signs = pivots.sgn() if A.is_complex() else pivots.detach().sign()
    return linalg_slogdet(signs.prod(-1) * sign, pivots.abs().log().sum(-1))


@as_given
def logdet(A: Tensor) -> Tensor:
    """The logarithm of the determinant: NaN if that is negative, -inf if it is 0. Of a complex one its main value."""
    sign, logarithm = slogdet(A)
    if A.is_complex():
        result: Tensor = sign.log() + logarithm
        return result
    return _core.where(sign < 0, float("nan"), logarithm)


@in_float32
@composed
def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower (or `upper`) triangular L with ``L Lᴴ = A``. LinAlgError if `A` is not positive definite.

    Only the lower triangle's values count, and of its diagonal the real parts; the gradient is Hermitian.
    """
    found = _factor(A, upper)
    if found is not None:
        return found
    result = _factored_by_steps(A, upper)
    raise_at_first("cholesky", result.info, _NOT_POSITIVE)
    return result.L


_NOT_POSITIVE = (
    "The factorization could not be completed because the input is not positive-definite (the leading minor of order "
    "{} is not positive-definite)."
)


@in_float32
@composed
def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> linalg_cholesky_ex:
    """`cholesky`, and `info`: the order of the first leading minor that is not positive definite, or 0."""
    found = _factor(A, upper)
    if found is not None:
        return linalg_cholesky_ex(found, A.new_zeros(A.shape[:-2], dtype=_core.int32))
    result = _factored_by_steps(A, upper)
    if check_errors:
        raise_at_first("cholesky_ex", result.info, _NOT_POSITIVE)
    return result


def _factor(A: Tensor, upper: bool) -> Tensor | None:
    """LAPACK's, or None."""
    check_square("cholesky", A)
    found = cholesky_factor(A)
    return column_major(found.mH) if upper and found is not None else found


def _factored_by_steps(A: Tensor, upper: bool) -> linalg_cholesky_ex:
    n = A.shape[-1]
    below = tril(A.detach(), -1)
    mirrored = below + below.mH + diag_embed(A.detach().diagonal(0, -2, -1).real)
    symmetric = (A + A.mH) / 2
    work = symmetric + (mirrored - symmetric.detach())
    row = _core.arange(n, device=A.device).unsqueeze(1)
    columns = []
    for step in range(n):
        column = work[..., step : step + 1]
        length = column[..., step : step + 1, :].real.sqrt()
        column = _core.where(row >= step, column / length, 0.0)
        columns.append(column)
        work = work - column * column.mH
    if A.numel() == 0:
        return linalg_cholesky_ex(A.clone(), A.new_zeros(A.shape[:-2], dtype=_core.int32))
    factor = _core.cat(columns, -1)
    info = first_where(~(factor.detach().diagonal(0, -2, -1).real > 0))
    return linalg_cholesky_ex(column_major(factor.mH if upper else factor), info)


@in_float32
@composed
def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with ``A X = B`` for the A whose Cholesky factor is `L` (its conjugate transpose, if `upper`)."""
    if upper:
        L = L.mH
    return solve_triangular(L.mH, solve_triangular(L, B, upper=False), upper=True)


@in_float32
@composed
def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of the matrix whose Cholesky factor is `L` (its conjugate transpose, if `upper`)."""
    check_square("cholesky_inverse", L)
    return cholesky_solve(_core.eye(L.shape[-1], dtype=L.dtype, device=L.device), L, upper)


@composed
def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices (the first and last may be vectors), in the order that costs least."""
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    first, last = tensors[0], tensors[-1]
    chain = [
        first.unsqueeze(0) if first.dim() == 1 else first,
        *tensors[1:-1],
        last.unsqueeze(1) if last.dim() == 1 else last,
    ]
    if any(x.dim() != 2 for x in chain):
        raise RuntimeError(f"multi_dot(): expected matrices, got shapes {[list(x.shape) for x in tensors]}")
    while len(chain) > 1:
        # Contract the pair that removes the longest inner dimension: near the best order, and exact for three.
        place = max(range(len(chain) - 1), key=lambda i: (chain[i].shape[1], -i))
        chain[place : place + 2] = [chain[place] @ chain[place + 1]]
    result = chain[0]
    if first.dim() == 1:
        result = result.squeeze(0)
    return result.squeeze(-1) if last.dim() == 1 else result
