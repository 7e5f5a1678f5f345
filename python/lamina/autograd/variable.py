"""``Variable``: what tensors with gradients were called once."""

from __future__ import annotations

from .._core import Tensor

__all__ = ["Variable"]


class _AnyTensor(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, Tensor)


class Variable(metaclass=_AnyTensor):
    """``Variable(data, requires_grad)`` is a tensor over the same numbers; every Tensor is an instance."""

    def __new__(cls, data: Tensor, requires_grad: bool = False) -> Tensor:  # type: ignore[misc]
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)
