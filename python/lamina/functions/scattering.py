"""Writing into parts of tensors: reductions by index, diagonals, distributions' fills, Python functions by element."""

from __future__ import annotations

from math import inf, pi

from .. import _core
from .._core import Tensor
from .arguments import composed_as, wrap_axis
from .indexing import replaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._core import Generator
    from .._typing import Number

__all__ = ["FILLS", "diagonal_scatter", "index_reduce", "scatter_combined", "scatter_reduce"]


def _identity(reduce: str, dtype: Any) -> float | int | bool:
    if reduce == "prod":
        return 1
    if reduce in ("sum", "mean"):
        return 0
    largest = reduce == "amin"
    if dtype.is_floating_point:
        return inf if largest else -inf
    if dtype == _core.bool:
        return largest
    bits = dtype.itemsize * 8
    signed = dtype != _core.uint8
    top = 2 ** (bits - signed) - 1
    return top if largest else (-top - 1 if signed else 0)


def _reduce_lines(base: Tensor, index: Tensor, source: Tensor, reduce: str, include_self: bool, dim: int) -> Tensor:
    """The elements of `source` with the same place, and the base's, reduced along `dim`."""
    if base.dtype in (_core.float16, _core.bfloat16):  # rounded once
        wide = _reduce_lines(base.float(), index, source.float(), reduce, include_self, dim)
        return wide.to(base.dtype)
    if index.numel() == 0:
        return base.clone()
    touched = base.new_zeros(base.shape, dtype=_core.bool).scatter(dim, index, True)
    neutral = base.new_tensor(_identity(reduce, base.dtype))
    start = base if include_self else _core.where(touched, neutral, base)
    if reduce in ("sum", "mean"):
        total = start.scatter_add(dim, index, source)
        if reduce == "sum":
            return total
        ones = _core.ones_like(index, dtype=_core.int64)
        count = base.new_full(base.shape, int(include_self), dtype=_core.int64).scatter_add(dim, index, ones)
        count = _core.where(touched, count, 1)
        rounding = None if base.dtype.is_floating_point else "floor"
        return total.div(count, rounding_mode=rounding).to(base.dtype)
    if reduce != "prod":
        return _extremes(start, index, source, dim, reduce == "amax")
    # Each round scatters one element a place (the ones not yet taken), so there are as many as an index occurs.
    # Which of the elements with its place an element is: its rank among equals in a stable sort.
    order = index.argsort(dim, stable=True)
    ordered = index.gather(dim, order)
    length = index.shape[dim]
    line = _core.arange(length, device=index.device).reshape((-1, *([1] * (index.dim() - 1 - dim)))).expand(index.shape)
    fresh = _core.ones_like(index, dtype=_core.bool)
    fresh.narrow(dim, 1, max(length - 1, 0)).copy_(
        ordered.narrow(dim, 1, max(length - 1, 0)) != ordered.narrow(dim, 0, max(length - 1, 0))
    )
    rank = line - _core.where(fresh, line, 0).cummax(dim)[0]
    rank = _core.zeros_like(rank).scatter(dim, order, rank)
    turns = 0 if not rank.numel() else 1 if rank.is_meta else int(rank.amax()) + 1
    for turn in range(turns):
        chosen = _core.where(rank == turn, source, neutral)
        # Others of the same place may not write: they go to a place of their own behind the end.
        shape = list(base.shape)
        shape[dim] += 1
        aside = _core.where(rank == turn, index, base.shape[dim])
        spread = neutral.expand(shape).scatter(dim, aside, chosen)
        start = start * spread.narrow(dim, 0, base.shape[dim])
    return start


def _extremes(start: Tensor, index: Tensor, source: Tensor, dim: int, largest: bool) -> Tensor:
    """The largest (smallest) of `start` and of the elements of each place; equal ones share the gradient."""
    known, given = start.detach(), source.detach()
    # In order, NaN last, so that the last one that a place gets is the one.
    if largest or not given.is_floating_point():
        order = given.argsort(dim, descending=not largest)
    else:
        order = (-given).argsort(dim)
    found = known.scatter(dim, index.gather(dim, order), given.gather(dim, order))
    found = _core.maximum(known, found) if largest else _core.minimum(known, found)
    if not (start.requires_grad or source.requires_grad):
        return found
    chosen = (given == found.gather(dim, index)).to(start.dtype)
    own = (known == found).to(start.dtype)
    count = own.scatter_add(dim, index, chosen)
    shared = (start * own).scatter_add(dim, index, source * chosen) / count
    return _core._rebased(found, shared)


def _check_reduce(name: str, reduce: str, allowed: tuple[str, ...]) -> None:
    if reduce not in allowed:
        raise RuntimeError(f"reduce argument must be {', '.join(allowed)}, got {reduce} ({name})")


def _refuse_bools(name: str, input: Tensor) -> None:
    if input.dtype == _core.bool:
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'")


