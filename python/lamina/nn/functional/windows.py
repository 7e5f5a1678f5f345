"""What convolutions and pooling have in common: a number for each axis, and images of two axes or more."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

from ..._core import Tensor

__all__ = ["PerAxis", "Windows", "as_images", "per_axis"]

# One number for all axes, or one for each.
PerAxis = int | Sequence[int]

_LARGEST_INT = 2**31 - 1  # PyTorch's, but for the largest along one axis


def per_axis(name: str, value: PerAxis, axes: int) -> list[int]:
    """`value` for each of `axes` axes. RuntimeError for another number of them, TypeError for other numbers."""
    if isinstance(value, str):
        raise TypeError(f"{name} must be an int or a sequence of ints, not str")
    if isinstance(value, Sequence):
        values = [index(one) for one in value]
        if len(values) == 1:
            return values * axes
        if len(values) != axes:
            raise RuntimeError(
                f"expected {name} to be a single integer value or a list of {axes} values to match the convolution "
                f"dimensions, but got {name}={values}"
            )
        return values
    return [index(value)] * axes


def as_images(tensor: Tensor, axes: int) -> Tensor:
    """With two axes or more behind the first two: of one, it is the width."""
    return tensor.unsqueeze(-2) if axes == 1 else tensor


class Windows:
    """The windows of a pooling function, checked: a list of one number an axis for each option."""

    def __init__(
        self,
        name: str,
        axes: int,
        kernel: PerAxis,
        stride: PerAxis | None,
        padding: PerAxis,
        dilation: PerAxis,
    ) -> None:
        self.axes = axes
        self.kernel = per_axis("kernel_size", kernel, axes)
        without_stride = stride is None or (isinstance(stride, Sequence) and not stride)
        self.stride = self.kernel if without_stride or stride is None else per_axis("stride", stride, axes)
        self.padding = per_axis("padding", padding, axes)
        self.dilation = per_axis("dilation", dilation, axes)
        options = [*self.kernel, *self.stride, *self.padding, *self.dilation]
        if name != "max_pool1d" and max(options) > _LARGEST_INT:
            raise RuntimeError("value cannot be converted to type int without overflow")
        if any(k <= 0 for k in self.kernel):
            raise RuntimeError(f"{name}() kernel_size must be greater than zero, but got {self.kernel}")
        if any(s <= 0 for s in self.stride):
            raise RuntimeError(
                f"{name}() stride must be greater than zero, but got {self.stride}: stride should not be zero"
            )
        if any(d <= 0 for d in self.dilation):
            raise RuntimeError(f"{name}() dilation should be greater than zero, but got {self.dilation}")
        if any(p < 0 for p in self.padding):
            raise RuntimeError(f"{name}() padding must be non-negative, but got {self.padding}")
        for p, k, d in zip(self.padding, self.kernel, self.dilation):
            if p > ((k - 1) * d + 1) // 2:
                raise RuntimeError(
                    f"{name}() padding should be at most half of kernel size: pad should be at most half of effective "
                    f"kernel size, but got pad={p}, kernel_size={k} and dilation={d}"
                )

    def output_size(self, name: str, input: Tensor, ceil_mode: bool) -> list[int]:
        """How many windows each axis has. RuntimeError if there is none, or for an input of other dimensions."""
        axes, shape = self.axes, input.shape
        empty = any(size == 0 for size in shape[input.ndim - axes - 1 :])
        if input.ndim not in (axes + 1, axes + 2) or empty:
            raise RuntimeError(
                f"{name}: Expected {axes + 1}D or {axes + 2}D (batch mode) tensor with optional 0 dim batch size for "
                f"input, but got:{list(shape)}"
            )
        sizes = []
        for n, k, s, p, d in zip(shape[-axes:], self.kernel, self.stride, self.padding, self.dilation):
            room = n + 2 * p - d * (k - 1) - 1
            size = (-(-room // s) if ceil_mode else room // s) + 1
            if ceil_mode and (size - 1) * s >= n + p:  # the last window must begin inside, or in the padding before
                size -= 1
            sizes.append(size)
        if any(size < 1 for size in sizes):
            raise RuntimeError(
                f"{name}() Invalid computed output size: Given input size: {list(shape)}. Calculated output size: "
                f"{sizes}. Output size is too small"
            )
        return sizes

    def are_whole(self, size: list[int], input: Tensor, count_padding: bool) -> bool:
        """Whether all windows are of equally many elements."""
        ends = [(n - 1) * s + k - p for n, s, k, p in zip(size, self.stride, self.kernel, self.padding)]
        if not count_padding and any(self.padding):
            return False
        return all(end <= n + p for end, n, p in zip(ends, input.shape[-self.axes :], self.padding))

    def for_two_axes(self, size: list[int]) -> tuple[list[int], list[int], list[int], list[int], list[int]]:
        """Output size, window, stride, padding and dilation for two axes or more."""
        # One window has no neighbor to keep a distance from, for which there would have to be room.
        stride = [min(s, k) if n == 1 else s for n, k, s in zip(size, self.kernel, self.stride)]
        options = (size, self.kernel, stride, self.padding, self.dilation)
        if self.axes != 1:
            return options
        fill = (1, 1, 1, 0, 1)
        size, kernel, stride, padding, dilation = ([f, *option] for f, option in zip(fill, options))
        return size, kernel, stride, padding, dilation
