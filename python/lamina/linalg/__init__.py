"""``lamina.linalg``: norms, solving, and LAPACK's decompositions, of real and complex matrices."""

from .._core import matmul
from .decompositions import qr, svd, svdvals
from .eigenvalues import eig, eigh, eigvals, eigvalsh
from .exponential import matrix_exp
from .lapack import LinAlgError
from .least_squares import cond, lstsq, matrix_rank, pinv
from .lu_factors import inv, inv_ex, lu, lu_factor, lu_factor_ex, lu_solve, matrix_power, solve, solve_ex
from .lu_factors import lu_unpack as lu_unpack
from .norms import cross, matrix_norm, norm, vecdot, vector_norm
from .reflections import householder_product
from .solving import (
    cholesky,
    cholesky_ex,
    det,
    logdet,
    multi_dot,
    slogdet,
    solve_triangular,
)
from .solving import (
    cholesky_inverse as cholesky_inverse,
)
from .solving import (
    cholesky_solve as cholesky_solve,
)
from .tensor_equations import diagonal, tensorinv, tensorsolve, vander

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "logdet",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]
