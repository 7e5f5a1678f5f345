"""The largest singular values and vectors of a matrix, by products with random vectors.

Source: Halko, Martinsson and Tropp, "Finding structure with randomness", 2011, algorithms 4.4 and 5.1.
"""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import has_gradients
from .decompositions import qr, svd

__all__ = ["pca_lowrank", "svd_lowrank"]


def _basis(A: Tensor, q: int, niter: int) -> Tensor:
    """(..., m, q): orthonormal columns whose span is nearly that of the largest left singular vectors."""
    random = _core.randn(A.shape[-1], q, dtype=A.dtype, device=A.device)
    Q: Tensor = qr(A @ random)[0]
    for _ in range(niter):
        Q = qr(A @ qr(A.mH @ Q)[0])[0]
    return Q


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """``(U, S, V)`` of rank `q` with ``A - M`` nearly ``U @ diag(S) @ V.mH``, after `niter` iterations.

    `A` is (..., m, n), `M`, which can be left out, is broadcast to it. ValueError for a `q` above m or n, or a negative
    `niter`.
    """
    return _svd_lowrank(A if M is None else A - M.broadcast_to(A.shape), q, niter)


def _svd_lowrank(A: Tensor, q: int | None, niter: int | None) -> tuple[Tensor, Tensor, Tensor]:
    rank, count = 6 if q is None else q, 2 if niter is None else niter
    m, n = A.shape[-2:]
    if not 0 <= rank <= min(m, n):
        raise ValueError(f"q(={rank}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if count < 0:
        raise ValueError(f"niter(={count}) must be non-negative integer")
    tall = A.mH if m < n else A
    Q = _basis(tall, rank, count)
    U, S, Vh = svd(Q.mH @ tall, full_matrices=False)
    U, V = Q @ U, Vh.mH
    return (V, S, U) if m < n else (U, S, V)


def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """`svd_lowrank` of the samples `A` (..., m, n), from whose columns means are subtracted if `center`.

    `q` is at most 6 if it is not said. The columns of V are the principal directions, and ``S**2 / (m - 1)`` the
    variances along them. ValueError as for `svd_lowrank`.
    """
    m, n = A.shape[-2:]
    rank = min(6, m, n) if q is None else q
    if not 0 <= rank <= min(m, n):
        raise ValueError(f"q(={rank}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if not niter >= 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    samples = A if has_gradients(A) else A.float()
    return _svd_lowrank(samples - samples.mean(-2, keepdim=True) if center else samples, rank, niter)
