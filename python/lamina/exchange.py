"""DLPack, the protocol by which array libraries lend each other their memory, through NumPy's side of it."""

from __future__ import annotations

from . import _core
from ._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["dlpack_capsule", "dlpack_device", "from_dlpack", "is_capsule"]

_CPU = (1, 0)  # kDLCPU, the first


def dlpack_capsule(self: Tensor, **options: Any) -> Any:
    """``Tensor.__dlpack__``: the tensor's own memory. BufferError if it requires a gradient, which would be lost."""
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    return self.numpy().__dlpack__(**options)


def dlpack_device(self: Tensor) -> tuple[int, int]:
    """``Tensor.__dlpack_device__``: the CPU."""
    return _CPU


class _Lent:
    """A capsule in the form that NumPy takes."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    __dlpack_device__ = dlpack_device


def is_capsule(ext_tensor: object) -> bool:
    """Whether this is what ``__dlpack__`` gives."""
    return type(ext_tensor).__name__ == "PyCapsule"


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of another library's array on the CPU, or of a capsule from ``__dlpack__``."""
    from numpy import from_dlpack as lent

    return _core.from_numpy(lent(_Lent(ext_tensor) if is_capsule(ext_tensor) else ext_tensor))
