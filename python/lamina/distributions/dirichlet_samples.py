"""Samples of Dirichlet's distribution, with their gradient."""

from __future__ import annotations

from math import cosh, exp, pi, sinh
from typing import Any

from .. import _core
from .._core import Tensor, digamma
from ..autograd.function import Function, once_differentiable
from ..dtypes import finfo
from ..nn.functional import softplus
from .gamma_samples import sample_log_gamma

__all__ = ["sample_dirichlet", "shift_of_quantiles"]

# Of the exp-sinh rule for integrals from 0 to infinity: Takahasi and Mori, "Double exponential formulas for numerical
# integration", 1974.
_STEP = 0.08
_PLACES = [exp(pi / 2 * sinh(_STEP * k)) for k in range(-41, 31)]
_WEIGHTS = [_STEP * pi / 2 * cosh(_STEP * k) * place for k, place in zip(range(-41, 31), _PLACES)]


def shift_of_quantiles(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """dx/da of the quantile that is x of the beta distribution of concentrations a and b; float64, elementwise.

    With u the logarithm of x's odds, and F the distribution function, ``du/da = -(dF/da) / (dF/du)``. Both have the
    density ``exp(h(u))`` as a factor, ``h = a log x + b log(1 - x)``, so this is the integral over all v below u of
    ``(E log x - log x(v)) exp(h(v) - h(u))``, or minus that over all above: of the side on which h falls.
    """
    u = x.log() - (-x).log1p()
    total = a + b
    rise = a - total * x  # h'(u)
    side = _core.where(rise > 0, -1.0, 1.0).to(x.dtype)
    scale = 1 / (rise.abs() + (total * x * (1 - x)).sqrt())
    places, weights = x.new_tensor(_PLACES), x.new_tensor(_WEIGHTS)

    u, side = u.unsqueeze(-1), side.unsqueeze(-1)
    v = u + side * scale.unsqueeze(-1) * places
    fall = a.unsqueeze(-1) * (v - u) - total.unsqueeze(-1) * (softplus(v) - softplus(u))
    mean = (digamma(a) - digamma(total)).unsqueeze(-1)
    above_mean = -softplus(-v) - mean
    return (side * above_mean * fall.exp() * weights).sum(-1) * scale * x * (1 - x)


def _Dirichlet_backward(x: Tensor, concentration: Tensor, grad_output: Tensor) -> Tensor:  # noqa: N802  # PyTorch's name
    """The gradient of samples x: each part moves as beta's quantiles, and the others, together, make room for it."""
    wide, a = x.double(), concentration.double()
    alone = shift_of_quantiles(wide, a, a.sum(-1, True) - a) / (1 - wide)
    gradient = grad_output.double()
    return (alone * (gradient - (wide * gradient).sum(-1, True))).to(concentration.dtype)


class _Dirichlet(Function):
    """x for the Dirichlet distribution of `concentration`. Figurnov, Mohamed and Mnih, 2018, as for gamma variables."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        # Gamma variables, divided by their sum; as logarithms, which do not underflow.
        limits = finfo(concentration.dtype)
        parts = sample_log_gamma(concentration.detach().double()).softmax(-1).to(concentration.dtype)
        x = parts.clamp(limits.tiny, 1 - limits.eps / 2)
        ctx.save_for_backward(x, concentration)
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        x, concentration = ctx.saved_tensors
        return _Dirichlet_backward(x, concentration, gradient)


def sample_dirichlet(concentration: Tensor) -> Tensor:
    """A probability vector for each of `concentration` (..., n), differentiable once in it."""
    sample: Tensor = _Dirichlet.apply(concentration)
    return sample
