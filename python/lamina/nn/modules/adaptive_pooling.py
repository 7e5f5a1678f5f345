"""Pooling layers for a result of a wanted size: what they compute is said by the function of the same name."""

from __future__ import annotations

from .. import functional as F
from ..functional.windows import per_axis
from .module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from ..._core import Tensor
    from ..functional.windows import PerAxis

    Pooled = Tensor | tuple[Tensor, Tensor]
    Size = int | Sequence[int | None]

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
]


class _AdaptiveAvgPool(Module):
    """Means of windows that divide the input into `output_size` parts."""

    def __init__(self, output_size: Size) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Means of windows that divide the last axis of (N, C, L) into `output_size` parts."""

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means of windows that divide the last two axes of (N, C, H, W) into `output_size` parts."""

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Means of windows that divide the last three axes of (N, C, D, H, W) into `output_size` parts."""

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)


class _AdaptiveMaxPool(_AdaptiveAvgPool):
    """The largest of windows that divide the input into `output_size` parts."""

    def __init__(self, output_size: Size, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest of windows that divide the last axis of (N, C, L) into `output_size` parts."""

    def forward(self, input: Tensor) -> Pooled:
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest of windows that divide the last two axes of (N, C, H, W) into `output_size` parts."""

    def forward(self, input: Tensor) -> Pooled:
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest of windows that divide the last three axes of (N, C, D, H, W) into `output_size` parts."""

    def forward(self, input: Tensor) -> Pooled:
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _FractionalMaxPool(Module):
    """The largest of windows at random distances, for a result of `output_size` or `output_ratio` times the input's.

    ValueError unless exactly one of the two is given, and for ratios outside 0..1.
    """

    if TYPE_CHECKING:
        axes: ClassVar[int]

    def __init__(
        self,
        kernel_size: PerAxis,
        output_size: PerAxis | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        axes, name = self.axes, type(self).__name__
        self.kernel_size = tuple(per_axis("kernel_size", kernel_size, axes))
        if axes == 3 and any(size <= 0 for size in self.kernel_size):
            raise ValueError(f"kernel_size must be greater than zero, but got {self.kernel_size}")
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else tuple(per_axis("output_size", output_size, axes))
        self.output_ratio: tuple[float, ...] | None = None
        if output_ratio is not None:
            ratios = [output_ratio] * axes if isinstance(output_ratio, (int, float)) else list(output_ratio)
            self.output_ratio = tuple(ratios)
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")


class FractionalMaxPool2d(_FractionalMaxPool):
    """fractional_max_pool2d: (N, C, H, W) to (N, C, H', W')."""

    axes = 2

    def forward(self, input: Tensor) -> Pooled:
        return F.fractional_max_pool2d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )


class FractionalMaxPool3d(_FractionalMaxPool):
    """fractional_max_pool3d: (N, C, D, H, W) to (N, C, D', H', W')."""

    axes = 3

    def forward(self, input: Tensor) -> Pooled:
        return F.fractional_max_pool3d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )
