"""The cold methods of ``Tensor``: composed functions, Python's protocols, printing. Attached once, at import."""

from __future__ import annotations

from copyreg import pickle as pickle_as

from . import _core
from ._core import Tensor
from ._printing import tensor_text
from .autograd.hooks import register_hook, register_post_accumulate_grad_hook
from .exchange import dlpack_capsule, dlpack_device
from .functions import (
    arranging,
    comparing,
    copying,
    counting,
    distinct,
    gamma_family,
    histograms,
    indexing,
    integers,
    joining,
    matrices,
    ordering,
    pointwise,
    products,
    properties,
    reducing,
    sampling,
    scanning,
    scattering,
    shaping,
    special_values,
    statistics,
)
from .functions.aliases import (
    METHOD_ALIASES,
    adjoint,
    is_conj,
    is_neg,
    positive,
    resolve_conj,
    resolve_neg,
)
from .functions.arguments import as_size, is_numpy_number
from .functions.creating import empty_strided
from .functions.inplace import IN_PLACE, in_place
from .functions.properties import get_device, is_inference, is_nonzero, is_same_size, is_signed
from .legacy import legacy_tensor, type_named, type_text
from .plans import plan
from .storage.methods import STORAGE_METHODS
from .storage.placing import copied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from ._core import dtype as DType
    from ._core import memory_format as MemoryFormat

__all__ = ["ELSEWHERE", "METHODS", "index_put_"]

# What PyTorch's tensors may be, and lamina's, dense and in the CPU's memory, are not.
ELSEWHERE = (
    *("is_cuda", "is_ipu", "is_mps", "is_xla", "is_xpu"),
    *("is_mkldnn", "is_nested", "is_quantized", "is_sparse", "is_sparse_csr"),
)
# The functions that are methods of Tensor too, with the tensor as their first argument.
METHODS: tuple[Callable[..., object], ...] = (
    *(arranging.fliplr, arranging.flipud, arranging.repeat, arranging.repeat_interleave, arranging.roll),
    *(arranging.rot90, arranging.tile),
    *(comparing.allclose, comparing.isclose, comparing.isneginf, comparing.isposinf),
    *(gamma_family.igamma, gamma_family.igammac, histograms.histc, histograms.histogram),
    *(counting.mode, counting.msort, copying.narrow_copy),
    *(integers.bitwise_left_shift, integers.bitwise_right_shift, integers.gcd, integers.lcm),
    *(indexing.as_strided_scatter, scattering.diagonal_scatter, scattering.index_reduce, scattering.scatter_reduce),
    *(
        special_values.float_power,
        special_values.float_power_,
        special_values.frexp,
        special_values.heaviside,
        special_values.ldexp,
    ),
    *(special_values.logaddexp2, special_values.nextafter),
    *(statistics.corrcoef, statistics.cov, statistics.renorm),
    *(distinct.bincount, distinct.unique, distinct.unique_consecutive),
    *(indexing.argwhere, indexing.index_add, indexing.index_copy, indexing.index_fill, indexing.index_put),
    *(indexing.masked_fill, indexing.masked_scatter, indexing.masked_select, indexing.nonzero_static, indexing.put),
    *(indexing.select_scatter, indexing.slice_scatter, indexing.take, indexing.take_along_dim),
    *(joining.dsplit, joining.hsplit, joining.split_with_sizes, joining.tensor_split, joining.vsplit),
    *(joining.unsafe_chunk, joining.unsafe_split, joining.unsafe_split_with_sizes),
    *(matrices.diag, matrices.diag_embed, matrices.diagflat, matrices.trace),
    *(matrices.tril, matrices.triu),
    *(ordering.kthvalue, ordering.median, ordering.nanmedian, ordering.nanquantile, ordering.quantile),
    *(pointwise.addcdiv, pointwise.addcmul, pointwise.deg2rad, pointwise.fmax, pointwise.fmin, pointwise.frac),
    *(
        pointwise.hardshrink,
        pointwise.hypot,
        pointwise.lerp,
        pointwise.logaddexp,
        pointwise.logit,
        pointwise.nan_to_num,
    ),
    *(pointwise.rad2deg, pointwise.sinc, pointwise.xlogy, positive),
    *(products.addbmm, products.addmv, products.addr, products.baddbmm, products.ger),
    *(products.inner, products.kron, products.outer, products.vdot),
    *(reducing.aminmax, reducing.count_nonzero, reducing.dist, reducing.nanmean, reducing.nansum),
    *(sampling.multinomial, properties.angle, properties.isreal, properties.to_dense),
    *(scanning.cummax, scanning.cummin, scanning.diff, scanning.logcumsumexp),
    *(shaping.broadcast_to, shaping.moveaxis, shaping.movedim, shaping.ravel, shaping.swapaxes),
    *(shaping.reshape_as, shaping.swapdims, shaping.view_as, adjoint),
    *(is_conj, is_neg, resolve_conj, resolve_neg),
)


