"""Dropout: random zeros in training."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor

__all__ = ["dropout"]


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero with probability `p`, the rest scaled by ``1 / (1 - p)``; the input itself if not `training`.

    ValueError unless `p` is in [0, 1] (Srivastava et al., 2014).
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0.0:
        return input
    if p == 1.0:
        output = input * 0.0
    else:
        # The gradient needs only the mask, one byte an element.
        keep = _core.rand(input.shape) >= p
        output = _core._labelled(_core.where(keep, input * (1.0 / (1.0 - p)), 0.0), "Mul")
    return input.copy_(output) if inplace else output
