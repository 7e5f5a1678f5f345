"""Distinct elements and counts of integers."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import scalar_name
from .arguments import as_tensor_beside, composed, wrap_axis
from .computed import without_derivative
from .counting import searchsorted
from .shaping import movedim

__all__ = ["bincount", "isin", "unique", "unique_consecutive"]

_INTEGERS = (_core.uint8, _core.int8, _core.int16, _core.int32, _core.int64)


@composed
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]:
    """The distinct elements (slices along `dim`) in ascending order.

    With `return_inverse` also where each element went, with `return_counts` how often each occurs. The result is sorted
    whatever `sorted` says.
    """
    rows = _as_rows(input, dim)
    if rows.shape[1:] == (1,):
        values, order = rows.sort(0, stable=True)
        order = order.reshape(-1)
    else:
        order = _core.arange(rows.shape[0], device=rows.device)
        # Least significant column first: a stable sort keeps what the earlier ones put in order.
        for column in reversed(range(rows.shape[1] if rows.shape[0] else 0)):
            order = order[rows[:, column][order].argsort(stable=True)]
        values = rows[order]
    result, group, counts = _first_of_runs(values)
    inverse = _core.empty_like(group).scatter(0, order, group) if return_inverse else group
    name = "_unique2" if dim is None else "unique_dim"
    return _answer(name, input, dim, result, inverse, counts, return_inverse, return_counts)


@composed
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Tensor | tuple[Tensor, ...]:
    """`input` with only the first of each run of equal elements (slices along `dim`)."""
    result, group, counts = _first_of_runs(_as_rows(input, dim))
    return _answer("unique_consecutive", input, dim, result, group, counts, return_inverse, return_counts)


def _as_rows(input: Tensor, dim: int | None) -> Tensor:
    x = input.detach()
    if dim is None:
        return x.reshape((-1, 1))
    dim = wrap_axis(dim, x.dim())
    empty = x.shape.count(0)
    if empty > 1:
        raise RuntimeError("Number of zero sized dimensions is more than one, so unique cannot be applied")
    if empty and x.shape[dim]:
        raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
    slices = movedim(x, dim, 0)
    return slices.reshape((slices.shape[0], slices.numel() // slices.shape[0] if slices.shape[0] else 0))


def _first_of_runs(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(the first row of each run, each row's run, each run's length)."""
    count = rows.shape[0]
    if count == 0:
        none = rows.new_zeros((0,), dtype=_core.int64)
        return rows, none, none
    differs = (rows[1:] != rows[:-1]).any(1)
    starts = _core.cat([differs.new_ones((1,)), differs])
    firsts = starts.nonzero().reshape(-1)
    ends = _core.cat([firsts[1:], firsts.new_full((1,), count)])
    return rows[firsts], starts.long().cumsum(0) - 1, ends - firsts


def _answer(
    name: str,
    input: Tensor,
    dim: int | None,
    rows: Tensor,
    inverse: Tensor,
    counts: Tensor,
    return_inverse: bool,
    return_counts: bool,
) -> Tensor | tuple[Tensor, ...]:
    if dim is None:
        result, inverse = rows.reshape(-1), inverse.reshape(input.shape)
    else:
        dim = wrap_axis(dim, input.dim())
        rest = (*input.shape[:dim], *input.shape[dim + 1 :])
        result = movedim(rows.reshape((rows.shape[0], *rest)), 0, dim).contiguous()
    result = without_derivative(name, result, input)
    if not (return_inverse or return_counts):
        return result
    return (result, *([inverse] if return_inverse else []), *([counts] if return_counts else []))


@composed
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each integer from 0 on occurs in the 1-D `input` (or the sum of its `weights`)."""
    if input.dim() != 1:
        raise RuntimeError(f"bincount only supports 1-d non-negative integral inputs, got shape {list(input.shape)}")
    if input.dtype.is_floating_point or input.dtype == _core.bool:
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{scalar_name(input.dtype)}'")
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, got {minlength}")
    index = input.long()
    if weights is not None and weights.shape != input.shape:
        raise RuntimeError(
            f"weights should be 1-d and have the same length as input, got shapes {list(weights.shape)} and "
            f"{list(input.shape)}"
        )
    if input.numel() == 0:
        return input.new_zeros((minlength,), dtype=_core.int64)
    smallest, largest = index.min(), index.max()  # both are looked for at once
    if int(smallest) < 0:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs, got a negative one")
    if weights is None:
        added = _core.ones_like(index)
    else:
        added = weights.detach() if weights.dtype == _core.float32 else weights.detach().double()
    bins = max(int(largest) + 1, minlength)
    counts = added.new_zeros((bins,)).scatter_add(0, index, added)
    return counts if weights is None else without_derivative("bincount", counts, weights)


@composed
def isin(
    elements: Tensor | float, test_elements: Tensor | float, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Where `elements` occur among `test_elements`: integers are looked for among those in order.

    For other types memory grows with the product of their counts. The result is right whatever `assume_unique` says.
    """
    if isinstance(test_elements, int) and isinstance(elements, Tensor) and elements.dtype in _INTEGERS:
        elements = elements.to(_core.int64)  # which may not be a number of their type
    x, among = as_tensor_beside(test_elements, elements), as_tensor_beside(elements, test_elements)
    x, among = x.detach(), among.detach().reshape(-1)
    if among.numel() > 1 and x.dtype in _INTEGERS and among.dtype in _INTEGERS:
        ordered = among.to(_core.promote_types(x.dtype, among.dtype)).sort()[0]
        place = searchsorted(ordered, x).clamp(max=among.numel() - 1)
        found = _core._gather_within(ordered, 0, place.reshape(-1)).reshape(x.shape) == x
    else:
        found = (x.unsqueeze(-1) == among).any(-1)
    return found.logical_not() if invert else found
