"""How composed functions read their arguments: axes counted from either end, and NumPy's spellings of keywords."""

from __future__ import annotations

from functools import wraps

from .._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

__all__ = ["as_size", "composed", "wrap_axes", "wrap_axis"]

_NUMPY_SPELLINGS = (("axis", "dim"), ("keepdims", "keepdim"))


def composed(function: Callable[P, R]) -> Callable[P, R]:
    """Give `function` what every composed function has.

    NumPy's ``axis=`` and ``keepdims=`` stand for ``dim`` and ``keepdim``; where something else stands for a tensor, a
    TypeError names the argument.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs:
            for numpy_name, name in _NUMPY_SPELLINGS:
                if numpy_name in kwargs and name in names:
                    if name in kwargs:
                        raise TypeError(f"{function.__name__}: got both {name}= and {numpy_name}=; they are the same")
                    kwargs[name] = kwargs.pop(numpy_name)
        try:
            return function(*args, **kwargs)
        except AttributeError:
            given = dict(zip(names, args)) | kwargs
            for name, value in given.items():
                if function.__annotations__.get(name) == "Tensor" and not isinstance(value, Tensor):
                    raise TypeError(
                        f"{function.__name__}(): argument '{name}' must be Tensor, not {type(value).__name__}"
                    ) from None
            raise

    code = function.__code__
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return call


def wrap_axis(axis: int, ndim: int) -> int:
    """`axis` counted from the front; 0 and -1 are legal for a 0-d tensor. IndexError if it is out of range."""
    limit = max(ndim, 1)
    if not -limit <= axis < limit:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {axis})")
    return axis + limit if axis < 0 else axis


def wrap_axes(axes: int | Sequence[int], ndim: int) -> list[int]:
    """Each of `axes` counted from the front. RuntimeError if one occurs twice."""
    wrapped = [wrap_axis(axis, ndim) for axis in ((axes,) if isinstance(axes, int) else axes)]
    if len(set(wrapped)) != len(wrapped):
        raise RuntimeError(f"repeated dim in {tuple(wrapped)}: each dimension may appear only once")
    return wrapped


def as_size(sizes: Sequence[int | Sequence[int]]) -> tuple[int, ...]:
    """The sizes of ``f(2, 3)`` and of ``f((2, 3))`` alike."""
    first = sizes[0] if sizes else ()
    return tuple(first) if len(sizes) == 1 and not isinstance(first, int) else tuple(sizes)  # type: ignore[arg-type]
