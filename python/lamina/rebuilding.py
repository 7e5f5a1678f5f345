"""Tensors and types as plain data (bytes, names, tuples), and back: what pickle, copy and `lamina.save` go through."""

from __future__ import annotations

from math import prod

from . import _core
from ._core import Tensor
from .dtypes import dtype_name
from .storage.methods import is_shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from ._core import dtype as DType

__all__ = [
    "DTYPES",
    "array_of",
    "rebuild_dtype",
    "rebuild_meta",
    "rebuild_subclass",
    "rebuild_tensor",
    "reduce_dtype",
    "reduce_tensor",
    "tensor_from_bytes",
]

DTYPES: dict[str, DType] = {
    "float32": _core.float32,
    "float64": _core.float64,
    "float16": _core.float16,
    "bfloat16": _core.bfloat16,
    "complex32": _core.complex32,
    "complex64": _core.complex64,
    "complex128": _core.complex128,
    "int64": _core.int64,
    "int32": _core.int32,
    "int16": _core.int16,
    "int8": _core.int8,
    "uint8": _core.uint8,
    "bool": _core.bool,
}


def array_of(tensor: Tensor) -> NDArray[Any]:
    """The numbers of `tensor`, contiguous; shared with it where it is contiguous itself.

    NumPy lacks bfloat16: its bits come as uint16; and complex32: its parts come along a last axis.
    """
    if tensor.dtype == _core.bfloat16:
        return (array_of(tensor.float()).view("uint32") >> 16).astype("uint16")
    if tensor.dtype == _core.complex32:
        return _core.view_as_real(tensor.detach()).contiguous().numpy()
    return tensor.detach().contiguous().numpy()


def tensor_from_bytes(data: Any, dtype: str, shape: tuple[int, ...]) -> Tensor:
    """A new tensor from the little-endian bytes of its elements. ValueError if their number does not fit."""
    if dtype not in DTYPES:
        raise ValueError(f"expected a dtype of {', '.join(DTYPES)}, got {dtype!r}")
    expected = prod(shape) * DTYPES[dtype].itemsize
    if any(size < 0 for size in shape) or len(data) != expected:
        raise ValueError(f"expected {expected} bytes for {dtype} of shape {list(shape)}, got {len(data)}")
    if dtype == "complex32" and expected:
        return _core.view_as_complex(tensor_from_bytes(data, "float16", (*shape, 2)))
    if expected == 0:
        return _core.empty(shape, dtype=DTYPES[dtype], device="cpu")
    from numpy import frombuffer

    letter = {"bool": "b", "bfloat16": "u"}.get(dtype, dtype[0])
    stored = frombuffer(data, dtype=f"<{letter}{DTYPES[dtype].itemsize}")
    array = stored.astype(bool) if dtype == "bool" else stored.astype(stored.dtype.newbyteorder("="))
    if dtype == "bfloat16":  # the upper half of a float32
        return _core.from_numpy((array.astype("uint32") << 16).view("float32").reshape(shape)).bfloat16()
    return _core.from_numpy(array.reshape(shape)).clone()


def reduce_tensor(tensor: Tensor) -> tuple[Any, ...]:
    """What ``Tensor.__reduce_ex__`` returns: the tensor as bytes. A computed tensor comes back as a leaf."""
    if tensor.is_meta:
        plain: tuple[Any, ...] = (tensor.dtype, tuple(tensor.shape), tensor.stride(), tensor.requires_grad)
        if type(tensor) is Tensor:
            return rebuild_meta, plain
        return rebuild_meta_subclass, (type(tensor), *plain), getattr(tensor, "__dict__", None) or None
    if _is_for_another_memory(tensor):
        raise RuntimeError(
            "a tensor in shared memory can be handed to forked processes only: use the start method 'fork', or clone() "
            "the tensor first"
        )
    array = array_of(tensor)
    data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    plain = (data, dtype_name(tensor.dtype), tuple(tensor.shape), tensor.requires_grad)
    if type(tensor) is Tensor:
        return rebuild_tensor, plain if tensor.is_contiguous() else (*plain, _core.empty_like(tensor).stride())
    return rebuild_subclass, (type(tensor), *plain), getattr(tensor, "__dict__", None) or None


def _is_for_another_memory(tensor: Tensor) -> bool:
    """Is the tensor in shared memory, while a process that cannot see it is started with it?"""
    from sys import modules

    context = modules.get("multiprocessing.context")
    return context is not None and context.get_spawning_popen() is not None and is_shared(tensor)


def rebuild_tensor(
    data: bytes,
    dtype: str,
    shape: tuple[int, ...],
    requires_grad: bool,
    strides: tuple[int, ...] | None = None,
) -> Tensor:
    """The tensor that `reduce_tensor` took apart. `strides`: of a dense tensor that is not contiguous."""
    tensor = tensor_from_bytes(data, dtype, shape)
    return (_core._lay_out(tensor, strides) if strides else tensor).requires_grad_(requires_grad)


def rebuild_subclass(kind: type[Any], data: bytes, dtype: str, shape: tuple[int, ...], requires_grad: bool) -> Any:
    """The same for an instance of a subclass of Tensor."""
    return kind._make_subclass(kind, tensor_from_bytes(data, dtype, shape), requires_grad)


def rebuild_meta(dtype: DType, shape: tuple[int, ...], strides: tuple[int, ...], requires_grad: bool) -> Tensor:
    """A tensor on meta."""
    memory = 1 + sum((size - 1) * step for size, step in zip(shape, strides, strict=True)) if 0 not in shape else 0
    tensor = _core.empty(shape, dtype=dtype, device="meta")
    if memory == tensor.numel():
        tensor = _core._lay_out(tensor, strides)
    else:
        tensor = _core.empty(memory, dtype=dtype, device="meta").as_strided(shape, strides)
    return tensor.requires_grad_(requires_grad)


def rebuild_meta_subclass(kind: type[Any], *arguments: Any) -> Any:
    """The same for an instance of a subclass of Tensor."""
    tensor = rebuild_meta(*arguments)
    return kind._make_subclass(kind, tensor.detach(), tensor.requires_grad)


def reduce_dtype(dtype: DType) -> tuple[Any, ...]:
    """A type by its name, for pickle and copy."""
    return rebuild_dtype, (dtype_name(dtype),)


def rebuild_dtype(name: str) -> DType:
    """``lamina.float32`` for ``"float32"``; KeyError for what is no type's name."""
    dtype = getattr(_core, name, None)
    if not isinstance(dtype, _core.dtype):
        raise KeyError(name)
    return dtype
