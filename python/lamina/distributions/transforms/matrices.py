"""Transforms to matrices of certain kinds."""

from __future__ import annotations

from math import isqrt, log

from ... import _core
from ..._core import Size, Tensor
from ...dtypes import finfo
from ...functions.matrices import diag_embed
from ...linalg import cholesky
from ...nn.functional import pad, softplus
from .. import constraints
from ..triangles import tril_matrix_to_vec, vec_to_tril_matrix
from .transform import Transform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CorrCholeskyTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform"]


class CorrCholeskyTransform(Transform):
    """Vectors of n (n - 1) / 2 numbers to Cholesky factors (n, n) of matrices of correlations.

    The tanh of the numbers are partial correlations z, row by row; ``y_ij = z_ij sqrt(prod of 1 - z_ik², k < j)``.
    Source: Lewandowski, Kurowicka and Joe, "Generating random correlation matrices based on vines and extended onion
    method", 2009; Stan Reference Manual, "Cholesky factors of correlation matrices".
    """

    bijective = True
    domain = constraints.real_vector
    codomain = constraints.corr_cholesky

    def _call(self, x: Tensor) -> Tensor:
        self.forward_shape(x.shape)
        most = 1 - finfo(x.dtype).eps
        partial = vec_to_tril_matrix(x.tanh().clamp(-most, most), diag=-1)
        left = (1 - partial.square()).sqrt().cumprod(-1)[..., :-1]
        ones = _core.eye(partial.shape[-1], dtype=x.dtype, device=x.device)
        return (partial + ones) * pad(left, (1, 0), value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        left = pad(1 - y.square().cumsum(-1)[..., :-1], (1, 0), value=1)
        return (tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(left, diag=-1).sqrt()).atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        left = tril_matrix_to_vec(1 - y.square().cumsum(-1), diag=-2)
        tanh = 2 * (log(2) - x - softplus(-2 * x))
        return left.log().sum(-1) / 2 + tanh.sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        if not shape:
            raise ValueError("Too few dimensions on input")
        rows = (isqrt(8 * shape[-1] + 1) + 1) // 2
        if rows * (rows - 1) // 2 != shape[-1]:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return Size((*shape[:-1], rows, rows))

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        if len(shape) < 2:
            raise ValueError("Too few dimensions on input")
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))


class _Alike(Transform):
    """A transform of square matrices without parameters; equal to all others of its type."""

    domain = constraints.independent(constraints.real, 2)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))


class LowerCholeskyTransform(_Alike):
    """The lower triangle, with the exponentials of its diagonal."""

    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + diag_embed(x.diagonal(0, -2, -1).exp())

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + diag_embed(y.diagonal(0, -2, -1).log())


class PositiveDefiniteTransform(_Alike):
    """The product of a `LowerCholeskyTransform`'s value and its transpose."""

    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(cholesky(y))
