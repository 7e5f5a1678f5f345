"""Fourier transforms along one axis.

All take `n`, the number of points (what is longer is cut off at its end, and zeros follow what is shorter), `dim`, and
`norm`: "forward" and "backward" say which direction divides by n, "ortho" that both divide by its square root. They
compute in the precision of the input, float32 or float64. RuntimeError for half precision and if there are no points.
"""

from __future__ import annotations

from operator import index

from .. import _core
from .._core import Tensor
from ..functions.arguments import composed
from ..functions.precision import in_float32
from .arguments import as_complex, as_real, axis_of, check_count, norm_name

__all__ = ["fft", "hfft", "ifft", "ihfft", "irfft", "rfft"]


def _complex(input: Tensor, n: int | None, dim: int, norm: str | None, inverse: bool) -> Tensor:
    x = as_complex(input)
    axis = axis_of(x, dim)
    count = check_count(x.shape[axis] if n is None else index(n))
    return _core._fourier("complex", x, [count], [axis], norm_name(norm), inverse)


def _to_half(name: str, input: Tensor, n: int | None, dim: int, norm: str | None, inverse: bool) -> Tensor:
    x = as_real(input, f"{name} expects a real input tensor")
    axis = axis_of(x, dim)
    count = check_count(x.shape[axis] if n is None else index(n))
    return _core._fourier("half", x, [count], [axis], norm_name(norm), inverse)


def _from_half(input: Tensor, n: int | None, dim: int, norm: str | None, inverse: bool) -> Tensor:
    x = as_complex(input)
    axis = axis_of(x, dim)
    count = check_count(2 * (x.shape[axis] - 1) if n is None else index(n))
    return _core._fourier("real", x, [count], [axis], norm_name(norm), inverse)


@in_float32
@composed
def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """``sum over k of input[k] exp(-2 pi i j k / n)`` at the places j = 0 … n - 1: complex.

    >>> lamina.fft.fft(lamina.tensor([0.0, 1.0, 0.0, 0.0]))
    tensor([ 1.+0.j,  0.-1.j, -1.+0.j,  0.+1.j])
    """
    return _complex(input, n, dim, norm, inverse=False)


@in_float32
@composed
def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `fft`."""
    return _complex(input, n, dim, norm, inverse=True)


@in_float32
@composed
def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The first n // 2 + 1 places of `fft` of a real `input`; the others are their conjugates."""
    return _to_half("rfft", input, n, dim, norm, inverse=False)


@in_float32
@composed
def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `rfft`: real. Without `n`, which may be odd, it is taken to be even, ``2 * (size - 1)``."""
    return _from_half(input, n, dim, norm, inverse=True)


@in_float32
@composed
def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """`fft`, which is real, of a signal of which `input` is half: the rest are its conjugates. `n` as in `irfft`."""
    return _from_half(input, n, dim, norm, inverse=False)


@in_float32
@composed
def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `hfft`: the first n // 2 + 1 places of `ifft` of a real `input`."""
    return _to_half("ihfft", input, n, dim, norm, inverse=True)
