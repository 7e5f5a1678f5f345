"""Lower triangles of matrices as vectors."""

from __future__ import annotations

from .._core import Tensor
from ..functions.matrices import tril_indices

__all__ = ["tril_matrix_to_vec", "vec_to_tril_matrix"]


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The elements (..., n) on and below the diagonal `diag` of square matrices, row by row.

    ValueError for a diagonal that the matrix does not have.
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = tril_indices(n, n, diag, device=mat.device)
    return mat.flatten(-2).index_select(-1, rows * n + columns)


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """The inverse of `tril_matrix_to_vec`: matrices of 0 elsewhere. ValueError for a length that no triangle has.

    n rows have n (n + 1) / 2 elements on and below the diagonal 0.
    """
    length = vec.shape[-1]
    n = round((-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * length + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2)
    rows, columns = tril_indices(n, n, diag, device=vec.device)
    if rows.shape[0] != length:
        raise ValueError(
            f"The size of last dimension is {length} which cannot be expressed as the lower triangular part of a "
            "square D x D matrix."
        )
    place = rows * n + columns
    flat = vec.new_zeros((*vec.shape[:-1], n * n))
    return flat.index_copy(-1, place, vec).unflatten(-1, (n, n))
