"""Which frequencies the places of a spectrum stand for, and spectra with frequency 0 in their middle."""

from __future__ import annotations

from math import copysign, inf
from operator import index

from .. import _core
from .._core import Tensor
from ..functions.arguments import composed
from ..functions.arranging import roll
from .arguments import axis_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._core import dtype as DType
    from .._typing import Device

__all__ = ["fftfreq", "fftshift", "ifftshift", "rfftfreq"]


def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of `fft` of `n` samples at distances `d`: 0, 1 / (n d) …, and from the middle on negative ones.

    RuntimeError for a negative n, and for a dtype that is not floating point or complex.

    >>> lamina.fft.fftfreq(5, 0.2)
    tensor([ 0.,  1.,  2., -2., -1.])
    """
    count = _checked("fftfreq", n)
    numbers = ifftshift(_core.arange(-(count // 2), count - count // 2, device=device))
    return _scaled("fftfreq", numbers, count * d, out, dtype, requires_grad)


def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of `rfft`, n // 2 + 1 of them: 0, 1 / (n d) … to the middle. Arguments as in `fftfreq`."""
    count = _checked("rfftfreq", n)
    return _scaled("rfftfreq", _core.arange(count // 2 + 1, device=device), count * d, out, dtype, requires_grad)


def _checked(name: str, n: int) -> int:
    count = index(n)
    if count < 0:
        raise RuntimeError(f"{name} requires a non-negative number of samples, got n={count}")
    return count


def _scaled(
    name: str, numbers: Tensor, extent: float, out: Tensor | None, dtype: DType | None, requires_grad: bool
) -> Tensor:
    """`numbers` divided by the samples' `extent`, in the type that is asked for."""
    if out is not None:
        if dtype not in (None, out.dtype):
            raise RuntimeError(f"dtype {dtype} does not match dtype of out parameter ({out.dtype})")
        dtype = out.dtype
    kind = dtype or _core.get_default_dtype()
    if not (kind.is_floating_point or kind.is_complex):
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    frequencies = numbers.to(kind) * (1 / extent if extent else copysign(inf, extent))
    if out is not None:
        filled: Tensor = _core._put_into_out(name, frequencies, out, ())
        return filled
    return frequencies.requires_grad_() if requires_grad else frequencies


@composed
def fftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """`input` with its place 0 moved to the middle, n // 2, along `dim`, or along all axes."""
    axes = _axes(input, dim)
    return roll(input, [input.shape[axis] // 2 for axis in axes], axes)


@composed
def ifftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of `fftshift`."""
    axes = _axes(input, dim)
    return roll(input, [(input.shape[axis] + 1) // 2 for axis in axes], axes)


def _axes(input: Tensor, dim: int | Sequence[int] | None) -> list[int]:
    if dim is None:
        return list(range(input.dim()))
    return [axis_of(input, axis) for axis in ((dim,) if isinstance(dim, int) else dim)]
