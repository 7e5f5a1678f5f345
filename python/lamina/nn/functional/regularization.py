"""Dropout: random zeros in training."""

from __future__ import annotations

from math import sqrt

from ... import _core
from ..._core import Tensor
from ..._warning import warn_caller
from ...dtypes import scalar_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]

# What SELU tends to far below 0, which alpha_dropout drops to: -scale * alpha.
_SELU_FLOOR = -1.7580993408473766


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero with probability `p`, the rest scaled by ``1 / (1 - p)``; the input itself if not `training`.

    ValueError unless `p` is in [0, 1] (Srivastava et al., 2014).
    """
    _check_probability(p)
    return _drop(input, input.shape, p, training, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """dropout of whole channels of (N, C, L) or (C, L). RuntimeError for other inputs."""
    _check_probability(p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that dropout1d exists to "
            "provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional "
            "batch dimension (i.e. 2D or 3D inputs)."
        )
    return _drop(input, (*input.shape[:-1], 1), p, training, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """dropout of whole channels (axis 1) of (N, C, H, W).

    An input of three axes is taken as (N, C, L), with a warning, as in PyTorch.
    """
    _check_probability(p)
    if input.ndim not in (3, 4):
        warn_caller(
            f"dropout2d: Received a {input.ndim}-D input to dropout2d, which is deprecated and will result in an error "
            "in a future release. To retain the behavior and silence this warning, please use dropout instead."
        )
    if input.ndim == 3:
        warn_caller(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is "
            "desired - input is interpreted as shape (N, C, L). Please use dropout1d instead."
        )
    return _drop(input, _channels(input), p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """dropout of whole channels (axis 1) of (N, C, D, H, W), or of (C, D, H, W)."""
    _check_probability(p)
    if input.ndim not in (4, 5):
        warn_caller(
            f"dropout3d: Received a {input.ndim}-D input to dropout3d, which is deprecated and will result in an error "
            "in a future release. To retain the behavior and silence this warning, please use dropout instead."
        )
    shape = (*input.shape[:-3], 1, 1, 1) if input.ndim == 4 else _channels(input)
    return _drop(input, shape, p, training, inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """With probability `p` the least that SELU gives, then scaled so that mean 0 and variance 1 stay.

    The input itself if not `training`. ValueError unless `p` is in [0, 1] (Klambauer et al., 2017).
    """
    _check_probability(p)
    return _drop_to_floor(input, input.shape, p, training, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """alpha_dropout of whole channels (axis 1)."""
    _check_probability(p)
    return _drop_to_floor(input, _channels(input), p, training, inplace)


def _check_probability(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _check_floating(input: Tensor) -> None:
    if not input.is_floating_point():
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {scalar_name(input.dtype)}: what dropout "
            "leaves is scaled"
        )


def _channels(input: Tensor) -> Sequence[int]:
    """The shape of one number for each channel."""
    if input.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return (*input.shape[:2], *[1] * (input.ndim - 2))


def _drop(input: Tensor, shape: Sequence[int], p: float, training: bool, inplace: bool) -> Tensor:
    if not training or p == 0.0:
        return input
    if p == 1.0:
        output = input * 0.0
    else:
        _check_floating(input)
        output = _core._drop(input, shape, p)
    return _core._changed_into(input, output) if inplace else output


def _drop_to_floor(input: Tensor, shape: Sequence[int], p: float, training: bool, inplace: bool) -> Tensor:
    if not training or p == 0.0:
        return input
    if p == 1.0:
        output = input * 0.0
    else:
        _check_floating(input)
        # Of x with mean 0 and variance 1, mean and variance after dropping are p f and (1 - p) (1 + p f²).
        scale = 1.0 / sqrt((1.0 - p) * (1.0 + p * _SELU_FLOOR**2))
        keep = _core.rand(shape, device=input.device) >= p
        output = _core._lay_as(_core.where(keep, input, _SELU_FLOOR) * scale - p * _SELU_FLOOR * scale, input)
    return _core._changed_into(input, output) if inplace else output
