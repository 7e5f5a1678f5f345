"""Convolution layers that find out how many channels they have from their first input."""

from __future__ import annotations

from ..parameter import UninitializedParameter
from .conv import Conv1d, Conv2d, Conv3d, _ConvNd, _Forward
from .conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, _Transpose
from .lazy import LazyModuleMixin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ... import _core
    from ..._core import Tensor
    from ..._typing import Device
    from ..functional.windows import PerAxis

__all__ = [
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]


class _LazyConv(LazyModuleMixin, _ConvNd):
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
        axes = len(self.kernel_size)
        if input.ndim not in (axes + 1, axes + 2):
            raise RuntimeError(
                f"Expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input to {type(self).__name__}, "
                f"but got input of size: {tuple(input.shape)}"
            )
        self.in_channels = input.shape[-axes - 1]
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


class LazyConv3d(_LazyForward, Conv3d):
    """A Conv3d whose in_channels are those of its first input; from then on it is a Conv3d."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyTranspose, ConvTranspose1d):
    """A ConvTranspose1d whose in_channels are those of its first input; from then on it is a ConvTranspose1d."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyTranspose, ConvTranspose2d):
    """A ConvTranspose2d whose in_channels are those of its first input; from then on it is a ConvTranspose2d."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyTranspose, ConvTranspose3d):
    """A ConvTranspose3d whose in_channels are those of its first input; from then on it is a ConvTranspose3d."""

    cls_to_become = ConvTranspose3d
