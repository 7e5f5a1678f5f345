"""Facts about element types: the ranges of their numbers."""

from __future__ import annotations

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._core import Tensor
    from ._core import dtype as DType

__all__ = [
    "UNKNOWN_TO_NUMPY",
    "dtype_name",
    "finfo",
    "has_gradients",
    "iinfo",
    "real_type",
    "require_floating",
    "scalar_name",
]


# What PyTorch's messages call the types.
_SCALARS = {
    "float32": "Float",
    "float64": "Double",
    "float16": "Half",
    "bfloat16": "BFloat16",
    "complex32": "ComplexHalf",
    "complex64": "ComplexFloat",
    "complex128": "ComplexDouble",
    "int64": "Long",
    "int32": "Int",
    "int16": "Short",
    "int8": "Char",
    "uint8": "Byte",
    "bool": "Bool",
}


# What NumPy lacks, and the integers that it is shown as.
UNKNOWN_TO_NUMPY = {_core.bfloat16: _core.int16, _core.complex32: _core.int32}


def dtype_name(dtype: DType) -> str:
    """``"float32"`` for ``lamina.float32``."""
    return str(dtype).rpartition(".")[2]


def scalar_name(dtype: DType) -> str:
    """What PyTorch's messages call a type: "Long" for int64."""
    return _SCALARS[dtype_name(dtype)]


def has_gradients(tensor: Tensor) -> bool:
    """Whether there can be gradients by its numbers: floating point and complex ones."""
    return tensor.dtype.is_floating_point or tensor.dtype.is_complex


def require_floating(function: str, input: Tensor) -> None:
    """NotImplementedError, in PyTorch's words, unless `input` has floating point numbers."""
    if not input.is_floating_point():
        raise NotImplementedError(f"\"{function}\" not implemented for '{scalar_name(input.dtype)}'")


def real_type(function: str, dtype: DType) -> DType:
    """The type that a function of real numbers computes in: `dtype`, or the default one for whole numbers.

    NotImplementedError, in PyTorch's words, for complex ones.
    """
    if dtype.is_complex:
        raise NotImplementedError(f"\"{function}\" not implemented for '{scalar_name(dtype)}'")
    return dtype if dtype.is_floating_point else _core.get_default_dtype()


# Binary digits of the significand, the largest exponent, and the decimal resolution.
_FORMATS = {
    "float16": (11, 15, 1e-3),
    "bfloat16": (8, 127, 1e-2),
    "float32": (24, 127, 1e-6),
    "float64": (53, 1023, 1e-15),
}


class finfo:  # noqa: N801
    """The range and precision of a floating point `dtype` (default float32): eps, max, min, tiny, resolution, bits.

    Of a complex one: those of its parts.
    """

    def __init__(self, dtype: DType | None = None) -> None:
        dtype = _core.get_default_dtype() if dtype is None else dtype.to_real()
        if not dtype.is_floating_point:
            raise TypeError(f"finfo() requires a floating point input type, got {dtype}. Use iinfo")
        self.dtype = dtype_name(dtype)
        digits, exponent, self.resolution = _FORMATS[self.dtype]
        self.bits = dtype.itemsize * 8
        self.eps = 2.0 ** (1 - digits)
        self.max = (2 - self.eps) * 2.0**exponent
        self.min = -self.max
        self.smallest_normal = self.tiny = 2.0 ** (1 - exponent)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and other.dtype == self.dtype

    def __hash__(self) -> int:
        return hash((finfo, self.dtype))

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:  # noqa: N801
    """The range of an integer `dtype`: min, max, bits."""

    def __init__(self, dtype: DType) -> None:
        if dtype.is_floating_point or dtype.is_complex or dtype == _core.bool:
            raise TypeError(f"iinfo() requires an integer input type, got {dtype}")
        self.dtype = dtype_name(dtype)
        self.bits = dtype.itemsize * 8
        self.min = -(2 ** (self.bits - 1)) if dtype.is_signed else 0
        self.max = self.min + 2**self.bits - 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and other.dtype == self.dtype

    def __hash__(self) -> int:
        return hash((iinfo, self.dtype))

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
