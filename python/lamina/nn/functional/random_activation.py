"""Activations that draw random numbers."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ..._warning import warn_caller
from .activation import leaky_relu

__all__ = ["gumbel_softmax", "rrelu"]


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """leaky_relu whose slope is drawn for each element from [lower, upper), or is their mean if not `training`."""
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    slopes = _core.rand_like(input) * (upper - lower) + lower
    output = _core._labelled(_core.where(input >= 0, input, input * slopes), "RreluWithNoise")
    return _core._changed_into(input, output) if inplace else output


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A class drawn by `logits` along `dim`, softened by `tau`: the softmax of logits with Gumbel noise over `tau`.

    With `hard` it is a vector of zeros and a one, with the gradient of the soft one (Jang et al., 2017).
    """
    if eps != 1e-10:
        warn_caller("`eps` parameter is deprecated and has no effect.")
    uniform = _core.rand_like(logits)
    noise = -(-(uniform.clamp_min(1e-38)).log()).log()
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.detach().argmax(dim, keepdim=True)
    one_hot = _core.zeros_like(logits).scatter(dim, index, 1.0)
    return one_hot - soft.detach() + soft
