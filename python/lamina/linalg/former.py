"""What `lamina.linalg` does, under the names and with the arguments that PyTorch had for it before."""

from __future__ import annotations

from .._core import Tensor
from .._warning import warn_caller_once
from ..functions.arguments import composed
from ..functions.precision import in_float32
from ..functions.shaping import broadcast_shapes
from ..return_types import qr as QR
from ..return_types import slogdet as SignAndLog
from ..return_types import svd as SVD
from ..return_types import triangular_solve as Solved
from . import decompositions, lu_factors, norms, solving
from .least_squares import pinv
from .solving import solve_triangular

__all__ = [
    "chain_matmul",
    "cholesky",
    "cross",
    "lu",
    "lu_solve",
    "pinverse",
    "qr",
    "slogdet",
    "svd",
    "triangular_solve",
]


def _warn_once(old: str, new: str, how: str) -> None:
    warn_caller_once(
        f"torch.{old} is deprecated in favor of torch.linalg.{new} and will be removed in a future PyTorch release.\n"
        f"{how}"
    )


def chain_matmul(*matrices: Tensor) -> Tensor:
    """`linalg.multi_dot` of one or more matrices. Deprecated."""
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for matrix in matrices:
        if matrix.dim() != 2:
            raise RuntimeError(f"Tensor dimension is {matrix.dim()}, expected 2 instead.")
    warn_caller_once(
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot "
        "instead, which accepts a list of two or more tensors rather than multiple parameters."
    )
    return matrices[0].clone() if len(matrices) == 1 else solving.multi_dot(matrices)


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """`linalg.cholesky`. Deprecated."""
    _warn_once(
        "cholesky",
        "cholesky",
        "L = torch.cholesky(A)\nshould be replaced with\nL = torch.linalg.cholesky(A)\nand\n"
        "U = torch.cholesky(A, upper=True)\nshould be replaced with\nU = torch.linalg.cholesky(A).mH\n"
        "This transform will produce equivalent results for all valid (symmetric positive definite) inputs.",
    )
    return solving.cholesky(input, upper=upper)


@composed
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """`linalg.cross` along `dim`. Without it, which is deprecated: the first dimension of `input` that has size 3."""
    if dim is None:
        warn_caller_once(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or "
            "simply use torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross "
            "in a future release."
        )
        dim = next((axis for axis, size in enumerate(input.shape) if size == 3), None)
        if dim is None:
            raise RuntimeError(f"no dimension of size 3 in input: its shape is {list(input.shape)}")
    product: Tensor = norms.cross(input, other, dim=dim)
    return product


def slogdet(input: Tensor) -> SignAndLog:
    """`linalg.slogdet`."""
    return SignAndLog(*solving.slogdet(input))


@in_float32
@composed
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> SVD:
    """``input = U @ diag(S) @ Vᴴ``: `linalg.svd` with V for Vᴴ; reduced if `some`, and S alone without `compute_uv`.

    Then U and V are zeros.
    """
    if compute_uv:
        U, S, Vh = decompositions.svd(input, not some)
        return SVD(U, S, Vh.mH)
    S = decompositions.svdvals(input)
    m, n = input.shape[-2:]
    return SVD(input.new_zeros((*input.shape[:-2], m, m)), S, input.new_zeros((*input.shape[:-2], n, n)))


@in_float32
@composed
def qr(input: Tensor, some: bool = True) -> QR:
    """`linalg.qr`, reduced if `some`, else complete. Deprecated."""
    _warn_once(
        "qr",
        "qr",
        "The boolean parameter 'some' has been replaced with a string parameter 'mode'.\nQ, R = torch.qr(A, some)\n"
        "should be replaced with\nQ, R = torch.linalg.qr(A, 'reduced' if some else 'complete')",
    )
    return QR(*decompositions.qr(input, "reduced" if some else "complete"))


@composed
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`linalg.pinv` with singular values from `rcond` times the largest on."""
    return pinv(input, rcond)


@in_float32
@composed
def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Solved:
    """X with ``A X = input`` (Aᵀ for A if `transpose`) of a triangular A, and a copy of A. Deprecated."""
    _warn_once(
        "triangular_solve",
        "solve_triangular",
        "torch.linalg.solve_triangular has its arguments reversed and does not return a copy of one of the inputs.\n"
        "X = torch.triangular_solve(B, A).solution\nshould be replaced with\n"
        "X = torch.linalg.solve_triangular(A, B).",
    )
    for name, x in (("b", input), ("A", A)):
        if x.dim() < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it has {x.dim()} "
                "dimensions instead"
            )
    m, n = A.shape[-2:]
    rows, columns = input.shape[-2:]
    if m != rows:
        raise RuntimeError(
            f"Incompatible matrix sizes for triangular_solve: each A matrix is {n} by {n} but each b matrix is {rows} "
            f"by {columns}"
        )
    batch = broadcast_shapes(A.shape[:-2], input.shape[:-2])
    B, full = input.expand((*batch, rows, columns)), A.expand((*batch, m, n))
    coefficients, is_upper = (full.mT, not upper) if transpose else (full, upper)
    solution = solve_triangular(coefficients, B, upper=is_upper, unitriangular=unitriangular)
    return Solved(solution, full.clone())


@in_float32
@composed
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """`linalg.lu_solve` with the right-hand side first. Deprecated."""
    _warn_once(
        "lu_solve",
        "lu_solve",
        "Note that torch.linalg.lu_solve has its arguments reversed.\nX = torch.lu_solve(B, LU, pivots)\n"
        "should be replaced with\nX = torch.linalg.lu_solve(LU, pivots, B)",
    )
    return lu_factors.lu_solve(LU_data, LU_pivots, input)


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Tensor]:
    """`linalg.lu_factor`'s results, with `info` if `get_infos`: no error where a matrix is singular. Deprecated."""
    _warn_once(
        "lu",
        "lu_factor / torch.linalg.lu_factor_ex",
        "LU, pivots = torch.lu(A, compute_pivots)\nshould be replaced with\n"
        "LU, pivots = torch.linalg.lu_factor(A, compute_pivots)\nand\n"
        "LU, pivots, info = torch.lu(A, compute_pivots, get_infos=True)\nshould be replaced with\n"
        "LU, pivots, info = torch.linalg.lu_factor_ex(A, compute_pivots)",
    )
    LU, pivots, info = lu_factors.lu_factor_ex(A, pivot=pivot)
    return (LU, pivots, info) if get_infos else (LU, pivots)
