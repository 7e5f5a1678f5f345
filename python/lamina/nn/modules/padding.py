"""Padding layers: what they compute is said by nn.functional.pad."""

from __future__ import annotations

from .. import functional as F
from ..functional.windows import per_axis
from .module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from ..._core import Tensor
    from ..functional.windows import PerAxis

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    """`padding` before and behind each axis, the last axis first, or one number for all."""

    if TYPE_CHECKING:
        axes: ClassVar[int]
        mode: ClassVar[str]

    def __init__(self, padding: PerAxis) -> None:
        super().__init__()
        self.padding = tuple(per_axis("padding", padding, 2 * self.axes))

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """Borders of `value`."""

    mode = "constant"

    def __init__(self, padding: PerAxis, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Borders of `value` for the last axis."""

    axes = 1


class ConstantPad2d(_ConstantPad):
    """Borders of `value` for the last two axes."""

    axes = 2


class ConstantPad3d(_ConstantPad):
    """Borders of `value` for the last three axes."""

    axes = 3


class _ZeroPad(_ConstantPad):
    """Borders of zeros."""

    def __init__(self, padding: PerAxis) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Borders of zeros for the last axis."""


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Borders of zeros for the last two axes."""


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Borders of zeros for the last three axes."""


class ReflectionPad1d(_Pad):
    """Borders that mirror the last axis at its outermost elements."""

    axes, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Borders that mirror the last two axes at their outermost elements."""

    axes, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Borders that mirror the last three axes at their outermost elements."""

    axes, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Borders that repeat the outermost elements of the last axis."""

    axes, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Borders that repeat the outermost elements of the last two axes."""

    axes, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Borders that repeat the outermost elements of the last three axes."""

    axes, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """Borders from the other end of the last axis."""

    axes, mode = 1, "circular"


class CircularPad2d(_Pad):
    """Borders from the other end of the last two axes."""

    axes, mode = 2, "circular"


class CircularPad3d(_Pad):
    """Borders from the other end of the last three axes."""

    axes, mode = 3, "circular"
