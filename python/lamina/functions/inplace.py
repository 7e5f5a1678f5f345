"""In-place forms: each writes the result of its function back into the tensor with ``copy_`` and returns the tensor."""

from __future__ import annotations

from .. import _core
from .._core import Tensor, can_cast
from . import (
    bessel,
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
    apart = function in _SCATTERING

    def write(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        _core._check_overlap(self, (*args, *kwargs.values()), apart)
        result = function(self, *args, **kwargs)
        if result.shape != self.shape:
            raise RuntimeError(
                f"{name}: output with shape {list(self.shape)} doesn't match the broadcast shape {list(result.shape)}"
            )
        if not can_cast(result.dtype, self.dtype):
            raise RuntimeError(
                f"{name}: result type {result.dtype} can't be cast to the desired output type {self.dtype}"
            )
        return self.copy_(result)

    write.__name__ = write.__qualname__ = name
    write.__doc__ = f"In-place form of `{function.__name__}`."
    return as_given(write)  # autocast is for what makes tensors


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
# The functions whose in-place form PyTorch has and the core does not.
IN_PLACE: tuple[Callable[..., Tensor], ...] = (
    _core.addmm,
    _core.cumprod,
    _core.cumsum,
    bessel.i0,
    gamma_family.igamma,
    gamma_family.igammac,
    integers.bitwise_left_shift,
    integers.bitwise_right_shift,
    integers.gcd,
    integers.lcm,
    scattering.index_reduce,
    scattering.scatter_reduce,
    special_values.digamma,
    special_values.heaviside,
    special_values.ldexp,
    special_values.lgamma,
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
