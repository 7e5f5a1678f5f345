"""The memory that a tensor and its base share, seen as bytes or as numbers: ``untyped_storage()``, ``storage()``."""

from __future__ import annotations

from ._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._core import dtype as DType

__all__ = ["TypedStorage", "UntypedStorage"]


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


class TypedStorage:
    """The memory under a tensor as a row of numbers, which can be read and changed. Deprecated in PyTorch."""

    def __init__(self, tensor: Tensor) -> None:
        self._untyped = UntypedStorage(tensor)
        base = self._untyped._base.detach()
        self._numbers = base.as_strided((base.numel(),), (1,), 0)

    @property
    def dtype(self) -> DType:
        """The type of the numbers."""
        return self._numbers.dtype

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._untyped.data_ptr()

    def __sizeof__(self) -> int:
        return super().__sizeof__() + self.nbytes()

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return self._untyped

    def nbytes(self) -> int:
        """The size in bytes."""
        return self._untyped.nbytes()

    def element_size(self) -> int:
        """Bytes a number."""
        return self._numbers.element_size()

    def size(self) -> int:
        """How many numbers there are; so is ``len``."""
        return self._numbers.numel()

    __len__ = size

    def __getitem__(self, index: int) -> float:
        if not isinstance(index, int):
            raise TypeError(f"can't index a {type(self).__name__} with {type(index).__name__}")
        number: float = self._numbers[index].item()
        return number

    def __setitem__(self, index: int | slice, value: float) -> None:
        self._numbers[index] = value

    def __iter__(self) -> Iterator[float]:
        return iter(self.tolist())

    def fill_(self, value: float) -> TypedStorage:
        """Set all numbers to `value`."""
        self._numbers.fill_(value)
        return self

    def tolist(self) -> list[float]:
        """The numbers."""
        numbers: list[float] = self._numbers.tolist()
        return numbers

    def __repr__(self) -> str:
        lines = [f" {number}" for number in self.tolist()]
        return "\n".join([*lines, f"[torch.storage.TypedStorage(dtype={self.dtype}, device=cpu) of size {len(self)}]"])
