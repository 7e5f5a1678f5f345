"""Normalisation to mean 0 and variance 1 over the axes of a layer, of groups of channels, or of a batch."""

from __future__ import annotations

from math import prod

from ... import _core
from ..._core import Tensor
from ...autograd import no_grad
from ...dtypes import require_floating
from .padding import pad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]

layer_norm = _core.layer_norm
rms_norm = _core.rms_norm
group_norm = _core.group_norm


def _check_types(input: Tensor, *others: Tensor | None) -> None:
    if any(other is not None and other.dtype != input.dtype for other in others):
        raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")


def _channel_affine(output: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    shape = [1, -1] + [1] * (output.ndim - 2)
    if weight is not None:
        output = output * weight.reshape(shape)
    return output if bias is None else output + bias.reshape(shape)


def _check_channels(channels: int, **tensors: Tensor | None) -> None:
    for role, tensor in tensors.items():
        if tensor is not None and tensor.numel() != channels:
            raise RuntimeError(f"{role} should contain {channels} elements not {tensor.numel()}")


def _check_batch(values: int, input: Tensor) -> None:
    if values == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.shape}")


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel (axis 1) to mean 0 and variance 1 over the batch; then times `weight` plus `bias`.

    In training the batch's own mean and variance are used, and move `running_mean` and `running_var` by `momentum`
    towards them (the unbiased variance); otherwise the running ones are used. float16 and bfloat16 go with float32's
    statistics and parameters, too.
    """
    require_floating("batch_norm", input)
    given = (running_mean, running_var, weight, bias)
    if _is_narrower(input, given):
        return batch_norm(input.float(), *given, training, momentum, eps).to(input.dtype)
    _check_types(input, *given)
    if training and input.ndim > 1:
        _check_batch(input.shape[0] * prod(input.shape[2:]), input)
    if training and not eps > 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if input.ndim < 2:
        if input.numel() == 0:
            return input.clone()
        raise RuntimeError(f"batch_norm: expected an input (N, C, ...), got shape {tuple(input.shape)}")
    channels = input.shape[1]
    _check_channels(channels, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when training=False")
        shape = [1, -1] + [1] * (input.ndim - 2)
        scale = (running_var.reshape(shape) + eps).rsqrt()
        if weight is not None:
            scale = scale * weight.reshape(shape)
        output = (input - running_mean.reshape(shape)) * scale
        output = _core._lay_like(output if bias is None else output + bias.reshape(shape), input)
        return _core._labelled(output, "NativeBatchNorm")
    if input.numel() == 0:  # nothing to learn from: the running statistics stay
        return _channel_affine(input, weight, bias)
    mean = _channel_mean(input)
    centered = input - mean
    variance = _channel_mean(centered.square())
    values = input.numel() // channels
    with no_grad():
        if running_mean is not None:
            running_mean.mul_(1 - momentum).add_(mean.detach().reshape(-1), alpha=momentum)
        if running_var is not None and values > 1:
            unbiased = variance.detach().reshape(-1) * (values / (values - 1))
            running_var.mul_(1 - momentum).add_(unbiased, alpha=momentum)
    scale = (variance + eps).rsqrt()
    if weight is not None:
        scale = scale * weight.reshape(mean.shape)
    output = centered * scale
    if bias is not None:
        output = output + bias.reshape(mean.shape)
    return _core._labelled(_core._lay_like(output, input), "NativeBatchNorm")


def _is_narrower(input: Tensor, given: Sequence[Tensor | None]) -> bool:
    """Whether float16 or bfloat16 meets statistics and parameters of float32."""
    narrow = input.dtype in (_core.float16, _core.bfloat16)
    return narrow and {tensor.dtype for tensor in given if tensor is not None} == {_core.float32}


def _channel_mean(input: Tensor) -> Tensor:
    """The mean of each channel (axis 1), over places first: sums where the numbers lie, not of a rearranged copy."""
    if input.ndim > 2:
        input = input.mean(list(range(2, input.ndim)), keepdim=True)
    return input.mean(0, keepdim=True)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel (axis 1) of each sample to mean 0 and variance 1; then times `weight` plus `bias`.

    With `use_input_stats` by its own mean and variance, whose means over the batch move the running ones by
    `momentum`; otherwise by the running ones.
    """
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats=False")
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    require_floating("batch_norm", input)
    given = (running_mean, running_var, weight, bias)
    if _is_narrower(input, given):
        return instance_norm(input.float(), *given, use_input_stats, momentum, eps).to(input.dtype)
    _check_types(input, *given)
    if input.ndim < 2:
        raise RuntimeError(f"instance_norm: expected an input (N, C, ...), got shape {tuple(input.shape)}")
    values = prod(input.shape[2:])
    if values == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
    _check_channels(input.shape[1], running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    dims = list(range(2, input.ndim))
    with no_grad():
        for running, found in ((running_mean, input.mean), (running_var, input.var)):
            if running is not None:
                running.mul_(1 - momentum).add_(found(dims).mean(0), alpha=momentum)
    output = _core._lay_contiguous(_channel_affine(_core._standardize(input, eps, len(dims)), weight, bias))
    return _core._labelled(output, "View") if output.requires_grad else output


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
