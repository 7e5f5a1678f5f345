"""The gradients of convolutions as functions of their own."""

from __future__ import annotations

from .._core import Tensor
from ..autograd import enable_grad, grad
from . import functional as F

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .functional.windows import PerAxis

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def conv1d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv1d for an input of `input_size`, by the gradient of its result."""
    return conv2d_input(input_size, weight, grad_output, stride, padding, dilation, groups)


def conv2d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv2d for an input of `input_size`, by the gradient of its result."""
    input = weight.new_zeros(*input_size, requires_grad=True)
    return _gradient(input, input, weight, grad_output, stride, padding, dilation, groups)


def conv1d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv1d for a weight of `weight_size`, by the gradient of its result."""
    return conv2d_weight(input, weight_size, grad_output, stride, padding, dilation, groups)


def conv2d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv2d for a weight of `weight_size`, by the gradient of its result."""
    weight = input.new_zeros(*weight_size, requires_grad=True)
    return _gradient(weight, input, weight, grad_output, stride, padding, dilation, groups)


def conv3d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv3d for an input of `input_size`, by the gradient of its result."""
    return conv2d_input(input_size, weight, grad_output, stride, padding, dilation, groups)


def conv3d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of conv3d for a weight of `weight_size`, by the gradient of its result."""
    return conv2d_weight(input, weight_size, grad_output, stride, padding, dilation, groups)


def _gradient(
    wanted: Tensor,
    input: Tensor,
    weight: Tensor,
    grad_output: Tensor,
    stride: PerAxis,
    padding: PerAxis,
    dilation: PerAxis,
    groups: int,
) -> Tensor:
    convolve = (F.conv1d, F.conv2d, F.conv3d)[weight.ndim - 3]
    with enable_grad():
        output = convolve(input, weight, None, stride, padding, dilation, groups)
    return grad(output, wanted, grad_output, create_graph=grad_output.requires_grad)[0]
