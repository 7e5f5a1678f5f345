"""Maps from any matrix to one with orthonormal columns, and back."""

from __future__ import annotations

from math import ceil, log2

from ... import _core
from ...autograd import no_grad
from ...linalg import solve
from ..modules import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..._core import Tensor

__all__ = ["OrthogonalMatrix"]

_TAYLOR_TERMS = 18  # of exp(A) for |A| ≤ 1/2: more would not change a float64


def _matrix_exp(A: Tensor) -> Tensor:
    """exp(A), (..., n, n): a Taylor polynomial of A / 2**s, squared s times."""
    with no_grad():
        norm = A.abs().sum(-1).amax().item() if A.numel() else 0.0
    squarings = max(0, ceil(log2(2 * norm))) if norm > 0 else 0
    scaled = A / 2.0**squarings
    identity = _core.eye(A.shape[-1], dtype=A.dtype, device=A.device)
    result = identity + scaled / _TAYLOR_TERMS
    for term in range(_TAYLOR_TERMS - 1, 0, -1):
        result = identity + scaled @ result / term
    for _ in range(squarings):
        result = result @ result
    return result


def _householder_product(A: Tensor) -> Tensor:
    """The first k columns of the product of the reflections along the columns of A + I, (..., n, k)."""
    n, k = A.shape[-2:]
    identity = _core.eye(n, k, dtype=A.dtype, device=A.device)
    directions = A + identity
    scale = 2.0 / directions.square().sum(-2, keepdim=True)
    result = identity.expand(A.shape)
    for column in range(k - 1, -1, -1):
        v = directions[..., column : column + 1]
        result = result - v * scale[..., column : column + 1] @ (v.mT @ result)
    return result


def _orthogonal_part(A: Tensor) -> Tensor:
    """Q of the QR decomposition whose R has a positive diagonal."""
    import numpy as np

    q, r = np.linalg.qr(A.detach().numpy())
    signs = np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1, 1).astype(q.dtype)
    return _core.tensor(q * signs[..., None, :])


def _reflections_of(Q: Tensor) -> Tensor:
    """What `_householder_product`, times the signs on the diagonal, makes the orthogonal part of Q from."""
    import numpy as np

    packed, tau = np.linalg.qr(Q.detach().numpy(), mode="raw")
    A = np.array(np.swapaxes(packed, -1, -2))
    rows = np.arange(A.shape[-1])
    signs = np.where(A[..., rows, rows] < 0, -1, 1)
    # LAPACK leaves a column that needs no reflection alone; here each has one, which turns the sign.
    A[..., rows, rows] = np.where(tau == 0, -signs, signs)
    return _core.tensor(A)


class OrthogonalMatrix(Module):
    """The parametrization of ``nn.utils.parametrizations.orthogonal``."""

    base: Tensor

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
            raise ValueError(
                f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
            )
        self.shape = tuple(weight.shape)
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
            Q = _householder_product(X.tril(-1)) * X.detach().diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)
        else:
            lower = X.tril()
            if n != k:
                lower = _core.cat([lower, X.new_zeros((*X.shape[:-1], n - k))], -1)
            A = lower - lower.mT
            if self.orthogonal_map == "matrix_exp":
                Q = _matrix_exp(A)
            else:
                identity = _core.eye(n, dtype=X.dtype, device=X.device)
                Q = solve(identity - A / 2, identity + A / 2)
            Q = Q[..., :k]
        if "base" in self._buffers:
            Q = self.base @ Q
        return Q.mT if self._is_wide() else Q

    def right_inverse(self, Q: Tensor) -> Tensor:
        if tuple(Q.shape) != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {tuple(Q.shape)}."
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