def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """`Tensor.index_put_` as a function."""
    return input.index_put_(indices, values, accumulate)


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
    if isinstance(element, (Tensor, int, float)) or is_numpy_number(element):
        return bool((self == element).any())
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


def _reversed(self: Tensor) -> Tensor:
    return self.flip(0) if self.dim() else self


def _format(self: Tensor, spec: str) -> str:
    """A plain 0-d tensor formats as its number."""
    number = type(self) is Tensor and self.dim() == 0 and not self.is_meta and not _core._is_example(self)
    return format(self.item(), spec) if number else object.__format__(self, spec)


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
    array = self.numpy()
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(f"cannot give a {array.dtype} tensor as {dtype} without a copy")
        return array.astype(dtype)
    return array.copy() if copy else array


def _array_wrap(self: Tensor, array: NDArray[Any], context: Any = None, return_scalar: bool = False) -> Tensor:
    """What NumPy's functions give for tensors is a tensor again; truths come as uint8, as in PyTorch."""
    from numpy import asarray

    numbers = asarray(array)
    return _core.from_numpy(numbers.astype("uint8") if numbers.dtype == bool else numbers)


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

    shared = _core._memory_holders(self) > 1 and not _core._has_gaps(self)
    data = copied(self, memo) if shared else self.detach().clone()
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
    for name in {slot for base in kind.__mro__ for slot in base.__dict__.get("__slots__", ())}:
        if hasattr(self, name):
            setattr(twin, name, deepcopy(getattr(self, name), memo))
    return twin


def _copy(self: Tensor) -> Tensor:
    """A tensor object of its own for the same numbers."""
    data, kind = self.detach(), type(self)
    if kind is Tensor:
        twin = data.requires_grad_(self.requires_grad)
    else:
        twin = kind._make_subclass(kind, data, self.requires_grad)
    twin.__dict__.update(getattr(self, "__dict__", None) or {})
    return twin


def _reduce_ex(self: Tensor, protocol: Any) -> tuple[Any, ...]:
    from .rebuilding import reduce_tensor

    return reduce_tensor(self)


def _reduce_dtype(dtype: DType) -> tuple[Any, ...]:
    from .rebuilding import reduce_dtype

    return reduce_dtype(dtype)


def _is_pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the numbers lie in memory pinned for an accelerator: never, since there is none."""
    return False


def _type(self: Tensor, dtype: DType | str | type | None = None) -> Tensor | str:
    """The tensor converted to `dtype`; without, the name of its type, such as ``torch.FloatTensor``."""
    text = type_text(self.dtype)
    if self.is_meta:
        text = text.replace("torch.", "torch.meta.")
    return text if dtype is None else self.to(type_named(dtype))


def _new(self: Tensor, *args: Any, size: Any = None, device: Any = None) -> Tensor:
    """A tensor of this one's type, by the rules of the old constructors: `new(2, 3)`, `new([1, 2])`."""
    return legacy_tensor(self.dtype, args if size is None else tuple(size), device).to(self.device)


def _resize_as_(self: Tensor, the_template: Tensor, *, memory_format: MemoryFormat | None = None) -> Tensor:
    """Resize to the shape of another tensor, and (preserve_format) to its memory format."""
    if memory_format is _core.preserve_format:
        last = {4: _core.channels_last, 5: _core.channels_last_3d}.get(the_template.dim())
        keeps = last and not the_template.is_contiguous() and the_template.is_contiguous(memory_format=last)
        memory_format = last if keeps else _core.contiguous_format
    return self.resize_(tuple(the_template.shape), memory_format=memory_format)


def _new_empty_strided(self: Tensor, size: Any, stride: Any, *, dtype: DType | None = None, **kwargs: Any) -> Tensor:
    """`empty_strided` of this tensor's type."""
    return empty_strided(size, stride, dtype=dtype or self.dtype, **kwargs)


