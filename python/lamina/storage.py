"""What ``Tensor.untyped_storage()`` gives: facts about the memory that a tensor and its base share."""

from __future__ import annotations

from ._core import Tensor

__all__ = ["UntypedStorage"]


class UntypedStorage:
    """The memory under a tensor: where it is, and its size in bytes. It can be compared, not written to."""

    def __init__(self, tensor: Tensor) -> None:
        base = tensor._base
        self._base = tensor if base is None else base

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._base.detach().data_ptr()

    def nbytes(self) -> int:
        """The size in bytes; so is ``len``."""
        return self._base.numel() * self._base.element_size()

    size = __len__ = nbytes

    def element_size(self) -> int:
        """1: the storage is one of bytes."""
        return 1
