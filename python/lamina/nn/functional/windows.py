"""What convolutions and pooling have in common: a number for each axis, and images of two axes or more."""

from __future__ import annotations

from collections.abc import Sequence

from ... import _core
from ..._core import Tensor

__all__ = ["PerAxis", "as_images", "per_axis"]

# One number for all axes, or one for each.
PerAxis = int | Sequence[int]


def per_axis(name: str, value: PerAxis, axes: int) -> list[int]:
    """`value` for each of `axes` axes. RuntimeError for another number of them, TypeError for other numbers."""
    return _core._per_axis(name, value, axes)


def as_images(tensor: Tensor, axes: int) -> Tensor:
    """With two axes or more behind the first two: of one, it is the width."""
    return tensor.unsqueeze(-2) if axes == 1 else tensor
