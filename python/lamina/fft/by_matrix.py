"""The transforms as products with matrices of roots of unity: for examples of `vmap`, which have no numbers.

They take n² steps where those of NumPy take n log n. They are ordinary operations, gradients and all.
"""

from __future__ import annotations

from math import pi

from .. import _core
from .._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["complex_to_complex", "complex_to_real", "real_to_complex"]


def complex_to_complex(x: Tensor, axes: Sequence[int], norm: str, forward: bool) -> Tensor:
    for axis in axes:
        x = _times(x, axis, _roots(x, x.shape[axis], norm, forward))
    return x


def real_to_complex(x: Tensor, axes: Sequence[int], norm: str) -> Tensor:
    *others, last = axes
    count = x.shape[last]
    x = x.to(x.dtype.to_complex())
    half = _times(x, last, _roots(x, count, norm, True)[:, : count // 2 + 1])
    return complex_to_complex(half, others, norm, True)


def complex_to_real(x: Tensor, axes: Sequence[int], norm: str, count: int) -> Tensor:
    *others, last = axes
    x = complex_to_complex(x, others, norm, False)
    roots = _roots(x, count, norm, False)[: x.shape[last]]
    # The conjugates, which x leaves out, add as much to the real part again.
    twice = roots[1 : (count + 1) // 2] * 2
    return _times(x, last, _core.cat([roots[:1], twice, roots[1 + twice.shape[0] :]])).real


def _roots(x: Tensor, count: int, norm: str, forward: bool) -> Tensor:
    """(count, count): ``exp(∓2 pi i j k / count)``, with the factor of `norm`, in x's type."""
    places = _core.arange(count, device=x.device)
    turns = (places.unsqueeze(1) * places).remainder(count).to(_core.float64) / count
    power = 0.5 if norm == "ortho" else float((norm == "forward") == forward)
    lengths = _core.full_like(turns, count**-power)
    return _core.polar(lengths, turns * (-2 * pi if forward else 2 * pi)).to(x.dtype)


def _times(x: Tensor, axis: int, matrix: Tensor) -> Tensor:
    return (x.movedim(axis, -1) @ matrix).movedim(-1, axis)
