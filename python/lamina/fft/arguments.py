"""What the transforms are told: axes, numbers of points and norms; and tensors brought to the type for it."""

from __future__ import annotations

from operator import index

from .. import _core
from .._core import Tensor
from ..dtypes import has_gradients, scalar_name
from ..functions.arguments import wrap_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["as_complex", "as_real", "axis_of", "check_count", "norm_name", "sizes_and_axes"]


def as_real(x: Tensor, expected: str) -> Tensor:
    """`x` as float32 or float64: whole numbers become the default type. RuntimeError for others."""
    if x.is_complex():
        raise RuntimeError(f"{expected}, but got {scalar_name(x.dtype)}")
    return _computed(x)


def as_complex(x: Tensor) -> Tensor:
    """`x` as complex64 or complex128, by its own precision. RuntimeError for half precision."""
    x = _computed(x)
    return x if x.is_complex() else x.to(x.dtype.to_complex())


def _computed(x: Tensor) -> Tensor:
    if not has_gradients(x):
        x = x.to(_core.get_default_dtype())
    if x.dtype.to_real() not in (_core.float32, _core.float64):
        raise RuntimeError(f"Unsupported dtype {scalar_name(x.dtype)}")
    return x


def norm_name(norm: str | None) -> str:
    """``"backward"`` by default. RuntimeError for an unknown one."""
    if norm is None:
        return "backward"
    if norm not in ("forward", "backward", "ortho"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return norm


def axis_of(x: Tensor, dim: int) -> int:
    """`dim` counted from the front. IndexError if x has no such axis."""
    if x.dim() == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return wrap_axis(dim, x.dim())


def check_count(count: int) -> int:
    """The number of points. RuntimeError if there are none."""
    if count < 1:
        raise RuntimeError(f"Invalid number of data points ({count}) specified")
    return count


def sizes_and_axes(
    x: Tensor, s: int | Sequence[int] | None, dim: int | Sequence[int] | None
) -> tuple[list[int], list[int]]:
    """The number of points along each axis, and the axes: all by default, or as many of the last ones as `s` has sizes.

    A size of -1 is that of `x`. RuntimeError where they do not fit each other or `x`.
    """
    sizes = None if s is None else [index(n) for n in ((s,) if isinstance(s, int) else s)]
    if dim is not None:
        axes = [axis_of(x, axis) for axis in ((dim,) if isinstance(dim, int) else dim)]
        if len(set(axes)) != len(axes):
            raise RuntimeError("FFT dims must be unique")
        if sizes is not None and len(sizes) != len(axes):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    else:
        axes = list(range(x.dim()))
    if sizes is None:
        sizes = [-1] * len(axes)
    elif len(sizes) > x.dim():
        raise RuntimeError(f"Got shape with {len(sizes)} values but input tensor only has {x.dim()} dimensions.")
    axes = axes[len(axes) - len(sizes) :]
    return [check_count(x.shape[axis] if n == -1 else n) for n, axis in zip(sizes, axes, strict=True)], axes
