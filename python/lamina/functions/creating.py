"""Tensors from ranges, from buffers, and from the combinations of others' elements."""

from __future__ import annotations

from itertools import combinations as choose
from itertools import combinations_with_replacement as choose_again

from .. import _core
from .._core import Tensor
from .arguments import as_size, composed
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
    "empty_strided",
    "frombuffer",
    "logspace",
    "scalar_tensor",
    "vander",
]


@composed
def logspace(
    start: Number,
    end: Number,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DType | None = None,
    device: device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """``base ** x`` for `steps` numbers x from `start` to `end`, evenly spaced; of shape (steps,)."""
    kind = dtype or _core.get_default_dtype()
    exponents = _core.linspace(start, end, steps, dtype=_core.float64, device=device)
    powers = (base**exponents).to(kind)
    return powers.requires_grad_() if requires_grad else powers


@composed
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of the 1-D `x` as columns, `N` of them (as many as elements), the highest first; (len(x), N)."""
    if x.dim() != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, got {x.dim()} dimensions")
    count = x.numel() if N is None else N
    if count < 0:
        raise RuntimeError(f"N must be non-negative, got {count}")
    whole = x if x.dtype.is_floating_point else x.long()
    exponents = _core.arange(count)
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
        return _core.empty(0, dtype=input.dtype)
    chosen = list((choose_again if with_replacement else choose)(range(input.numel()), r))
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
    extent = 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    memory = _core.empty(0 if 0 in size else extent, dtype=dtype, device=device)
    tensor = memory.as_strided(size, stride).detach()
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

    if dtype == _core.bfloat16:
        tensor = _core.from_numpy(array_over(buffer, "int16", count, offset)).view(dtype)
    else:
        tensor = _core.from_numpy(array_over(buffer, str(dtype).rpartition(".")[2], count, offset))
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

    Tensors stay themselves, arrays and buffers (read as `dtype`) are shared, sequences and numbers are copied.
    ValueError with ``copy=False`` where a copy cannot be avoided.
    """
    if isinstance(obj, Tensor):
        shared = obj if dtype in (None, obj.dtype) else None
        tensor = obj if shared is None else shared
    elif hasattr(obj, "__array_interface__") and getattr(obj, "ndim", 0) > 0:
        tensor = _core.from_numpy(obj)
        shared = tensor if dtype in (None, tensor.dtype) else None
    elif isinstance(obj, (bytes, bytearray, memoryview)):
        tensor = shared = frombuffer(obj, dtype=dtype or _core.get_default_dtype())
    else:
        shared, tensor = None, _core.tensor(obj, dtype=dtype, device=device)
    if shared is None and copy is False:
        raise ValueError(f"can't alias {type(obj).__name__} of another type; a copy is needed")
    if shared is None:
        tensor = tensor if dtype is None else tensor.to(dtype)
    elif copy:
        tensor = tensor.clone()
    tensor = tensor.detach() if isinstance(obj, Tensor) and tensor.requires_grad and not requires_grad else tensor
    return tensor.requires_grad_() if requires_grad else tensor
