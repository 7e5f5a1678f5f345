"""Maps from any matrix to one with orthonormal columns, and back."""

from __future__ import annotations

from ... import _core
from ...autograd import no_grad
from ...linalg import householder_product, matrix_exp, qr, solve
from ...linalg.reflections import geqrf
from ..modules import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..._core import Tensor

__all__ = ["_Orthogonal"]


def _signs(diagonal: Tensor) -> Tensor:
    """-1 where it is negative, and 1 elsewhere."""
    return _core.where(diagonal.real < 0, -1.0, 1.0).to(diagonal.dtype)


def _orthogonal_part(A: Tensor) -> Tensor:
    """Q of the QR decomposition whose R has a positive diagonal."""
    Q, R = qr(A)
    return Q * _signs(R.diagonal(0, -2, -1)).unsqueeze(-2)  # type: ignore[no-any-return]


def _reflections_of(Q: Tensor) -> Tensor:
    """What forward's product of reflections, times the signs on the diagonal, makes the orthogonal part of Q from."""
    A, tau = geqrf(Q)
    signs = _signs(A.diagonal(0, -2, -1))
    # LAPACK leaves a column that needs no reflection alone; here each has one, which turns the sign.
    A.diagonal(0, -2, -1).copy_(_core.where(tau == 0, -signs, signs))
    return A  # type: ignore[no-any-return]


class _Orthogonal(Module):
    """The parametrization of ``nn.utils.parametrizations.orthogonal``; complex matrices become unitary."""

    if TYPE_CHECKING:
        base: Tensor

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
            raise ValueError(
                f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
            )
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def _is_wide(self) -> bool:
        return self.shape[-2] < self.shape[-1]

    def forward(self, X: Tensor) -> Tensor:
        if self._is_wide():
            X = X.mT
        n, k = X.shape[-2:]
        if self.orthogonal_map == "householder":
            A = X.tril(-1)
            Q = householder_product(A, 2.0 / (1.0 + A.square().sum(-2)))
            Q = Q * X.detach().diagonal(0, -2, -1).sign().unsqueeze(-2)
        else:
            lower = X.tril()
            if n != k:
                lower = _core.cat([lower, X.new_zeros((*X.shape[:-1], n - k))], -1)
            A = lower - lower.mH
            if self.orthogonal_map == "matrix_exp":
                Q = matrix_exp(A)
            else:
                identity = _core.eye(n, dtype=X.dtype, device=X.device)
                Q = solve(identity - A / 2, identity + A / 2)
            Q = Q[..., :k]
        if "base" in self._buffers:
            Q = self.base @ Q
        return Q.mT if self._is_wide() else Q

    @no_grad()
    def right_inverse(self, Q: Tensor) -> Tensor:
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        tall = Q.mT if self._is_wide() else Q
        n, k = tall.shape[-2:]
        if "base" not in self._buffers:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            A = _reflections_of(tall)
            return A.mT if self._is_wide() else A
        if n != k:
            tall = _core.cat([tall, _core.randn((*tall.shape[:-1], n - k), dtype=tall.dtype)], -1)
        self.base = _orthogonal_part(tall)
        # Every map takes -I to I: the product is the base.
        return -_core.eye(*self.shape[-2:], dtype=Q.dtype).expand(self.shape).clone()