@composed_as("ScatterReduce")
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """`input` with the elements of `src` reduced into the places that `index` says along `dim`.

    `reduce` is "sum", "prod", "mean", "amax" or "amin"; without `include_self` what was at those places does not count.
    """
    _check_reduce("scatter_reduce", reduce, ("sum", "prod", "mean", "amax", "amin"))
    if reduce == "mean":
        _refuse_bools("scatter_reduce", input)
    if input.dtype != src.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    dim = wrap_axis(dim, input.dim())
    if input.dim() == 0:
        lines = _reduce_lines(input.reshape(1), index.reshape(1), src.reshape(1), reduce, include_self, 0)
        return lines.reshape(())
    part = src[tuple(slice(size) for size in index.shape)]
    return _reduce_lines(input, index, part, reduce, include_self, dim)


def scatter_combined(input: Tensor, dim: int, index: Tensor, source: Tensor | Number, reduce: str) -> Tensor:
    """``input.scatter(dim, index, source, reduce=reduce)``: "add" or "multiply", by `scatter_reduce`."""
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if not isinstance(source, Tensor):
        source = input.new_full(index.shape, source)
    combined: Tensor = scatter_reduce(input, dim, index, source, "sum" if reduce == "add" else "prod")
    return combined


@composed_as("IndexReduce")
def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """`input` with the slices of `source` reduced ("prod", "mean", "amax", "amin") into those that `index` names."""
    _check_reduce("index_reduce", reduce, ("prod", "mean", "amax", "amin"))
    _refuse_bools("index_reduce", input)
    dim = wrap_axis(dim, input.dim())
    if input.dim() == 0:
        line: Tensor = index_reduce(input.reshape(1), 0, index, source.reshape(1), reduce, include_self=include_self)
        return line.reshape(())
    input.index_select(dim, index)  # raises IndexError for an index outside; nobody needs its numbers
    places = index.long().reshape((-1, *([1] * (input.dim() - 1 - dim)))).expand(source.shape)
    return _reduce_lines(input, places.contiguous(), source, reduce, include_self, dim)


@composed_as("DiagonalScatter")
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """`input` with `src` as its diagonal."""
    return replaced(input, lambda x: x.diagonal(offset, dim1, dim2), src)


def _uniform(self: Tensor, generator: Generator | None) -> Tensor:
    """Numbers of (0, 1] in double precision: their logarithm is finite."""
    return 1 - _core.rand_like(self, dtype=_core.float64, generator=generator)


def _not_continuous(name: str, tensor: Tensor) -> str:
    return (
        f"{name} distribution is a continuous probability distribution. dtype must be a floating point but you "
        f"specified {tensor.dtype}"
    )


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers of the exponential distribution of rate `lambd`."""
    if lambd <= 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    if not self.dtype.is_floating_point:
        raise RuntimeError(_not_continuous("Exponential", self))
    return self.copy_(-_uniform(self, generator).log() / lambd)


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill with the number of trials, each a success with probability `p`, up to the first success."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    from math import log1p

    return self.copy_((_uniform(self, generator).log() / log1p(-p)).ceil().clamp(min=1))


def cauchy_(self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers of the Cauchy distribution."""
    if sigma <= 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    if not self.dtype.is_floating_point:
        raise RuntimeError(_not_continuous("Cauchy", self))
    return self.copy_(median + sigma * (pi * (_uniform(self, generator) - 0.5)).tan())


def log_normal_(self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers whose logarithm is normally distributed."""
    if std <= 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
    normal = _core.randn_like(self, dtype=_core.float64, generator=generator)
    return self.copy_((mean + std * normal).exp())


def fill_diagonal_(self: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """Fill the main diagonal; `wrap` goes on below the square of a tall matrix, one row left out."""
    if self.dim() < 2:
        raise RuntimeError("dimensions must larger than 1")
    if self.dim() > 2 and len(set(self.shape)) != 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    strides, step = self.stride(), sum(self.stride())
    start = self.storage_offset()
    length = min(self.shape)
    self.as_strided((length,), (step,), start).fill_(fill_value)
    rows, columns = self.shape[0], self.shape[-1]
    if wrap and self.dim() == 2 and rows > columns + 1:
        for row in range(columns + 1, rows, columns + 1):
            count = min(columns, rows - row)
            self.as_strided((count,), (step,), start + row * strides[0]).fill_(fill_value)
    return self


def _by_element(name: str, self: Tensor, others: tuple[Tensor, ...], function: Callable[..., Any]) -> Tensor:
    if self.requires_grad or any(tensor.requires_grad for tensor in others):
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    columns = [tensor.expand(self.shape).reshape(-1).tolist() for tensor in (self, *others)]
    numbers = [function(*row) for row in zip(*columns, strict=True)]
    return self.copy_(_core.tensor(numbers, dtype=self.dtype).reshape(self.shape))


def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replace each element by what a Python function makes of it. Slow: for what has no tensor function."""
    return _by_element("apply_", self, (), callable)


def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replace each element by what a Python function makes of it and the element of `tensor`, which is expanded."""
    return _by_element("map_", self, (tensor,), callable)


def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
    """Replace each element by what a Python function makes of it and of the elements of `x` and `y`."""
    return _by_element("map2_", self, (x, y), callable)


# Methods that fill the tensor.
FILLS: tuple[Callable[..., Tensor], ...] = (
    *(exponential_, geometric_, cauchy_, log_normal_, fill_diagonal_, apply_, map_, map2_),
)
