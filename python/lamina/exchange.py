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


class _Lender:
    """What NumPy asks for the memory of an array, or of a capsule."""

    def __init__(self, lent: Any) -> None:
        self._lent = lent
        self.says_writable = False

    def __dlpack__(self, **options: Any) -> Any:
        capsule = self._lent if is_capsule(self._lent) else self._lent.__dlpack__(**options)
        # Capsules without a version have no word for memory that is only to be read: it is not lent in them.
        self.says_writable = repr(capsule).startswith('<capsule object "dltensor" ')
        return capsule

    def __dlpack_device__(self) -> Any:
        return _CPU if is_capsule(self._lent) else self._lent.__dlpack_device__()


class _Writable:
    """An array's memory, to write to."""

    def __init__(self, array: Any) -> None:
        self._array = array
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def is_capsule(ext_tensor: object) -> bool:
    """Whether this is what ``__dlpack__`` gives."""
    return type(ext_tensor).__name__ == "PyCapsule"


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of another library's array on the CPU, or of a capsule from ``__dlpack__``."""
    import numpy

    lender = _Lender(ext_tensor)
    array = numpy.from_dlpack(lender)
    if lender.says_writable and not array.flags.writeable:  # NumPy trusts capsules that have a version only
        array = numpy.asarray(_Writable(array))
    return _core.from_numpy(array)
