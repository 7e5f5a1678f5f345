"""Transposed convolution layers: what they compute is said by nn.functional.conv_transpose2d and its like."""

from __future__ import annotations

from .. import functional as F
from ..functional.windows import per_axis
from .conv import _ConvNd, kernel_sizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from ... import _core
    from ..._core import Tensor
    from ..._typing import Device
    from ..functional.windows import PerAxis

__all__ = ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]


class _Transpose(_ConvNd):
    """A transposed convolution."""

    if TYPE_CHECKING:
        axes: ClassVar[int]
    padding: tuple[int, ...]

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
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels,
            out_channels,
            kernel_sizes(kernel_size, self.axes),
            stride,
            per_axis("padding", padding, self.axes),
            dilation,
            True,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

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
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(input.shape[spare:], self.stride, self.padding, self.dilation, self.kernel_size)
        ]
        most = [low + s - 1 for low, s in zip(least, self.stride)]
        if any(not low <= size <= high for size, low, high in zip(wanted, least, most)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} (for an input of "
                f"{list(input.shape[spare:])})"
            )
        return tuple(size - low for size, low in zip(wanted, least))

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        convolve = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.axes - 1]
        extra = self._extra(input, output_size)
        return convolve(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)


class ConvTranspose1d(_Transpose):
    """The adjoint of Conv1d: (N, in_channels, L) to (N, out_channels, L')."""

    axes = 1


class ConvTranspose2d(_Transpose):
    """The adjoint of Conv2d: (N, in_channels, H, W) to (N, out_channels, H', W')."""

    axes = 2


class ConvTranspose3d(_Transpose):
    """The adjoint of Conv3d: (N, in_channels, D, H, W) to (N, out_channels, D', H', W')."""

    axes = 3
