"""What distributions do with their parameters: broadcasting, and probabilities against logits, sums over events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from .. import _core
from .._core import Tensor
from ..autograd.modes import enable_grad
from ..dtypes import finfo
from ..functions.shaping import broadcast_tensors

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "one_of",
    "probs_to_logits",
    "sum_rightmost",
]


def broadcast_all(*values: Tensor | float) -> list[Tensor]:
    """The values as tensors of one shape; numbers take the dtype of the first tensor, or the default one."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    for value in values:
        if not isinstance(value, (Tensor, int, float)):
            raise ValueError(f"Input arguments must all be instances of Number or Tensor, got {type(value).__name__}")
    dtype = tensors[0].dtype if tensors else _core.get_default_dtype()
    return list(
        broadcast_tensors(*(v if isinstance(v, Tensor) else _core.tensor(float(v), dtype=dtype) for v in values))
    )


class lazy_property:  # noqa: N801  # PyTorch's name
    """A parameter that follows from the one that was given: computed when first asked for, with its gradient."""

    def __init__(self, compute: Callable[[Any], Tensor]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, owner: None, owner_type: type) -> lazy_property: ...
    @overload
    def __get__(self, owner: object, owner_type: type) -> Tensor: ...
    def __get__(self, owner: object | None, owner_type: type) -> lazy_property | Tensor:
        if owner is None:
            return self
        with enable_grad():  # a sample may ask first
            value = self._compute(owner)
        owner.__dict__[self._compute.__name__] = value
        return value


def one_of(name: str, **given: object) -> str:
    """The name of the only one that is not None; ValueError otherwise."""
    present = [key for key, value in given.items() if value is not None]
    if len(present) != 1:
        either = " or ".join(f"`{key}`" for key in given)
        raise ValueError(f"{name}: either {either} must be specified, but not both (got {present or 'none'})")
    return present[0]


def clamp_probs(probs: Tensor) -> Tensor:
    """Away from 0 and 1, so that logarithms are finite."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(eps, 1 - eps)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    inner = clamp_probs(probs)
    return inner.log() - (-inner).log1p() if is_binary else inner.log()


def sum_rightmost(x: Tensor, axes: int) -> Tensor:
    """The sum over the last `axes` axes."""
    return x.sum(tuple(range(-axes, 0))) if axes else x
