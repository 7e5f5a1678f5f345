"""The cold methods of ``Tensor``: composed functions, Python's protocols, printing. Attached once, at import."""

from __future__ import annotations

from copyreg import pickle as pickle_as

from . import _core
from ._core import Tensor
from ._printing import tensor_text
from .autograd.hooks import register_hook, register_post_accumulate_grad_hook
from .devices import device
from .exchange import dlpack_capsule, dlpack_device
from .functions import (
    arranging,
    comparing,
    distinct,
    indexing,
    joining,
    matrices,
    ordering,
    pointwise,
    products,
    reducing,
    sampling,
    scanning,
    shaping,
)
from .functions.aliases import METHOD_ALIASES, adjoint, positive
from .functions.inplace import IN_PLACE, in_place
from .plans import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from ._core import dtype as DType

__all__ = ["METHODS", "is_nonzero", "is_tensor"]

# The functions that are methods of Tensor too, with the tensor as their first argument.
METHODS: tuple[Callable[..., object], ...] = (
    *(arranging.fliplr, arranging.flipud, arranging.repeat, arranging.repeat_interleave, arranging.roll),
    *(arranging.rot90, arranging.tile),
    *(comparing.allclose, comparing.equal, comparing.isclose, comparing.isneginf, comparing.isposinf),
    *(distinct.bincount, distinct.unique, distinct.unique_consecutive),
    *(indexing.argwhere, indexing.index_add, indexing.index_copy, indexing.index_fill, indexing.index_put),
    *(indexing.masked_fill, indexing.masked_scatter, indexing.masked_select, indexing.put),
    *(indexing.select_scatter, indexing.slice_scatter, indexing.take, indexing.take_along_dim),
    *(joining.dsplit, joining.hsplit, joining.tensor_split, joining.vsplit),
    *(matrices.diag, matrices.diag_embed, matrices.diagflat, matrices.diagonal, matrices.trace),
    *(matrices.tril, matrices.triu),
    *(ordering.kthvalue, ordering.median, ordering.nanmedian, ordering.nanquantile, ordering.quantile),
    *(pointwise.addcdiv, pointwise.addcmul, pointwise.deg2rad, pointwise.fmax, pointwise.fmin, pointwise.frac),
    *(pointwise.hypot, pointwise.lerp, pointwise.logaddexp, pointwise.logit, pointwise.nan_to_num),
    *(pointwise.rad2deg, pointwise.sgn, pointwise.sinc, pointwise.xlogy, positive),
    *(products.addbmm, products.addmv, products.addr, products.baddbmm, products.cross, products.ger),
    *(products.inner, products.kron, products.outer, products.vdot),
    *(reducing.aminmax, reducing.count_nonzero, reducing.dist, reducing.nanmean, reducing.nansum),
    sampling.multinomial,
    *(scanning.cummax, scanning.cummin, scanning.diff, scanning.logcumsumexp),
    *(shaping.broadcast_to, shaping.moveaxis, shaping.movedim, shaping.ravel, shaping.swapaxes),
    *(shaping.swapdims, shaping.unfold, shaping.view_as, adjoint),
)


