"""DLPack, the protocol by which array libraries lend each other their memory, through NumPy's side of it."""

from __future__ import annotations

from . import _core
from ._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["dlpack_capsule", "dlpack_device", "from_dlpack"]

_CPU = (1, 0)  # kDLCPU, the first


def dlpack_capsule(self: Tensor, **options: Any) -> Any:
    """``Tensor.__dlpack__``: the tensor's own memory. BufferError if it requires a gradient, which would be lost."""
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    return self.numpy().__dlpack__(**options)


def dlpack_device(self: Tensor) -> tuple[int, int]:
    """``Tensor.__dlpack_device__``: the CPU."""
    return _CPU


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of another library's array on the CPU."""
    from numpy import from_dlpack as lent

    return _core.from_numpy(lent(ext_tensor))
