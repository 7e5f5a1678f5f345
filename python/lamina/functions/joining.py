"""Joining tensors along new or old axes, and splitting them again (parts are views)."""

from __future__ import annotations

from itertools import pairwise

from .. import _core
from .._core import Tensor
from ..legacy import type_text
from .arguments import check_listed, composed, wrap_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "column_stack",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "row_stack",
    "split_with_sizes",
    "tensor_split",
    "unsafe_chunk",
    "unsafe_split",
    "unsafe_split_with_sizes",
    "vsplit",
    "vstack",
]


def _raise_one(x: Tensor, ndim: int) -> Tensor:
    if x.dim() == 0:
        return x.reshape((1,) * ndim)
    if x.dim() == 1 and ndim > 1:
        x = x.unsqueeze(0)
    return x.unsqueeze(-1) if x.dim() < ndim else x


def _atleast(tensors: tuple[Tensor | Sequence[Tensor], ...], ndim: int) -> Tensor | tuple[Tensor, ...]:
    if len(tensors) == 1 and isinstance(tensors[0], Tensor):
        return _raise_one(tensors[0], ndim)
    given: Sequence[Tensor] = tensors[0] if len(tensors) == 1 else tensors  # type: ignore[assignment]
    return tuple(_raised(given, ndim))


def atleast_1d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """Each tensor with at least one dimension."""
    return _atleast(tensors, 1)


def atleast_2d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """Each tensor with at least two dimensions, new ones in front."""
    return _atleast(tensors, 2)


def atleast_3d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """Each tensor with at least three dimensions: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1)."""
    return _atleast(tensors, 3)


def _raised(tensors: Sequence[Tensor], ndim: int) -> list[Tensor]:
    return [_raise_one(tensor, ndim) for tensor in tensors]


def _checked(name: str, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}"
        )
    for place, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"expected Tensor as element {place} in argument 0, but got {type(tensor).__name__}")
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return tensors


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """`tensors` joined along dimension 1 (0 for 1-D ones)."""
    given = _raised(_checked("hstack", tensors), 1)
    return _core.cat(given, 0 if given[0].dim() == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """`tensors` joined along dimension 0; 1-D ones are rows."""
    return _core.cat(_raised(_checked("vstack", tensors), 2), 0)


def row_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Another name of `vstack`."""
    return vstack(tensors)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """`tensors` joined along dimension 2; (n,) counts as (1, n, 1), (m, n) as (m, n, 1)."""
    return _core.cat(_raised(_checked("dstack", tensors), 3), 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """`tensors` joined along dimension 1; 0-d and 1-D ones are columns."""
    return _core.cat([x.reshape((-1, 1)) if x.dim() < 2 else x for x in _checked("column_stack", tensors)], 1)


def _read_cuts(given: Tensor) -> int | list[int]:
    name = "tensor_split expected tensor_indices_or_sections to"
    if given.dtype != _core.int64:
        raise RuntimeError(f"{name} have dtype of long, but got {type_text(given.dtype)[6:-6]}")
    if given.dim() > 1:
        raise RuntimeError(
            f"{name} be a zero-dimensional or one-dimensional tensor, but got a tensor with {given.dim()} dims"
        )
    cuts: int | list[int] = given.tolist()
    return cuts


@composed
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of consecutive parts of `input` of these sizes along `dim`."""
    return input.split(list(split_sizes), dim)


def _copies(parts: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The parts in memory of their own: changed in place, each has its own history."""
    return tuple(part.clone() for part in parts)


@composed
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`chunk` whose results may be changed in place, without an effect on `input` or on each other."""
    return _copies(input.chunk(chunks, dim))


@composed
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`split` whose results may be changed in place, without an effect on `input` or on each other."""
    return _copies(input.split(split_size, dim))


@composed
def unsafe_split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """`split_with_sizes` whose results may be changed in place, without an effect on `input` or on each other."""
    return _copies(input.split(list(split_sizes), dim))


@composed
def tensor_split(input: Tensor, indices_or_sections: int | Sequence[int] | Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of `input` cut along `dim` at the given indices, or into that many parts, the longer ones first."""
    if input.dim() == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    dim = wrap_axis(dim, input.dim())
    length = input.shape[dim]
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = _read_cuts(indices_or_sections)
    if isinstance(indices_or_sections, int):
        sections = indices_or_sections
        if sections <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {sections}")
        check_listed("tensor_split", sections)
        small, longer = divmod(length, sections)
        cuts = [part * small + min(part, longer) for part in range(sections + 1)]
    else:
        # Cuts clamp as slices do; a cut before the last one gives an empty part.
        cuts = [0, *(slice(None, index).indices(length)[1] for index in indices_or_sections), length]
    return tuple(input.narrow(dim, start, max(stop - start, 0)) for start, stop in pairwise(cuts))


@composed
def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 1 (0 if there is only one); a number of sections must divide it."""
    return _even_split("hsplit", input, indices_or_sections, min(1, input.dim() - 1), 1)


@composed
def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 0 of at least two; a number of sections must divide it."""
    return _even_split("vsplit", input, indices_or_sections, 0, 2)


@composed
def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 2 of at least three; a number of sections must divide it."""
    return _even_split("dsplit", input, indices_or_sections, 2, 3)


def _even_split(
    name: str, input: Tensor, indices_or_sections: int | Sequence[int], dim: int, least: int
) -> tuple[Tensor, ...]:
    if input.dim() < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension{'s' if least > 1 else ''}, "
            f"but got a tensor with {input.dim()} dimensions!"
        )
    if isinstance(indices_or_sections, int) and (
        indices_or_sections == 0 or input.shape[dim] % indices_or_sections != 0
    ):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
            f"{input.shape[dim]} is not divisible by the split_size {indices_or_sections}!"
        )
    return tensor_split(input, indices_or_sections, dim)
