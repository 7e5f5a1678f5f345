"""PyTorch's ``*_copy`` functions: what the view function of that name gives, in memory of its own."""

from __future__ import annotations

from .._core import Tensor, contiguous_format, view_as_complex, view_as_real
from .arguments import composed, wrap_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "alias_copy",
    "as_strided_copy",
    "detach_copy",
    "diagonal_copy",
    "expand_copy",
    "narrow_copy",
    "permute_copy",
    "select_copy",
    "slice_copy",
    "split_copy",
    "split_with_sizes_copy",
    "squeeze_copy",
    "t_copy",
    "transpose_copy",
    "unbind_copy",
    "unfold_copy",
    "unsqueeze_copy",
    "view_as_complex_copy",
    "view_as_real_copy",
    "view_copy",
]


def _copying_of(function: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    def copy(input: Tensor) -> Tensor:
        return function(input).clone(memory_format=contiguous_format)

    copy.__name__ = copy.__qualname__ = f"{function.__name__}_copy"
    copy.__doc__ = f"`{function.__name__}`, copied."
    return composed(copy)


def _copying(name: str) -> Callable[..., Any]:
    def copy(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        result = getattr(input, name)(*args, **kwargs)
        if isinstance(result, tuple):
            return tuple(part.clone(memory_format=contiguous_format) for part in result)
        return result.clone(memory_format=contiguous_format)

    copy.__name__ = copy.__qualname__ = f"{name}_copy"
    copy.__doc__ = f"`Tensor.{name}`, copied."
    return composed(copy)


@composed
def alias_copy(input: Tensor) -> Tensor:
    """`input`, copied."""
    return input.clone(memory_format=contiguous_format)


@composed
def slice_copy(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    """The slice ``start:end:step`` along `dim`, copied."""
    where = (*([slice(None)] * wrap_axis(dim, input.dim())), slice(start, end, step))
    return input[where].clone(memory_format=contiguous_format)


as_strided_copy = _copying("as_strided")
detach_copy = _copying("detach")
diagonal_copy = _copying("diagonal")
expand_copy = _copying("expand")
narrow_copy = _copying("narrow")
permute_copy = _copying("permute")
select_copy = _copying("select")
split_copy = _copying("split")
split_with_sizes_copy = _copying("split_with_sizes")
squeeze_copy = _copying("squeeze")
t_copy = _copying("t")
transpose_copy = _copying("transpose")
unbind_copy = _copying("unbind")
unfold_copy = _copying("unfold")
unsqueeze_copy = _copying("unsqueeze")
view_as_complex_copy = _copying_of(view_as_complex)
view_as_real_copy = _copying_of(view_as_real)
view_copy = _copying("view")