def _sum_to_size(self: Tensor, *size: Any) -> Tensor:
    """Sum the dimensions that broadcasting from `size` would add or stretch."""
    wanted = as_size(size)
    if not wanted:
        return self.sum()
    lead = self.dim() - len(wanted)
    fits = lead >= 0 and all(n in (1, m) for n, m in zip(wanted, self.shape[max(lead, 0) :], strict=False))
    if not fits:
        raise RuntimeError(f"size {{{list(wanted)}}} is not expandable to size {{{list(self.shape)}}}.")
    kept = [axis + lead for axis, n in enumerate(wanted) if n == 1 and self.shape[axis + lead] != 1]
    axes = [*range(lead), *kept]
    return (self.sum(axes, True) if axes else self).reshape(wanted)


def _polygamma(self: Tensor, n: int) -> Tensor:
    """`polygamma`, whose first argument is no tensor."""
    result: Tensor = gamma_family.polygamma(n, self)
    return result


def _polygamma_(self: Tensor, n: int) -> Tensor:
    """In-place form of `polygamma`."""
    return _core._changed_into(self, gamma_family.polygamma(n, self))


def _mvlgamma_(self: Tensor, p: int) -> Tensor:
    """In-place form of `mvlgamma`."""
    return _core._changed_into(self, gamma_family.multigammaln(self, p))


# Methods that are functions of modules which are loaded when one is first called: by module, and `inverse` by `inv`.
_LATE = (
    ("linalg", ("cholesky_inverse", "cholesky_solve", "det", "inverse", "logdet", "matrix_exp", "matrix_power")),
    ("linalg.former", ("cholesky", "cross", "lu", "lu_solve", "pinverse", "qr", "slogdet", "svd", "triangular_solve")),
    ("linalg.reflections", ("geqrf", "orgqr", "ormqr")),
    ("nn.functional.short_time", ("istft", "stft")),
)


def _late_method(module: str, name: str) -> Callable[..., Any]:
    function = "inv" if name == "inverse" else name

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        from importlib import import_module

        return getattr(import_module(f"lamina.{module}"), function)(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`lamina.{module}.{function}` of this tensor."
    return method


_PROTOCOLS: tuple[tuple[str, object], ...] = (
    ("__iter__", _iter),
    ("__len__", _len),
    ("__contains__", _contains),
    ("__reversed__", _reversed),
    ("__format__", _format),
    ("__repr__", tensor_text),
    ("__array__", _array),
    ("__array_wrap__", _array_wrap),
    ("__rdiv__", _rdiv),
    ("__copy__", _copy),
    ("__deepcopy__", _deepcopy),
    ("__reduce_ex__", _reduce_ex),
    ("__dlpack__", dlpack_capsule),
    ("__dlpack_device__", dlpack_device),
    ("is_inference", is_inference),
    ("is_nonzero", is_nonzero),
    ("is_pinned", _is_pinned),
    ("new", _new),
    ("plan", plan),
    ("register_hook", register_hook),
    ("register_post_accumulate_grad_hook", register_post_accumulate_grad_hook),
    ("type", _type),
    ("unflatten", _unflatten),
    *((method.__name__, method) for method in STORAGE_METHODS),
    ("resize_as_", _resize_as_),
    ("new_empty_strided", _new_empty_strided),
    ("sum_to_size", _sum_to_size),
    ("is_same_size", is_same_size),
    ("swapaxes_", Tensor.transpose_),
    ("swapdims_", Tensor.transpose_),
    ("is_signed", is_signed),
    ("get_device", get_device),
    *integers.SHIFT_OPERATORS,
    ("mvlgamma", gamma_family.multigammaln),
    ("polygamma", _polygamma),
    ("mvlgamma_", _mvlgamma_),
    ("polygamma_", _polygamma_),
    ("__array_priority__", 1000),
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
    for module, names in _LATE:
        for name in names:
            setattr(Tensor, name, _late_method(module, name))
    for function in scattering.FILLS:
        setattr(Tensor, function.__name__, function)
    for function in IN_PLACE:
        setattr(Tensor, f"{function.__name__}_", in_place(function))
    Tensor._grad = Tensor.grad  # type: ignore[attr-defined]
    Tensor.nbytes = property(lambda self: self.numel() * self.element_size())  # type: ignore[assignment, method-assign]
    Tensor._cdata = property(id)  # type: ignore[attr-defined]  # a number that no other tensor has
    Tensor.retains_grad = property(lambda self: self._retains_grad)  # type: ignore[assignment, method-assign]
    for name in ELSEWHERE:
        setattr(Tensor, name, property(lambda self: False))
    Tensor.is_cpu = property(lambda self: not self.is_meta)  # type: ignore[assignment, method-assign]
    Tensor._make_subclass = staticmethod(_core._make_subclass)  # type: ignore[method-assign]
    pickle_as(_core.dtype, _reduce_dtype)


_attach()