def is_tensor(obj: object) -> bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, Tensor)


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element of `input` is not 0. RuntimeError if it has none or several."""
    return bool(input)


def _unflatten(self: Tensor, dim: int, sizes: Any) -> Tensor:
    return shaping.unflatten(self, dim, sizes)


def _iter(self: Tensor) -> Iterator[Tensor]:
    if self.dim() == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


def _len(self: Tensor) -> int:
    if self.dim() == 0:
        raise TypeError("len() of a 0-d tensor")
    return self.shape[0]


def _contains(self: Tensor, element: object) -> bool:
    if isinstance(element, (Tensor, int, float)):
        return bool((self == element).any())
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


def _reversed(self: Tensor) -> Tensor:
    return self.flip(0) if self.dim() else self


def _format(self: Tensor, spec: str) -> str:
    """A plain 0-d tensor formats as its number."""
    number = type(self) is Tensor and self.dim() == 0
    return format(self.item(), spec) if number else object.__format__(self, spec)


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
    array = self.numpy()
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(f"cannot give a {array.dtype} tensor as {dtype} without a copy")
        return array.astype(dtype)
    return array.copy() if copy else array


def _rdiv(self: Tensor, other: Any) -> Tensor:
    quotient: Tensor = self.reciprocal() * other
    return quotient


def _deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if id(self) in memo:
        known: Tensor = memo[id(self)]
        return known
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment: "
            f"this one was computed (grad_fn={self.grad_fn}); deepcopy its detach()"
        )
    from copy import deepcopy

    data = self.detach().clone()
    kind = type(self)
    if kind is Tensor:
        twin = data.requires_grad_(self.requires_grad)
    else:
        twin = kind._make_subclass(kind, data, self.requires_grad)
    memo[id(self)] = twin
    if self.grad is not None:
        twin.grad = deepcopy(self.grad, memo)
    attributes = getattr(self, "__dict__", None)
    if attributes:
        twin.__dict__.update(deepcopy(attributes, memo))
    return twin


def _reduce_ex(self: Tensor, protocol: Any) -> tuple[Any, ...]:
    from .rebuilding import reduce_tensor

    return reduce_tensor(self)


def _reduce_dtype(dtype: DType) -> tuple[Any, ...]:
    from .rebuilding import reduce_dtype

    return reduce_dtype(dtype)


_CPU = device("cpu")
_TYPE_NAMES = {
    _core.float32: "FloatTensor",
    _core.float64: "DoubleTensor",
    _core.int64: "LongTensor",
    _core.int32: "IntTensor",
    _core.uint8: "ByteTensor",
    _core.bool: "BoolTensor",
}


def _is_inference(self: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return self._is_inference


def _device(self: Tensor) -> device:
    """Where the tensor lives: the CPU, always."""
    return _CPU


def _is_pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the numbers lie in memory pinned for an accelerator: never, since there is none."""
    return False


def _type(self: Tensor, dtype: DType | None = None) -> Tensor | str:
    """The tensor converted to `dtype`; without, the name of its type, such as ``lamina.FloatTensor``."""
    return f"lamina.{_TYPE_NAMES[self.dtype]}" if dtype is None else self.to(dtype)


_PROTOCOLS: tuple[tuple[str, Callable[..., object]], ...] = (
    ("__iter__", _iter),
    ("__len__", _len),
    ("__contains__", _contains),
    ("__reversed__", _reversed),
    ("__format__", _format),
    ("__repr__", tensor_text),
    ("__array__", _array),
    ("__rdiv__", _rdiv),
    ("__deepcopy__", _deepcopy),
    ("__reduce_ex__", _reduce_ex),
    ("__dlpack__", dlpack_capsule),
    ("__dlpack_device__", dlpack_device),
    ("is_inference", _is_inference),
    ("is_pinned", _is_pinned),
    ("plan", plan),
    ("register_hook", register_hook),
    ("register_post_accumulate_grad_hook", register_post_accumulate_grad_hook),
    ("type", _type),
    ("unflatten", _unflatten),
)


def _attach() -> None:
    for function in METHODS:
        setattr(Tensor, function.__name__, function)
    for name, method in _PROTOCOLS:
        setattr(Tensor, name, method)
    for alias, native in METHOD_ALIASES:
        setattr(Tensor, alias, getattr(Tensor, native))
        if hasattr(Tensor, f"{native}_"):
            setattr(Tensor, f"{alias}_", getattr(Tensor, f"{native}_"))
    for function in IN_PLACE:
        setattr(Tensor, f"{function.__name__}_", in_place(function))
    Tensor.device = property(_device)  # type: ignore[assignment, method-assign]
    Tensor._grad = Tensor.grad  # type: ignore[attr-defined]
    Tensor.retains_grad = property(lambda self: self._retains_grad)  # type: ignore[assignment, method-assign]
    Tensor._make_subclass = staticmethod(_core._make_subclass)  # type: ignore[method-assign]
    pickle_as(_core.dtype, _reduce_dtype)


_attach()
