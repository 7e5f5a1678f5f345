"""Order statistics, composed from sort."""

from __future__ import annotations

from math import inf
from operator import index

from .. import _core, return_types
from .._core import Tensor
from ..looking import holds_somewhere
from .arguments import composed, composed_as, wrap_axis
from .pointwise import lerp
from .precision import in_float32
from .shaping import movedim

__all__ = ["kthvalue", "median", "nanmedian", "nanquantile", "quantile"]


def _rows(name: str, input: Tensor, dim: int) -> tuple[Tensor, int]:
    """`input`, at least 1-D, and `dim` from the front."""
    if input.dtype == _core.bool:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")
    dim = wrap_axis(dim, input.dim())
    x = input if input.dim() else input.reshape(1)
    if x.shape[dim] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")
    return x, dim


def _pick(input: Tensor, x: Tensor, where: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    picked = _core._gather_within(x, dim, where)
    if input.dim() == 0:
        return picked.reshape(()), where.reshape(())
    return (picked, where) if keepdim else (picked.squeeze(dim), where.squeeze(dim))


@composed_as("Kthvalue")
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> return_types.kthvalue:
    """The `k`-th smallest element along `dim`, counted from 1, and where it is. NaN counts as largest."""
    x, dim = _rows("kthvalue", input, dim)
    if not 1 <= k <= x.shape[dim]:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}")
    where = x.detach().topk(k, dim, largest=False)[1].narrow(dim, k - 1, 1).clone()
    return return_types.kthvalue(*_pick(input, x, where, dim, keepdim))


def _middle(input: Tensor, dim: int, keepdim: bool, skip_nan: bool) -> tuple[Tensor, Tensor]:
    x, dim = _rows("median", input, dim)
    last = x.shape[dim] - 1
    order = x.detach().argsort(dim, stable=True)
    if x.dtype.is_floating_point:
        nans = x.detach().isnan().sum(dim, True)
        # The middle of the numbers; or the first NaN, which sits behind all of them.
        rank = (last - nans).clamp(min=0) // 2 if skip_nan else _core.where(nans > 0, last + 1 - nans, last // 2)
        where = _core._gather_within(order, dim, rank)
    else:
        where = order.narrow(dim, last // 2, 1).clone()
    return _pick(input, x, where, dim, keepdim)


def _middle_of_all(input: Tensor, skip_nan: bool) -> Tensor:
    if input.numel() == 0:
        if not input.is_floating_point():  # the least number, as NaN converted to the type
            return input.new_full((), float("nan"), dtype=_core.float32).to(input.dtype)
        return input.new_full((), float("nan"))
    value = _middle(input.detach().reshape(-1), 0, False, skip_nan)[0]
    if not input.requires_grad:
        return value
    # Equal elements share the gradient evenly, as amax's do.
    chosen = (input == value) | (input.isnan() & value.isnan())
    return _core._labelled(_core.where(chosen, input, -inf).amax(), "Nanmedian" if skip_nan else "Median")


@composed
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | return_types.median:
    """The middle element (the lower of two), of all or along `dim` with its position; NaN if there is one."""
    if dim is None:
        return _middle_of_all(input, False)
    values, indices = _middle(input, dim, keepdim, False)
    return return_types.median(_core._labelled(values, "Median@1"), indices)


@composed
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | return_types.nanmedian:
    """`median` of the elements that are not NaN."""
    if dim is None:
        return _middle_of_all(input, True)
    values, indices = _middle(input, dim, keepdim, True)
    return return_types.nanmedian(_core._labelled(values, "Nanmedian@1"), indices)


def _quantile(
    name: str, input: Tensor, q: float | Tensor, dim: int | None, keepdim: bool, interpolation: str, skip_nan: bool
) -> Tensor:
    if not input.dtype.is_floating_point:
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype, got {input.dtype}")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if input.numel() == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if isinstance(q, Tensor):
        if q.dim() > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor, got shape {list(q.shape)}")
        if q.dtype != input.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor, got {q.dtype}")
        if holds_somewhere(~((q >= 0) & (q <= 1))):
            raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
        levels = q
    else:
        if not isinstance(q, (int, float)):
            raise TypeError(f"{name}(): argument 'q' (position 2) must be Tensor or float, not {type(q).__name__}")
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
        levels = input.new_tensor(q)
    whole = dim is None or input.dim() == 0
    axis = 0 if dim is None else wrap_axis(index(dim), input.dim())
    values = (input.reshape(-1) if whole else movedim(input, axis, -1)).sort(-1)[0]
    others, last = values.shape[:-1], values.shape[-1] - 1
    nans = values.detach().isnan().sum(-1, True)
    if skip_nan:
        rank = levels * (last - nans).clamp(min=0).to(input.dtype)
    else:
        # The last of a row with a NaN is NaN.
        rank = _core.where(nans > 0, float(last), levels * last)
    rank = rank.expand((*others, levels.numel()))
    below, above = rank.detach().floor(), rank.detach().ceil()
    if interpolation == "lower":
        above = below
    elif interpolation == "higher":
        below = above
    elif interpolation == "nearest":
        below = above = rank.detach().round()
    result = values.gather(-1, below.long())
    if interpolation in ("linear", "midpoint"):
        weight = rank - below if interpolation == "linear" else _core.full_like(below, 0.5)
        result = lerp(result, values.gather(-1, above.long()), weight)
    result = movedim(result, -1, 0)
    if keepdim:
        result = result.reshape((-1, *([1] * input.dim()))) if whole else result.unsqueeze(axis + 1)
    return result.squeeze(0) if levels.dim() == 0 else result


@in_float32
@composed
def quantile(
    input: Tensor,
    q: float | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The `q`-quantiles (a number or a 1-D tensor of them, which come first in the result) of all or along `dim`."""
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@in_float32
@composed
def nanquantile(
    input: Tensor,
    q: float | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """`quantile` of the elements that are not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)
