"""Tensors from ranges, from buffers, and from the combinations of others' elements."""

from __future__ import annotations

from itertools import combinations as choose
from itertools import combinations_with_replacement as choose_again
from math import comb

from .. import _core
from .._core import Tensor
from .._warning import warn_caller
from ..devices import device as Device
from ..dtypes import UNKNOWN_TO_NUMPY, dtype_name
from ..exchange import from_dlpack, is_capsule
from ..legacy import type_text
from ..storage.mapping import mapped_file
from .arguments import as_size, check_listed, composed
from .shaping import meshgrid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .._core import dtype as DType
    from .._typing import Number
    from ..devices import device

__all__ = [
    "asarray",
    "cartesian_prod",
    "combinations",
    "empty_permuted",
    "empty_strided",
    "from_file",
    "frombuffer",
    "logspace",
    "range",
    "scalar_tensor",
    "vander",
]


def logspace(
    start: Number,
    end: Number,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DType | None = None,
    device: device | str | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """``base ** x`` for `steps` numbers x from `start` to `end`, evenly spaced; of shape (steps,)."""
    kind = _type_with(out, dtype)
    if any(isinstance(x, complex) or (isinstance(x, Tensor) and x.is_complex()) for x in (start, end)):
        if kind is not None and not kind.is_complex:
            own = _core.get_default_dtype().to_complex()
            raise RuntimeError(f"torch.logspace(): inferred dtype {own} can't be safely cast to passed dtype {kind}")
        kind = kind or _core.get_default_dtype().to_complex()
    kind = kind or _core.get_default_dtype()
    wide = _core.complex128 if kind.is_complex else _core.float64
    exponents = _core.linspace(start, end, steps, dtype=wide, device=device)
    powers = (base**exponents).to(kind)
    if out is not None:
        filled: Tensor = _core._put_into_out("logspace", powers, out, ())
        return filled
    return powers.requires_grad_() if requires_grad else powers


def _type_with(out: Tensor | None, dtype: DType | None) -> DType | None:
    if out is not None and dtype not in (None, out.dtype):
        raise RuntimeError(f"dtype {dtype} does not match dtype of out parameter ({out.dtype})")
    return dtype if out is None else out.dtype


def range(
    start: Number = 0,
    end: Number | None = None,
    step: Number = 1,
    *,
    dtype: DType | None = None,
    device: device | str | None = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """``start + i * step`` up to and including `end`. Deprecated: `arange` has Python's bounds."""
    warn_caller(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's range builtin. Instead, use torch.arange, which produces values in [start, end)."
    )
    if end is None:
        start, end = 0, start
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    kind = _type_with(out, dtype) or _core.get_default_dtype()
    count = int((end - start) / step) + 1
    numbers = _core.arange(count, dtype=_core.float64 if kind.is_floating_point else _core.int64, device=device)
    numbers = (numbers * step + start).to(kind)
    if out is not None:
        filled: Tensor = _core._put_into_out("range", numbers, out, ())
        return filled
    return numbers.requires_grad_() if requires_grad else numbers


def from_file(
    filename: str,
    shared: bool | None = None,
    size: int | None = 0,
    *,
    dtype: DType | None = None,
    device: device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """1-D: the first `size` elements of a file, which is mapped into memory.

    With `shared` the file is made if need be, made long enough, and changed with the tensor; without, the tensor is
    the reader's own. RuntimeError if the file cannot be opened or is too short.
    """
    kind = dtype or _core.get_default_dtype()
    count = size or 0
    mapped = mapped_file(filename, bool(shared), count * kind.itemsize)
    if count == 0:
        return _core.empty(0, dtype=kind, device=device, requires_grad=requires_grad)
    return frombuffer(mapped, dtype=kind, requires_grad=requires_grad)


@composed
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of the 1-D `x` as columns, `N` of them (as many as elements), the highest first; (len(x), N)."""
    if x.dim() != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, got {x.dim()} dimensions")
    count = x.numel() if N is None else N
    if count < 0:
        raise RuntimeError(f"N must be non-negative, got {count}")
    whole = x if x.dtype.is_floating_point or x.is_complex() else x.long()
    exponents = _core.arange(count, device=x.device)
    return whole.unsqueeze(1) ** (exponents if increasing else exponents.flip(0))


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All tuples of one element of each 1-D tensor, as rows, the last varying fastest; of one tensor, that itself."""
    for tensor in tensors:
        if tensor.dim() != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(tensor.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return _core.stack([grid.reshape(-1) for grid in meshgrid(*tensors, indexing="ij")], 1)


@composed
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """The combinations of `r` elements of the 1-D `input`, as rows in the order of `itertools`."""
    if input.dim() != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty(0)
    choices = input.numel() + r - 1 if with_replacement and input.numel() else input.numel()
    check_listed("combinations", comb(choices, r) * r)
    chosen = list((choose_again if with_replacement else choose)(_core.arange(input.numel()).tolist(), r))
    places = _core.tensor(chosen, dtype=_core.int64) if chosen else _core.empty((0, r), dtype=_core.int64)
    return input[places]


def empty_strided(
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: DType | None = None,
    device: device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of `size` whose elements lie `stride` apart in memory; of unspecified numbers."""
    size, stride = as_size((size,)), as_size((stride,))
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides ({len(stride)})"
        )
    extent = 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if extent * (dtype or _core.get_default_dtype()).itemsize >= 2**63 and 0 not in size:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(size)} and strides={list(stride)}")
    memory = _core.empty(0 if 0 in size else extent, dtype=dtype, device=device)
    tensor = memory.as_strided(size, stride).detach()
    dense = _core.empty_like(tensor)
    if dense.stride() == stride:
        tensor = dense
    return tensor.requires_grad_() if requires_grad else tensor


def empty_permuted(
    size: Sequence[int],
    physical_layout: Sequence[int],
    *,
    dtype: DType | None = None,
    device: device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A dense tensor of `size` whose axes lie in memory in the order `physical_layout`; of unspecified numbers."""
    size, axes = as_size((size,)), as_size((physical_layout,))
    if len(size) != len(axes):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(size)} is not equal to len(physical_layout) = {len(axes)}"
        )
    for index, axis in enumerate(axes):
        if not 0 <= axis < len(size):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got {axis} at index "
                f"{index}).  NB: negative dims not currently supported; file an issue if you want it."
            )
    if len(set(axes)) != len(axes):
        raise RuntimeError("Duplicate dim not allowed")
    strides, step = [1] * len(size), 1
    for axis in reversed(axes):
        strides[axis] = step
        step *= max(size[axis], 1)
    tensor = _core._lay_out(_core.empty(size, dtype=dtype, device=device), strides)
    return tensor.requires_grad_() if requires_grad else tensor


def scalar_tensor(
    s: Number, *, dtype: DType | None = None, device: device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """A 0-d tensor of the default type (or `dtype`)."""
    kind = dtype or _core.get_default_dtype()
    return _core.tensor(s, dtype=kind, device=device, requires_grad=requires_grad)


def frombuffer(buffer: Any, *, dtype: DType, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A 1-D tensor over the bytes of `buffer` from `offset` on, which it shares: `count` elements, or all that fit."""
    view = memoryview(buffer)
    if view.nbytes == 0 or count == 0:
        raise ValueError(f"both buffer length ({view.nbytes}) and count ({count}) must not be 0")
    if not 0 <= offset < view.nbytes:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({view.nbytes} bytes) - 1"
        )
    rest, size = view.nbytes - offset, dtype.itemsize
    if count < 0 and rest % size:
        raise ValueError(
            f"buffer length ({rest} bytes) after offset ({offset} bytes) must be a multiple of element size ({size})"
        )
    count = rest // size if count < 0 else count
    if count * size > rest:
        raise ValueError(
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({view.nbytes} bytes)"
        )
    from numpy import frombuffer as array_over

    known = UNKNOWN_TO_NUMPY.get(dtype, dtype)
    tensor = _core.from_numpy(array_over(buffer, dtype_name(known), count, offset))
    if known != dtype:
        tensor = tensor.view(dtype)
    return tensor.requires_grad_() if requires_grad else tensor


def asarray(
    obj: Any,
    *,
    dtype: DType | None = None,
    device: device | str | None = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`obj` as a tensor that shares its memory where that is possible, or, with `copy`, never.

    Tensors stay themselves, arrays, buffers (read as `dtype`) and what has ``__dlpack__`` are shared, sequences and
    numbers are copied. ValueError with ``copy=False`` where a copy cannot be avoided.
    """
    if isinstance(obj, Tensor):
        tensor = obj
        shared = obj if dtype in (None, obj.dtype) else None
    elif hasattr(obj, "__array_interface__") and hasattr(obj, "__setitem__"):  # an array, not a NumPy number
        tensor = _core.from_numpy(obj)
        shared = tensor if dtype in (None, tensor.dtype) else None
    elif is_capsule(obj) or (hasattr(obj, "__dlpack__") and not hasattr(obj, "__array_interface__")):
        tensor = from_dlpack(obj)
        shared = tensor if dtype in (None, tensor.dtype) else None
    elif isinstance(obj, (bytes, bytearray, memoryview)):
        tensor = shared = frombuffer(obj, dtype=dtype or _core.get_default_dtype())
    else:
        if copy is False and hasattr(obj, "__array_interface__"):
            raise RuntimeError("can't alias NumPy scalars. Either remove copy=False or transform it in a ndarray. ")
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        shared, tensor = None, _core.tensor(obj, dtype=dtype, device=device)
    if device is not None and Device(device) != tensor.device:
        if copy is False:
            raise ValueError(f"can't alias tensor from device '{tensor.device}' to '{device}'.")
        tensor, shared = tensor.to(device), None
    if shared is None and copy is False:
        before, after = (type_text(kind)[6:-6] for kind in (tensor.dtype, dtype or tensor.dtype))
        raise ValueError(f"can't alias tensor with dtype '{before}' into dtype '{after}'.")
    if shared is None:
        tensor = tensor if dtype is None else tensor.to(dtype)
    elif copy:
        tensor = tensor.clone()
    tensor = tensor.detach() if isinstance(obj, Tensor) and tensor.requires_grad and not requires_grad else tensor
    return tensor.requires_grad_() if requires_grad else tensor
