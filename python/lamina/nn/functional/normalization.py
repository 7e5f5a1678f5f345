"""Normalisation to mean 0 and variance 1 over the axes of a layer, of groups of channels, or of a batch."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from .padding import pad

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]

batch_norm = _core.batch_norm
group_norm = _core.group_norm
instance_norm = _core.instance_norm
layer_norm = _core.layer_norm
rms_norm = _core.rms_norm


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Each element divided by ``(k + alpha m) ** beta``, m the mean square of `size` channels around it.

    The channels are axis 1; those beyond the borders count as 0 (Krizhevsky et al., 2012).
    """
    if input.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)")
    if input.numel() == 0:
        return input
    channels = input.shape[1]
    squares = pad(input.square().flatten(2), (0, 0, size // 2, (size - 1) // 2))
    sums = squares.narrow(1, 0, channels)
    for shift in range(1, size):
        sums = sums + squares.narrow(1, shift, channels)
    return input / (sums * (alpha / size) + k).pow(beta).reshape(input.shape)
