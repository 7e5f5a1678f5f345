"""Fourier transforms along several axes: one after the other.

All take `s`, the numbers of points along the axes `dim`; -1 stands for as many as there are. `dim` is all axes, or as
many of the last ones as `s` has numbers, and in functions named after 2 the last two. `norm` is as with one axis, with
the product of the numbers for n. Of the transforms of real numbers the last of the axes is the one of which half is
kept. Precision and errors are those with one axis.
"""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..functions.arguments import composed
from ..functions.precision import in_float32
from .arguments import as_complex, as_real, check_count, norm_name, sizes_and_axes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Sizes = int | Sequence[int] | None

__all__ = [
    "fft2",
    "fftn",
    "hfft2",
    "hfftn",
    "ifft2",
    "ifftn",
    "ihfft2",
    "ihfftn",
    "irfft2",
    "irfftn",
    "rfft2",
    "rfftn",
]


def _complex(input: Tensor, s: Sizes, dim: Sizes, norm: str | None, inverse: bool) -> Tensor:
    x = as_complex(input)
    sizes, axes = sizes_and_axes(x, s, dim)
    return _core._fourier("complex", x, sizes, axes, norm_name(norm), inverse)


def _to_half(name: str, input: Tensor, s: Sizes, dim: Sizes, norm: str | None, inverse: bool) -> Tensor:
    x = as_real(input, f"{name} expects a real-valued input tensor")
    sizes, axes = sizes_and_axes(x, s, dim)
    _check_axes(name, axes)
    return _core._fourier("half", x, sizes, axes, norm_name(norm), inverse)


def _from_half(name: str, input: Tensor, s: Sizes, dim: Sizes, norm: str | None, inverse: bool) -> Tensor:
    x = as_complex(input)
    sizes, axes = sizes_and_axes(x, s, dim)
    _check_axes(name, axes)
    given = -1 if s is None else s if isinstance(s, int) else s[-1]
    count = check_count(2 * (sizes[-1] - 1) if given == -1 else sizes[-1])
    return _core._fourier("real", x, [*sizes[:-1], count], axes, norm_name(norm), inverse)


def _check_axes(name: str, axes: list[int]) -> None:
    if not axes:
        raise RuntimeError(f"{name} must transform at least one axis")


@in_float32
@composed
def fftn(input: Tensor, s: Sizes = None, dim: Sizes = None, norm: str | None = None) -> Tensor:
    """`fft` along each of the axes."""
    return _complex(input, s, dim, norm, inverse=False)


@in_float32
@composed
def ifftn(input: Tensor, s: Sizes = None, dim: Sizes = None, norm: str | None = None) -> Tensor:
    """The inverse of `fftn`."""
    return _complex(input, s, dim, norm, inverse=True)


@in_float32
@composed
def rfftn(input: Tensor, s: Sizes = None, dim: Sizes = None, norm: str | None = None) -> Tensor:
    """`fftn` of a real `input`, of which the first n // 2 + 1 places along the last axis are kept."""
    return _to_half("rfftn", input, s, dim, norm, inverse=False)


@in_float32
@composed
def irfftn(input: Tensor, s: Sizes = None, dim: Sizes = None, norm: str | None = None) -> Tensor:
    """The inverse of `rfftn`: real. Without `s` the last axis is taken to be even, ``2 * (size - 1)``."""
    return _from_half("irfftn", input, s, dim, norm, inverse=True)


@in_float32
@composed
def hfftn(input: Tensor, s: Sizes = None, dim: Sizes = None, norm: str | None = None) -> Tensor:
    """`fftn`, which is real, of a signal of which `input` is half, as far as the last axis goes. `s` as in `irfftn`."""
    return _from_half("hfftn", input, s, dim, norm, inverse=False)


@in_float32
@composed
def ihfftn(input: Tensor, s: Sizes = None, dim: Sizes = None, norm: str | None = None) -> Tensor:
    """The inverse of `hfftn`: of `ifftn` of a real `input` the first n // 2 + 1 places along the last axis."""
    return _to_half("ihfftn", input, s, dim, norm, inverse=True)


@in_float32
@composed
def fft2(input: Tensor, s: Sizes = None, dim: Sizes = (-2, -1), norm: str | None = None) -> Tensor:
    """`fftn` along the last two axes."""
    return fftn(input, s, dim, norm)


@in_float32
@composed
def ifft2(input: Tensor, s: Sizes = None, dim: Sizes = (-2, -1), norm: str | None = None) -> Tensor:
    """`ifftn` along the last two axes."""
    return ifftn(input, s, dim, norm)


@in_float32
@composed
def rfft2(input: Tensor, s: Sizes = None, dim: Sizes = (-2, -1), norm: str | None = None) -> Tensor:
    """`rfftn` along the last two axes."""
    return rfftn(input, s, dim, norm)


@in_float32
@composed
def irfft2(input: Tensor, s: Sizes = None, dim: Sizes = (-2, -1), norm: str | None = None) -> Tensor:
    """`irfftn` along the last two axes."""
    return irfftn(input, s, dim, norm)


@in_float32
@composed
def hfft2(input: Tensor, s: Sizes = None, dim: Sizes = (-2, -1), norm: str | None = None) -> Tensor:
    """`hfftn` along the last two axes."""
    return hfftn(input, s, dim, norm)


@in_float32
@composed
def ihfft2(input: Tensor, s: Sizes = None, dim: Sizes = (-2, -1), norm: str | None = None) -> Tensor:
    """`ihfftn` along the last two axes."""
    return ihfftn(input, s, dim, norm)
