"""Samples of the gamma distribution, with their gradient: what Gamma, Beta, Dirichlet and StudentT are made of."""

from __future__ import annotations

from typing import Any

from .. import _core
from .._core import Tensor, digamma
from ..autograd.function import Function, once_differentiable
from ..functions.sampling import drawn

__all__ = ["sample_log_gamma"]


class _LogGamma(Function):
    """log x for x drawn from the gamma distribution of `concentration` and rate 1, elementwise.

    A gradient holds x's quantile fixed: ``dx/da = -(dF/da) / (dF/dx)`` for the distribution function F (Figurnov,
    Mohamed and Mnih, "Implicit reparameterization gradients", 2018).
    """

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        # For small concentrations x itself is below all floats: log x = log x' + log(u) / a, where x' has a + 1.
        raised = concentration.detach().double() + 1
        boosted = drawn(lambda rng, x: rng.standard_gamma(x.numpy()), None, raised).log()
        u = 1 - _core.rand(raised.shape, dtype=_core.float64, device=raised.device)
        logarithm = boosted + u.log() / concentration.detach()
        ctx.save_for_backward(concentration, logarithm)
        return logarithm.to(concentration.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        concentration, logarithm = ctx.saved_tensors
        return gradient * _slope(concentration.double(), logarithm).to(gradient.dtype)


def _slope(a: Tensor, logarithm: Tensor) -> Tensor:
    """d(log x)/da at a fixed quantile, by the series of the incomplete gamma function, ended when a term is lost.

    ``F = sum of x^(a+k) exp(-x) / gamma(a+k+1)``, so -(dF/da) / (x dF/dx) is the sum of ``s_k (psi(a+k+1) - log x)``
    with ``s_k = x^k / (a (a+1) … (a+k))``.
    """
    x, psi = logarithm.exp(), digamma(a + 1)
    term = 1 / a
    total = term * (psi - logarithm)
    k = 0
    while True:
        for _ in range(64):  # recorded as one pass over the elements
            k += 1
            psi = psi + 1 / (a + k)
            term = term * x / (a + k)
            total = total + term * (psi - logarithm)
        if not bool((term * (psi - logarithm).abs() > 1e-12 * total.abs()).any()):
            return total


def sample_log_gamma(concentration: Tensor) -> Tensor:
    """The logarithm of a gamma variable of rate 1 for each element of `concentration`, differentiable once in it."""
    sample: Tensor = _LogGamma.apply(concentration)
    return sample
