"""What a tensor is."""

from __future__ import annotations

from math import pi

from .. import _core
from .._core import Tensor
from .arguments import composed_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._core import dtype as DType

__all__ = [
    *("angle", "get_device", "is_inference", "is_nonzero", "is_same_size", "is_signed", "is_tensor", "isreal"),
    "to_dense",
]


def is_tensor(obj: object) -> bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, Tensor)


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element of `input` is not 0. RuntimeError if it has none or several."""
    return bool(input)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape."""
    return input.shape == other.shape


def is_signed(input: Tensor) -> bool:
    """Whether the type has negative numbers."""
    return input.dtype.is_signed


def get_device(input: Tensor) -> int:
    """-1, the number of the CPU."""
    return -1


def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return input._is_inference


def to_dense(input: Tensor, dtype: DType | None = None, *, masked_grad: bool | None = None) -> Tensor:
    """The tensor itself, or in another type: every tensor is dense."""
    return input if dtype is None else input.to(dtype)


def isreal(input: Tensor) -> Tensor:
    """Where the imaginary part is 0."""
    return input.imag == 0 if input.is_complex() else _core.ones_like(input, dtype=_core.bool)


@composed_as("Angle")
def angle(input: Tensor) -> Tensor:
    """The angle of each number in the complex plane: of real numbers pi for negative ones, 0 for others; NaN stays."""
    if input.is_complex():
        return _core.atan2(input.imag, input.real)
    x = input if input.dtype.is_floating_point else input.to(_core.get_default_dtype())
    return _core.where(x.isnan(), x.detach(), _core.where(x < 0, pi, x.sign() * 0.0))
