"""Modified Bessel functions of the first kind that `lamina.special` alone has; `i0` is a function of the module."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .arguments import composed

__all__ = ["i0e", "i1", "i1e"]


@composed
def i0e(input: Tensor) -> Tensor:
    """``exp(-|x|) i0(x)``."""
    return _core._i0e(input)


@composed
def i1(input: Tensor) -> Tensor:
    """The modified Bessel function of order 1; odd."""
    return _core._i1(input)


@composed
def i1e(input: Tensor) -> Tensor:
    """``exp(-|x|) i1(x)``."""
    return _core._i1e(input)
