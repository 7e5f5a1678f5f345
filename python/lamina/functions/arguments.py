"""How composed functions read their arguments: axes counted from either end, and NumPy's spellings of keywords."""

from __future__ import annotations

import operator

from .. import _core
from .._core import Tensor
from .._wrapping import wraps
from ..dtypes import has_gradients

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, ParamSpec, TypeVar

    from .._core import dtype as DType
    from .._typing import Number

    P = ParamSpec("P")
    R = TypeVar("R")

__all__ = [
    "as_number",
    "as_size",
    "check_listed",
    "check_points",
    "check_spacing",
    "composed",
    "composed_as",
    "is_numpy_number",
    "wrap_axes",
    "wrap_axis",
]

_NUMPY_SPELLINGS = (("axis", "dim"), ("keepdims", "keepdim"), ("x1", "input"), ("x2", "other"))


def composed(function: Callable[P, R]) -> Callable[P, R]:
    """Give `function` what every composed function has.

    ``out=`` takes the result; NumPy's ``axis=`` and ``keepdims=`` stand for ``dim`` and ``keepdim``; where something
    else stands for a tensor, a TypeError names the argument.
    """
    return _wrap(function, None)


def composed_as(label: str, *, rounded_once: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`composed`, and the gradient function of what the function makes is called ``<label>Backward0``.

    For functions whose result is always new: an argument given back would be renamed. With `rounded_once`, half
    precision is computed with in float32, and only the result is rounded.
    """
    return lambda function: _wrap(function, label, rounded_once)


def _wrap(function: Callable[P, R], label: str | None, rounded_once: bool = False) -> Callable[P, R]:
    code = function.__code__
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs:
            if "out" in kwargs and "out" not in names:
                out = kwargs.pop("out")
                operands = (*args, *kwargs.values())
                filled: R = _core._put_into_out(function.__name__, call(*args, **kwargs), out, operands)
                return filled
            for numpy_name, name in _NUMPY_SPELLINGS:
                if numpy_name in kwargs and name in names:
                    if name in kwargs:
                        raise TypeError(f"{function.__name__}: got both {name}= and {numpy_name}=; they are the same")
                    kwargs[name] = kwargs.pop(numpy_name)
        try:
            half = _half_precision(args) if rounded_once else None
            if half is None:
                result = function(*args, **kwargs)
            else:
                widened: Any = [x.float() if isinstance(x, Tensor) else x for x in args]
                result = function(*widened, **kwargs).to(half)  # type: ignore[attr-defined]
        except (AttributeError, TypeError):
            plain = _without_numpy_numbers(args)
            if plain is not None:
                return call(*plain, **kwargs)
            _explain_wrong_type(function, dict(zip(names, args)) | kwargs)
            raise
        if label is not None:
            parts: tuple[Any, ...] = result if isinstance(result, tuple) else (result,)
            for part in parts:
                if part.requires_grad:
                    _core._labelled(part, label)
        return result

    return call


def is_numpy_number(value: Any) -> bool:
    """Whether it is a scalar, or an array without axes, of NumPy, which need not be imported."""
    return type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0


def _without_numpy_numbers(args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """`args` with Python's numbers for NumPy's; None if there are none. Looked for only where a call has failed."""
    return tuple(x.item() if is_numpy_number(x) else x for x in args) if any(map(is_numpy_number, args)) else None


def _half_precision(args: Sequence[object]) -> DType | None:
    kinds = {x.dtype for x in args if isinstance(x, Tensor) and has_gradients(x)}
    return kinds.pop() if len(kinds) == 1 and kinds <= {_core.float16, _core.bfloat16} else None


def _explain_wrong_type(function: Callable[..., object], given: dict[str, object]) -> None:
    for name, value in given.items():
        if function.__annotations__.get(name) == "Tensor" and not isinstance(value, Tensor):
            raise TypeError(
                f"{function.__name__}(): argument '{name}' must be Tensor, not {type(value).__name__}"
            ) from None
    if not any(isinstance(value, Tensor) for value in given.values()):
        raise TypeError(f"{function.__name__}(): expected at least one Tensor") from None


def as_tensor_beside(other: Tensor | Number, value: Tensor | Number) -> Tensor:
    """`value`; of a number a tensor, of the type that it takes part in an operation with `other` in."""
    if isinstance(value, Tensor):
        return value
    return _core.tensor(value, dtype=_core.result_type(value, other), device=getattr(other, "device", None))


def as_number(function: str, name: str, value: Number | Tensor) -> Number:
    """A Python number, or that of a 0-d tensor without a gradient. TypeError for other tensors."""
    if not isinstance(value, Tensor):
        return value
    if value.requires_grad or value.dim():
        raise TypeError(f"{function}(): argument '{name}' must be Number, not Tensor")
    number: Number = value.item()
    return number


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


def check_points(name: str, x: Tensor | None, count: int) -> None:
    """RuntimeError unless the 1-D `x` has a number for each of `count` samples."""
    if x is not None and x.dim() == 1 and x.shape[0] != count:
        raise RuntimeError(f"{name}: There must be one `x` value for each sample point")


def check_spacing(name: str, dx: float | None) -> None:
    """RuntimeError for a distance of samples that is complex, or a bool."""
    if isinstance(dx, (bool, complex)):
        raise RuntimeError(f"{name}: expected dx to be a real number, got {dx}")


def check_listed(name: str, count: int) -> None:
    """RuntimeError if `count` numbers or views are more than can be listed one by one: Python would go on for hours."""
    if count > 2**27:
        raise RuntimeError(f"{name}: {count} parts are too many")


def as_size(sizes: Sequence[int | Sequence[int]]) -> tuple[int, ...]:
    """The sizes of ``f(2, 3)`` and of ``f((2, 3))`` alike; a tensor or an array of one number is a number."""
    first = sizes[0] if sizes else ()
    if getattr(first, "ndim", 1) == 0:
        first = operator.index(first)  # type: ignore[arg-type]
        sizes = (first, *sizes[1:])
    return tuple(first) if len(sizes) == 1 and not isinstance(first, int) else tuple(sizes)  # type: ignore[arg-type]
