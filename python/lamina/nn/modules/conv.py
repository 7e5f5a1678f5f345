"""Convolution layers: what they compute is said by nn.functional.conv2d and its like."""

from __future__ import annotations

from math import sqrt

from ... import _core
from .. import functional as F
from .. import init
from ..functional.windows import per_axis
from ..parameter import Parameter
from .module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from ..._core import Tensor
    from ..._typing import Device
    from ..functional.windows import PerAxis

__all__ = ["Conv1d", "Conv2d", "Conv3d"]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def kernel_sizes(kernel_size: PerAxis, axes: int) -> list[int]:
    """One for each axis. RuntimeError for a list of another length: of a single one, too, as in PyTorch."""
    if isinstance(kernel_size, (tuple, list)) and len(kernel_size) != axes:
        raise RuntimeError(f"expected kernel_size to be an int or {axes} ints, but got kernel_size={kernel_size}")
    return per_axis("kernel_size", kernel_size, axes)


class _ConvNd(Module):
    """The options, parameters and printed form that all convolutions have.

    `weight` and `bias` start uniform in ±1/√k, k the products that one result sums. ValueError for channels that the
    groups do not divide, and for unknown paddings and padding modes.
    """

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[int, ...]
    dilation: tuple[int, ...]
    transposed: bool
    output_padding: tuple[int, ...]
    groups: int
    padding_mode: str
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sequence[int],
        stride: PerAxis,
        padding: str | PerAxis,
        dilation: PerAxis,
        transposed: bool,
        output_padding: PerAxis,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
            if padding == "same" and any(s != 1 for s in (stride if isinstance(stride, (tuple, list)) else (stride,))):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {_PADDING_MODES}, but got padding_mode='{padding_mode}'")
        axes = len(kernel_size)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = tuple(kernel_size)
        self.stride = tuple(per_axis("stride", stride, axes))
        self.padding = padding if isinstance(padding, str) else tuple(per_axis("padding", padding, axes))
        self.dilation = tuple(per_axis("dilation", dilation, axes))
        self.transposed = transposed
        self.output_padding = tuple(per_axis("output_padding", output_padding, axes))
        self.groups = groups
        self.padding_mode = padding_mode
        self._set_parameters(bias, device, dtype)

    def _set_parameters(self, bias: bool, device: Device, dtype: _core.dtype | None) -> None:
        self.weight = Parameter(_core.empty(self._weight_shape(), dtype=dtype, device=device))
        if bias:
            self.bias = Parameter(_core.empty(self.out_channels, dtype=dtype, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _weight_shape(self) -> tuple[int, ...]:
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        return (first, second // self.groups, *self.kernel_size)

    @property
    def _reversed_padding_repeated_twice(self) -> list[int]:
        """The padding as F.pad takes it, before and behind, the last axis first: for subclasses that pad themselves."""
        axes = len(self.kernel_size)
        if self.padding == "valid":
            return [0] * 2 * axes
        widths = []
        for axis in reversed(range(axes)):
            if isinstance(self.padding, str):
                total = self.dilation[axis] * (self.kernel_size[axis] - 1)
                widths += [total // 2, total - total // 2]
            else:
                widths += [self.padding[axis]] * 2
        return widths

    def reset_parameters(self) -> None:
        """Draw new numbers."""
        init.kaiming_uniform_(self.weight, a=sqrt(5))  # with this slope the bound is 1/√fan_in
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * len(self.kernel_size):
            text += f", padding={self.padding}"
        if self.dilation != (1,) * len(self.kernel_size):
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * len(self.kernel_size):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class _Forward(_ConvNd):
    """A convolution, not transposed."""

    if TYPE_CHECKING:
        axes: ClassVar[int]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        stride: PerAxis = 1,
        padding: str | PerAxis = 0,
        dilation: PerAxis = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_sizes(kernel_size, self.axes),
            stride,
            padding,
            dilation,
            False,
            0,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        convolve = (F.conv1d, F.conv2d, F.conv3d)[self.axes - 1]
        if self.padding_mode == "zeros":
            return convolve(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        padded = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
        return convolve(padded, weight, bias, self.stride, 0, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Forward):
    """A convolution along one axis: (N, in_channels, L) to (N, out_channels, L')."""

    axes = 1


class Conv2d(_Forward):
    """A convolution over two axes: (N, in_channels, H, W) to (N, out_channels, H', W').

    `stride`, `padding`, `dilation` and `groups` are those of nn.functional.conv2d: one number, or one for each axis.
    `padding_mode` is what lies beyond the border: zeros, "reflect", "replicate" or "circular".

    >>> nn.Conv2d(3, 16, kernel_size=3, padding=1)(lamina.rand(8, 3, 32, 32)).shape
    torch.Size([8, 16, 32, 32])
    """

    axes = 2


class Conv3d(_Forward):
    """A convolution over three axes: (N, in_channels, D, H, W) to (N, out_channels, D', H', W')."""

    axes = 3
