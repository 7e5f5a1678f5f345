"""In-place forms: each writes the result of its function back into the tensor and returns that."""

from __future__ import annotations

from .. import _core
from .._core import Tensor, can_cast
from .._warning import warn_caller
from . import (
    gamma_family,
    indexing,
    integers,
    matrices,
    pointwise,
    products,
    scattering,
    special_values,
    statistics,
)
from .precision import as_given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["IN_PLACE", "in_place"]


def in_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method ``name_`` of the function or method ``name``, whose first argument it overwrites.

    It raises RuntimeError if the result has another shape, or a type that would lose its category (float to integer).
    """
    name = f"{function.__name__}_"
    apart, marks, reads = function in _SCATTERING, _MARKS.get(name), function in _READING

    def write(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        _core._check_overlap(self, (*args, *kwargs.values()), apart)
        if marks is not None and (repeated := _repeated(self)):
            return _fill_once(self, repeated, name, *marks(self, *args, **kwargs))
        result = function(self.clone() if reads and _core.is_grad_enabled() else self, *args, **kwargs)
        if result.shape != self.shape:
            raise RuntimeError(
                f"{name}: output with shape {list(self.shape)} doesn't match the broadcast shape {list(result.shape)}"
            )
        if not can_cast(result.dtype, self.dtype):
            raise RuntimeError(
                f"{name}: result type {result.dtype} can't be cast to the desired output type {self.dtype}"
            )
        return _core._changed_into(self, result)

    write.__name__ = write.__qualname__ = name
    write.__doc__ = f"In-place form of `{function.__name__}`."
    return as_given(write)  # autocast is for what makes tensors


def _repeated(tensor: Tensor) -> list[int]:
    """The axes along which the same elements are shown over and over."""
    return [axis for axis, (n, step) in enumerate(zip(tensor.shape, tensor.stride())) if n > 1 and step == 0]


def _fill_once(tensor: Tensor, repeated: list[int], name: str, places: Tensor, value: Any) -> Tensor:
    """Each element that one of `places` shows becomes `value`."""
    warn_caller(
        f"Use of {name} on expanded tensors is deprecated. Please clone() the tensor before performing this operation. "
        "This also applies to advanced indexing e.g. tensor[mask] = scalar"
    )
    once, places = tensor, places.expand(tensor.shape)
    for axis in repeated:
        once, places = once.narrow(axis, 0, 1), places.any(axis, keepdim=True)
    once.masked_fill_(places, value)
    return tensor


def _indexed(tensor: Tensor, dim: int, index: Tensor, value: Any) -> tuple[Tensor, Any]:
    nowhere = _core.zeros(tensor.shape, dtype=_core.bool, device=tensor.device)
    return indexing.index_fill(nowhere, dim, index, True), value


# Where the functions that fill do it, and with what, by the name of their in-place form.
_MARKS: dict[str, Callable[..., tuple[Tensor, Any]]] = {
    "index_fill_": _indexed,
    "masked_fill_": lambda tensor, mask, value: (mask, value),
}
# What writes to places that an index names.
_SCATTERING = (
    scattering.index_reduce,
    scattering.scatter_reduce,
    indexing.index_add,
    indexing.index_copy,
    indexing.index_fill,
    indexing.index_put,
    indexing.put,
)
# What reads its operand's numbers for the gradient, which are to be overwritten.
_READING = (gamma_family.igamma, gamma_family.igammac, pointwise.hypot)
# The functions whose in-place form PyTorch has and the core does not.
IN_PLACE: tuple[Callable[..., Tensor], ...] = (
    _core.addmm,
    _core.cumprod,
    _core.cumsum,
    gamma_family.igamma,
    gamma_family.igammac,
    integers.bitwise_left_shift,
    integers.bitwise_right_shift,
    integers.gcd,
    integers.lcm,
    scattering.index_reduce,
    scattering.scatter_reduce,
    special_values.heaviside,
    special_values.ldexp,
    special_values.nextafter,
    statistics.renorm,
    indexing.index_add,
    indexing.index_copy,
    indexing.index_fill,
    indexing.index_put,
    indexing.masked_fill,
    indexing.masked_scatter,
    indexing.put,
    matrices.tril,
    matrices.triu,
    pointwise.addcdiv,
    pointwise.addcmul,
    pointwise.deg2rad,
    pointwise.frac,
    pointwise.hypot,
    pointwise.lerp,
    pointwise.logit,
    pointwise.nan_to_num,
    pointwise.rad2deg,
    pointwise.sinc,
    pointwise.xlogy,
    products.addbmm,
    products.addmv,
    products.addr,
    products.baddbmm,
)
