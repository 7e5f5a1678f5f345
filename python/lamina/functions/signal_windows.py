"""Windows of signal processing: weights that fall off towards the ends. Source: Harris, Proc. IEEE 66 (1978), 51–83."""

from __future__ import annotations

from math import pi

from .. import _core
from .._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._core import dtype as DType

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]


def _window(
    name: str,
    window_length: int,
    periodic: bool,
    dtype: DType | None,
    options: dict[str, Any],
    weight: Callable[[Tensor, int], Tensor],
) -> Tensor:
    """`weight` at the places 0, 1 … of a symmetric window, which for a periodic one is a place too long."""
    dtype = dtype or _core.get_default_dtype()
    if not dtype.is_floating_point:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    if not isinstance(window_length, int):
        kind = type(window_length).__name__
        raise TypeError(f"{name}(): argument 'window_length' (position 1) must be int, not {kind}")
    if window_length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={window_length}")
    window = _core.ones(window_length, dtype=dtype, **options)
    if window_length > 1:
        places = _core.arange(window_length, dtype=_core.float64, device=window.device)
        window.detach().copy_(weight(places, window_length - (0 if periodic else 1)))
    return window


def bartlett_window(window_length: int, periodic: bool = True, *, dtype: DType | None = None, **options: Any) -> Tensor:
    """A triangle that is 0 at its ends; 1-D, of `window_length`. A `periodic` window leaves the last 0 out.

    RuntimeError for a negative length, and for a dtype that is not floating point.
    """
    return _window(
        *("bartlett_window", window_length, periodic, dtype, options),
        lambda n, last: 1 - (n * (2 / last) - 1).abs(),
    )


def _cosines(n: Tensor, last: int, a: float, b: float, c: float = 0.0) -> Tensor:
    angle = n * (2 * pi / last)
    wave = a - b * angle.cos()
    return wave + c * (2 * angle).cos() if c else wave


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: DType | None = None,
    **options: Any,
) -> Tensor:
    """``alpha - beta * cos(2 pi n / N)``; arguments and errors as in `bartlett_window`."""
    return _window(
        *("hamming_window", window_length, periodic, dtype, options),
        lambda n, last: _cosines(n, last, alpha, beta),
    )


def hann_window(window_length: int, periodic: bool = True, *, dtype: DType | None = None, **options: Any) -> Tensor:
    """``(1 - cos(2 pi n / N)) / 2``; arguments and errors as in `bartlett_window`."""
    return _window(
        *("hann_window", window_length, periodic, dtype, options), lambda n, last: _cosines(n, last, 0.5, 0.5)
    )


def blackman_window(window_length: int, periodic: bool = True, *, dtype: DType | None = None, **options: Any) -> Tensor:
    """``0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N)``; arguments and errors as in `bartlett_window`."""
    return _window(
        *("blackman_window", window_length, periodic, dtype, options),
        lambda n, last: _cosines(n, last, 0.42, 0.5, 0.08),
    )


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: DType | None = None, **options: Any
) -> Tensor:
    """``I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta)``; arguments and errors as in `bartlett_window`."""

    def weight(n: Tensor, last: int) -> Tensor:
        inside = 1 - (n * (2 / last) - 1).square()
        bessel = _core.i0(_core.cat([inside.clamp(min=0).sqrt() * beta, _core.full((1,), beta, dtype=_core.float64)]))
        return bessel[:-1] / bessel[-1]

    return _window("kaiser_window", window_length, periodic, dtype, options, weight)
