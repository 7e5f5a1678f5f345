"""The three transforms of which all are made, over any axes: complex to complex, real to half a spectrum, and back.

They run at once, for NumPy needs the numbers (examples of `vmap` have none: see by_matrix.py). Each is linear, and its
gradient is its adjoint, which is one of the three again: so there are gradients of every order, and in forward mode.

Half a spectrum are the first n // 2 + 1 places of the last axis: those of negative frequencies are their conjugates.
"""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..autograd.function import Function
from . import by_matrix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from .._core import dtype as DType

    Axes = tuple[int, ...]
    Norm = Literal["backward", "forward", "ortho"]

__all__ = ["OTHER_NORM", "complex_to_complex", "complex_to_real", "real_to_complex"]

# Which direction divides by the number of points, and the name of the same factor seen from the other direction.
OTHER_NORM: dict[Norm, Norm] = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def complex_to_complex(x: Tensor, axes: Sequence[int], norm: Norm, forward: bool) -> Tensor:
    """The transform of complex `x`, or with ``forward=False`` the inverse one."""
    if _core._is_example(x):
        return by_matrix.complex_to_complex(x, axes, norm, forward)
    result: Tensor = _ComplexToComplex.apply(x, tuple(axes), norm, forward)
    return result


def real_to_complex(x: Tensor, axes: Sequence[int], norm: Norm) -> Tensor:
    """Half the spectrum of real `x`."""
    if _core._is_example(x):
        return by_matrix.real_to_complex(x, axes, norm)
    result: Tensor = _RealToComplex.apply(x, tuple(axes), norm)
    return result


def complex_to_real(x: Tensor, axes: Sequence[int], norm: Norm, count: int) -> Tensor:
    """The inverse transform of half a spectrum, real, with `count` places along the last of `axes`."""
    if _core._is_example(x):
        return by_matrix.complex_to_real(x, axes, norm, count)
    result: Tensor = _ComplexToReal.apply(x, tuple(axes), norm, count)
    return result


class _ComplexToComplex(Function):
    _node_name = "FftC2CBackward0"

    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: Axes, norm: Norm, forward: bool) -> Tensor:
        from numpy import fft

        ctx.options = axes, norm, forward
        transform = fft.fftn if forward else fft.ifftn
        return _by_numpy(x, x.shape, x.dtype, lambda numbers: transform(numbers, axes=axes, norm=norm))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        axes, norm, forward = ctx.options
        return complex_to_complex(gradient, axes, OTHER_NORM[norm], not forward), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: None) -> Tensor:
        return complex_to_complex(tangent, *ctx.options)


class _RealToComplex(Function):
    _node_name = "FftR2CBackward0"

    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: Axes, norm: Norm) -> Tensor:
        from numpy import fft

        ctx.options, ctx.count = (axes, norm), x.shape[axes[-1]]
        shape = _with_size(x, axes[-1], ctx.count // 2 + 1)
        return _by_numpy(x, shape, x.dtype.to_complex(), lambda numbers: fft.rfftn(numbers, axes=axes, norm=norm))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        axes, norm = ctx.options
        once = gradient / _occurrences(gradient, axes[-1], ctx.count)  # complex_to_real counts the conjugates, too
        return complex_to_real(once, axes, OTHER_NORM[norm], ctx.count), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: None) -> Tensor:
        return real_to_complex(tangent, *ctx.options)


class _ComplexToReal(Function):
    _node_name = "FftC2RBackward0"

    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: Axes, norm: Norm, count: int) -> Tensor:
        from numpy import fft

        ctx.options = axes, norm, count
        *others, last = axes

        def transform(numbers: Any) -> Any:
            inner = fft.ifftn(numbers, axes=others, norm=norm) if others else numbers
            return fft.irfft(inner, count, last, norm)

        return _by_numpy(x, _with_size(x, last, count), x.dtype.to_real(), transform)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        axes, norm, count = ctx.options
        half = real_to_complex(gradient, axes, OTHER_NORM[norm])
        return half * _occurrences(half, axes[-1], count), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: None) -> Tensor:
        return complex_to_real(tangent, *ctx.options)


def _by_numpy(x: Tensor, shape: Sequence[int], dtype: DType, transform: Callable[[Any], Any]) -> Tensor:
    """What `transform` makes of x's numbers, as `dtype`: NumPy 1 computes in double precision.

    Of what has no numbers, on meta or because it is empty, only the shape is needed.
    """
    if x.is_meta or x.numel() == 0:
        return x.new_empty(shape, dtype=dtype)
    return _core.tensor(transform(x.detach().numpy()), dtype=dtype, device="cpu")


def _with_size(x: Tensor, axis: int, size: int) -> list[int]:
    return [size if number == axis else n for number, n in enumerate(x.shape)]


def _occurrences(half: Tensor, axis: int, count: int) -> Tensor:
    """How often each place of half a spectrum stands in the whole one of `count` places, along `axis`: 1 or 2."""
    places = _core.full((half.shape[axis],), 2.0, dtype=half.dtype.to_real(), device=half.device)
    places[0] = 1
    if count % 2 == 0:
        places[-1] = 1
    return places.reshape([-1 if number == axis else 1 for number in range(half.dim())])
