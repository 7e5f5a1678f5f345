"""``lamina.linalg``: norms, and solving by elimination. What needs singular values or eigenvalues is absent."""

from ..functions.products import cross
from .norms import matrix_norm, norm, vecdot, vector_norm
from .solving import LinAlgError, cholesky, det, inv, logdet, matrix_power, multi_dot, slogdet, solve, solve_triangular

__all__ = [
    "LinAlgError",
    "cholesky",
    "cross",
    "det",
    "inv",
    "logdet",
    "matrix_norm",
    "matrix_power",
    "multi_dot",
    "norm",
    "slogdet",
    "solve",
    "solve_triangular",
    "vecdot",
    "vector_norm",
]
