"""Fourier transforms along one axis.

All take `n`, the number of points (what is longer is cut off at its end, and zeros follow what is shorter), `dim`, and
`norm`: "forward" and "backward" say which direction divides by n, "ortho" that both divide by its square root. They
compute in the precision of the input, float32 or float64. RuntimeError for half precision and if there are no points.
"""

from __future__ import annotations

from operator import index

from .._core import Tensor
from ..functions.arguments import composed
from ..functions.precision import in_float32
from .arguments import as_complex, as_real, axis_of, check_count, norm_name, sized
from .transforms import OTHER_NORM, complex_to_complex, complex_to_real, real_to_complex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .transforms import Norm

__all__ = ["fft", "hfft", "ifft", "ihfft", "irfft", "rfft"]


def _complex(input: Tensor, n: int | None, dim: int, norm: str | None, forward: bool) -> Tensor:
    x = as_complex(input)
    axis = axis_of(x, dim)
    count = check_count(x.shape[axis] if n is None else index(n))
    return complex_to_complex(sized(x, [count], [axis]), [axis], norm_name(norm), forward)


@in_float32
@composed
def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """``sum over k of input[k] exp(-2 pi i j k / n)`` at the places j = 0 … n - 1: complex.

    >>> lamina.fft.fft(lamina.tensor([0.0, 1.0, 0.0, 0.0]))
    tensor([ 1.+0.j,  0.-1.j, -1.+0.j,  0.+1.j])
    """
    return _complex(input, n, dim, norm, forward=True)


@in_float32
@composed
def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `fft`."""
    return _complex(input, n, dim, norm, forward=False)


@in_float32
@composed
def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The first n // 2 + 1 places of `fft` of a real `input`; the others are their conjugates."""
    return _half_spectrum("rfft", input, n, dim, norm_name(norm))


def _half_spectrum(name: str, input: Tensor, n: int | None, dim: int, norm: Norm) -> Tensor:
    x = as_real(input, f"{name} expects a real input tensor")
    axis = axis_of(x, dim)
    count = check_count(x.shape[axis] if n is None else index(n))
    return real_to_complex(sized(x, [count], [axis]), [axis], norm)


@in_float32
@composed
def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `rfft`: real. Without `n`, which may be odd, it is taken to be even, ``2 * (size - 1)``."""
    return _from_half_spectrum(as_complex(input), n, dim, norm_name(norm))


def _from_half_spectrum(x: Tensor, n: int | None, dim: int, norm: Norm) -> Tensor:
    axis = axis_of(x, dim)
    count = check_count(2 * (x.shape[axis] - 1) if n is None else index(n))
    return complex_to_real(sized(x, [count // 2 + 1], [axis]), [axis], norm, count)


@in_float32
@composed
def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """`fft`, which is real, of a signal of which `input` is half: the rest are its conjugates. `n` as in `irfft`."""
    return _from_half_spectrum(as_complex(input).conj(), n, dim, OTHER_NORM[norm_name(norm)])


@in_float32
@composed
def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `hfft`: the first n // 2 + 1 places of `ifft` of a real `input`."""
    return _half_spectrum("ihfft", input, n, dim, OTHER_NORM[norm_name(norm)]).conj()
