"""Householder reflections: the orthogonal factor of a QR decomposition as ``geqrf`` leaves it, and products with it.

Factor i is ``1 - tau[i] v vᴴ``, where v is 0 above row i, 1 there, and what stands below the diagonal in column i
(Householder, "Unitary triangularization of a nonsymmetric matrix", 1958).
"""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..functions.arguments import composed
from ..functions.precision import in_float32
from ..return_types import geqrf as Factors
from .checks import check_computed
from .lapack import column_major, lapack

__all__ = ["geqrf", "householder_product", "orgqr", "ormqr"]


@in_float32
@composed
def geqrf(input: Tensor) -> Factors:
    """The QR decomposition of (..., m, n) matrices as LAPACK has it: R on and above the diagonal, reflections below.

    `householder_product` of both results is Q. There is no gradient: that of `linalg.qr` is there.
    """
    check_computed("geqrf", input)
    if input.requires_grad and _core.is_grad_enabled():
        raise RuntimeError("geqrf has no gradient: use linalg.qr")
    raw, tau = lapack("qr", input, mode="raw")
    return Factors(column_major(raw.mT), tau)


def _vectors(name: str, input: Tensor, tau: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Each reflection's vector (..., m, 1), and its factor (..., 1, 1)."""
    if input.dim() < 2:
        raise RuntimeError(f"torch.{name}: input must have at least 2 dimensions.")
    m, k = input.shape[-2], tau.shape[-1]
    if m < input.shape[-1]:
        raise RuntimeError(f"torch.{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if input.shape[-1] < k:
        raise RuntimeError(f"torch.{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if tau.shape[:-1] != input.shape[:-2]:
        raise RuntimeError(
            f"torch.{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got "
            f"{list(tau.shape[:-1])}"
        )
    if tau.dtype != input.dtype:
        raise RuntimeError(f"torch.{name}: tau dtype {tau.dtype} does not match input dtype {input.dtype}")
    rows = _core.arange(m, device=input.device).unsqueeze(-1)
    found = []
    for i in range(k):
        column = input[..., i : i + 1]
        vector = _core.where(rows > i, column, 0.0) + (rows == i).to(input.dtype)
        found.append((vector, tau[..., i : i + 1].unsqueeze(-1)))
    return found


@in_float32
@composed
def householder_product(A: Tensor, tau: Tensor) -> Tensor:
    """The first n columns of the product of the reflections in (..., m, n) matrices A with factors `tau` (..., k)."""
    reflections = _vectors("linalg.householder_product", A, tau)
    m, n = A.shape[-2:]
    product = _core.eye(m, n, dtype=A.dtype, device=A.device).expand(A.shape)
    for vector, factor in reversed(reflections):
        product = product - factor * vector @ (vector.mH @ product)
    return column_major(product)


@in_float32
@composed
def orgqr(input: Tensor, tau: Tensor) -> Tensor:
    """Another name of `linalg.householder_product`."""
    return householder_product(input, tau)


@in_float32
@composed
def ormqr(input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
    """``Q @ other`` (``other @ Q`` if not `left`; Qᴴ for Q if `transpose`) with the (m, m) product Q of reflections."""
    if other.dim() < 2:
        raise RuntimeError("torch.ormqr: other must have at least 2 dimensions.")
    axis = -2 if left else -1
    if other.shape[axis] != input.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{axis}] must be equal to input.shape[-2]")
    if not left:
        return ormqr(input, tau, other.mH, True, not transpose).mH
    reflections = _vectors("ormqr", input, tau)
    for vector, factor in reflections if transpose else reversed(reflections):
        other = other - (factor.conj() if transpose else factor) * vector @ (vector.mH @ other)
    return column_major(other)
