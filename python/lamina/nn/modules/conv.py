"""Convolution layers and their lazy forms: what they compute is said by nn.functional.conv2d and its like."""

from __future__ import annotations

from math import sqrt

from ... import _core
from .. import functional as F
from .. import init
from ..functional.windows import per_axis
from ..parameter import Parameter, UninitializedParameter
from .lazy import LazyModuleMixin
from .module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from ..._core import Tensor
    from ..._typing import Device
    from ..functional.windows import PerAxis

__all__ = [
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Conv(Module):
    """The options, parameters and printed form that all convolutions have.

    `weight` and `bias` start uniform in ±1/√k, k the products that one result sums. ValueError for channels that the
    groups do not divide, and for unknown paddings and padding modes.
    """

    axes: ClassVar[int]
    transposed: bool = False

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[int, ...]
    dilation: tuple[int, ...]
    output_padding: tuple[int, ...]
    groups: int
    padding_mode: str
    weight: Parameter
    bias: Parameter | None

    def _set_options(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        stride: PerAxis,
        padding: str | PerAxis,
        dilation: PerAxis,
        output_padding: PerAxis,
        groups: int,
        padding_mode: str,
    ) -> None:
        axes = self.axes
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = tuple(per_axis("kernel_size", kernel_size, axes))
        self.stride = tuple(per_axis("stride", stride, axes))
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
            if padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
            self.padding = padding
        else:
            self.padding = tuple(per_axis("padding", padding, axes))
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {_PADDING_MODES}, but got padding_mode='{padding_mode}'")
        self.dilation = tuple(per_axis("dilation", dilation, axes))
        self.output_padding = tuple(per_axis("output_padding", output_padding, axes))
        self.groups = groups
        self.padding_mode = padding_mode

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
        if self.padding != (0,) * self.axes:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.axes:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * self.axes:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class _Forward(_Conv):
    """A convolution, not transposed."""

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
        super().__init__()
        self._set_options(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, padding_mode)
        self._set_parameters(bias, device, dtype)

    def _border(self) -> list[int]:
        """The padding as F.pad takes it: before and behind, the last axis first."""
        if self.padding == "valid":
            return [0] * 2 * self.axes
        widths = []
        for axis in reversed(range(self.axes)):
            if isinstance(self.padding, str):
                total = self.dilation[axis] * (self.kernel_size[axis] - 1)
                widths += [total // 2, total - total // 2]
            else:
                widths += [self.padding[axis]] * 2
        return widths

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        convolve = F.conv1d if self.axes == 1 else F.conv2d
        if self.padding_mode == "zeros":
            return convolve(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        padded = F.pad(input, self._border(), mode=self.padding_mode)
        return convolve(padded, weight, bias, self.stride, 0, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Forward):
    """A convolution along one axis: (N, in_channels, L) to (N, out_channels, L')."""

    axes = 1


class Conv2d(_Forward):
    """A convolution over two axes: (N, in_channels, H, W) to (N, out_channels, H', W')."""

    axes = 2


class _Transpose(_Conv):
    """A transposed convolution."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        stride: PerAxis = 1,
        padding: PerAxis = 0,
        output_padding: PerAxis = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: PerAxis = 1,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        self._set_options(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, padding_mode
        )
        self._set_parameters(bias, device, dtype)

    def _extra(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """The output_padding that gives `output_size`. ValueError if none does."""
        if output_size is None:
            return self.output_padding
        axes, spare = self.axes, input.ndim - self.axes
        wanted = list(output_size)
        if len(wanted) == axes + spare:
            wanted = wanted[spare:]
        if len(wanted) != axes:
            raise ValueError(
                f"{type(self).__name__}: for {input.ndim}D input, output_size must have {axes} or {axes + spare} "
                f"elements (got {len(wanted)})"
            )
        padding = per_axis("padding", self.padding, axes) if not isinstance(self.padding, str) else [0] * axes
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(input.shape[spare:], self.stride, padding, self.dilation, self.kernel_size)
        ]
        most = [low + s - 1 for low, s in zip(least, self.stride)]
        if any(not low <= size <= high for size, low, high in zip(wanted, least, most)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} (for an input of "
                f"{list(input.shape[spare:])})"
            )
        return tuple(size - low for size, low in zip(wanted, least))

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        convolve = F.conv_transpose1d if self.axes == 1 else F.conv_transpose2d
        assert not isinstance(self.padding, str)
        extra = self._extra(input, output_size)
        return convolve(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)


class ConvTranspose1d(_Transpose):
    """The adjoint of Conv1d: (N, in_channels, L) to (N, out_channels, L')."""

    axes = 1


class ConvTranspose2d(_Transpose):
    """The adjoint of Conv2d: (N, in_channels, H, W) to (N, out_channels, H', W')."""

    axes = 2


class _LazyConv(LazyModuleMixin, _Conv):
    """A convolution whose in_channels are those of its first input; from then on it is an ordinary one."""

    def _set_parameters(self, bias: bool, device: Device, dtype: _core.dtype | None) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)
        else:
            self.register_parameter("bias", None)

    def reset_parameters(self) -> None:
        """Draw new numbers, once there is something to fill."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *args: object, **kwargs: object) -> None:
        if not self.has_uninitialized_params():  # a state dict has brought the weight
            if self.in_channels == 0:
                self.in_channels = self.weight.shape[0] if self.transposed else self.weight.shape[1] * self.groups
            return
        if input.ndim not in (self.axes + 1, self.axes + 2):
            raise RuntimeError(
                f"Expected {self.axes + 1}D (unbatched) or {self.axes + 2}D (batched) input to {type(self).__name__}, "
                f"but got input of size: {tuple(input.shape)}"
            )
        self.in_channels = input.shape[-self.axes - 1]
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        assert isinstance(self.weight, UninitializedParameter)
        self.weight.materialize(self._weight_shape())
        if isinstance(self.bias, UninitializedParameter):
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class _LazyForward(_LazyConv, _Forward):
    def __init__(
        self,
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
            0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype
        )


class _LazyTranspose(_LazyConv, _Transpose):
    def __init__(
        self,
        out_channels: int,
        kernel_size: PerAxis,
        stride: PerAxis = 1,
        padding: PerAxis = 0,
        output_padding: PerAxis = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: PerAxis = 1,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__(
            0,
            out_channels,
            kernel_size,
            stride,
            padding,
            output_padding,
            groups,
            bias,
            dilation,
            padding_mode,
            device,
            dtype,
        )


class LazyConv1d(_LazyForward, Conv1d):
    """A Conv1d whose in_channels are those of its first input; from then on it is a Conv1d."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyForward, Conv2d):
    """A Conv2d whose in_channels are those of its first input; from then on it is a Conv2d."""

    cls_to_become = Conv2d


class LazyConvTranspose1d(_LazyTranspose, ConvTranspose1d):
    """A ConvTranspose1d whose in_channels are those of its first input; from then on it is a ConvTranspose1d."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyTranspose, ConvTranspose2d):
    """A ConvTranspose2d whose in_channels are those of its first input; from then on it is a ConvTranspose2d."""

    cls_to_become = ConvTranspose2d
