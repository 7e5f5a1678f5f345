"""The memory that tensors share, as bytes: ``tensor.untyped_storage()``."""

from __future__ import annotations

import operator
from weakref import WeakValueDictionary

from .. import _core
from .._core import Tensor
from ..devices import device as Device
from ..dtypes import UNKNOWN_TO_NUMPY
from .mapping import mapped_file, mapping_of, shared_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray
    from typing_extensions import Self

    from .._core import dtype as DType
    from .typed import TypedStorage

__all__ = ["UntypedStorage", "untyped_storage"]

_NO_DATA = "Cannot copy out of meta tensor; no data!"
# As long as one exists, there is one for each memory.
_known: WeakValueDictionary[int, UntypedStorage] = WeakValueDictionary()


def untyped_storage(tensor: Tensor) -> UntypedStorage:
    """The memory that `tensor` shares with its base and with whatever else shows it."""
    memory = _core._memory_of(tensor)
    storage = _known.get(_core._memory_id(memory))
    if storage is None:
        storage = UntypedStorage.__new__(UntypedStorage)
        storage._take(memory)
    return storage


class UntypedStorage:
    """A block of memory, as a row of bytes: of a size, of these bytes, or that of a tensor.

    Its bytes can be read, written and, while no tensor shows it, resized. Reading or writing bytes runs what is
    pending. On meta it has a size, and no bytes.
    """

    is_cuda: bool = False
    is_sparse: bool = False

    _memory: Tensor  # all of it, as a row of elements of any type

    def __init__(self, *args: Any, device: Any = None) -> None:
        place = Device("cpu" if device is None else device)
        if len(args) > 1:
            kinds = ", ".join(type(arg).__name__ for arg in args)
            raise TypeError(
                f"torch.UntypedStorage() received an invalid combination of arguments - got ({kinds}), but expected "
                "a size or a sequence of bytes"
            )
        content: Any = args[0] if args else 0
        if hasattr(content, "__index__") and not isinstance(content, Tensor):
            if (size := operator.index(content)) < 0:
                raise RuntimeError(f"UntypedStorage(): the size must not be negative, got {size}")
            self._take(_row(_core.zeros(size, dtype=_core.uint8, device=place)))
            return
        if isinstance(content, Tensor) or not hasattr(content, "__getitem__"):
            raise RuntimeError(f"torch.UntypedStorage(): Expected a sequence type, but got {type(content).__name__}")
        for item in content:
            if not hasattr(item, "__index__"):
                raise RuntimeError(
                    f"torch.UntypedStorage(): tried to construct a storage from a sequence ({type(content).__name__}), "
                    f"but one of the items was of type {type(item).__name__} instead of int"
                )
        data = [operator.index(item) & 255 for item in content]
        self._take(_row(_core.tensor(data, dtype=_core.uint8, device=place)))

    def _take(self, memory: Tensor) -> None:
        if hasattr(self, "_memory"):
            _known.pop(self._cdata, None)
        self._memory = memory
        _known[_core._memory_id(memory)] = self

    def _bytes(self) -> NDArray[Any]:
        """The memory itself, as an array of bytes. What is written there while it exists, tensors see."""
        memory = self._memory
        if memory.is_meta:
            raise NotImplementedError("Not available for 'meta' device type")
        if memory.dtype in UNKNOWN_TO_NUMPY:
            memory = memory.view(UNKNOWN_TO_NUMPY[memory.dtype])
        array: NDArray[Any] = memory.numpy().view("uint8")
        return array

    def _numbers(self, dtype: DType) -> Tensor:
        """The same memory as a row of numbers; what does not make a whole one at the end is left out."""
        memory, size = self._memory, dtype.itemsize
        if memory.dtype == dtype:
            return memory
        if memory.is_meta:
            return _core.empty(self.nbytes() // size, dtype=dtype, device="meta")
        if memory.element_size() == size and dtype != _core.bool:
            return memory.view(dtype)
        count = self.nbytes() // size
        if count * size == self.nbytes() and self.resizable():  # it is nobody else's: let it be of this type
            self._take(_copy_of(self._bytes(), dtype))
            return self._memory
        return _over(self._bytes()[: count * size], dtype)

    @property
    def device(self) -> Device:
        """The CPU, or meta."""
        return self._memory.device

    def data_ptr(self) -> int:
        """The address of the first byte; 0 on meta."""
        return 0 if self._memory.is_meta else self._memory.data_ptr()

    @property
    def _cdata(self) -> int:
        return _core._memory_id(self._memory)

    def nbytes(self) -> int:
        """The size in bytes; so is ``len``."""
        return self._memory.numel() * self._memory.element_size()

    size = __len__ = nbytes

    def element_size(self) -> int:
        """1: the storage is one of bytes."""
        return 1

    def __sizeof__(self) -> int:
        return super().__sizeof__() + self.nbytes()

    def get_device(self) -> int:
        """-1: the CPU."""
        return -1

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            start, stop, step = index.indices(self.nbytes())
            if step != 1:
                raise RuntimeError(f"Trying to slice with a step of {step}, but only a step of 1 is supported")
            part = UntypedStorage.__new__(UntypedStorage)
            part._take(_over(self._bytes()[start:stop], _core.uint8))
            return part
        return int(self._bytes()[self._place(index)])

    def __setitem__(self, index: int | slice, value: int) -> None:
        if not hasattr(value, "__index__"):
            raise RuntimeError(f"can only set storage content with a int types, but got {type(value).__name__} instead")
        if self._memory.is_meta:
            return
        self._bytes()[index if isinstance(index, slice) else self._place(index)] = operator.index(value) & 255

    def _place(self, index: int) -> int:
        if not hasattr(index, "__index__"):
            raise TypeError(f"can't index a torch.UntypedStorage with {type(index).__name__}")
        place = operator.index(index)
        if not -self.nbytes() <= place < self.nbytes():
            raise IndexError(f"index {place} out of range for storage of size {self.nbytes()}")
        return place

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def tolist(self) -> list[int]:
        """The bytes."""
        numbers: list[int] = self._bytes().tolist()
        return numbers

    def __bytes__(self) -> bytes:
        return self._bytes().tobytes()

    def fill_(self, value: int) -> Self:
        """Set all bytes to `value`."""
        self[:] = value
        return self

    def copy_(self, source: UntypedStorage | TypedStorage, non_blocking: bool = False) -> Self:
        """Copy the bytes of `source`. RuntimeError if it is of another size."""
        if not hasattr(source, "untyped"):
            raise TypeError(f"copy_(): argument 'src' (position 1) must be torch.Storage, not {type(source).__name__}")
        other = source.untyped()
        if other.nbytes() != self.nbytes():
            raise RuntimeError(
                f"size does not match, self was {self.nbytes()} bytes but src was {other.nbytes()} bytes"
            )
        if other._memory.is_meta:
            raise NotImplementedError(_NO_DATA)
        if not self._memory.is_meta:
            self._bytes()[:] = other._bytes()
        return self

    def clone(self) -> UntypedStorage:
        """A copy in memory of its own."""
        return untyped_storage(self._memory.clone())

    def __copy__(self) -> UntypedStorage:
        return self.clone()

    def __deepcopy__(self, memo: dict[Any, Any]) -> UntypedStorage:
        # Tensors over this memory, and its other storages, are to share the copy's.
        key = ("storage", self._cdata)
        if key not in memo:
            memo[key] = self.clone()
        copy: UntypedStorage | Tensor = memo[key]
        return untyped_storage(copy) if isinstance(copy, Tensor) else copy

    def __reduce__(self) -> tuple[Any, ...]:
        return UntypedStorage, (bytes(self),)

    def resizable(self) -> bool:
        """Whether `resize_` can be: not while a tensor shows the memory, nor if it is somebody else's."""
        return _core._memory_holders(self._memory) == 1 and _core._memory_owner(self._memory) is None

    def resize_(self, nbytes: int) -> Self:
        """Give it another size; of the bytes, as many as fit are kept."""
        if not self.resizable():
            raise RuntimeError("Trying to resize storage that is not resizable")
        if nbytes < 0:
            raise RuntimeError(f"resize_(): the size must not be negative, got {nbytes}")
        resized = UntypedStorage(nbytes, device=self.device)
        if not self._memory.is_meta:
            kept = min(nbytes, self.nbytes())
            resized._bytes()[:kept] = self._bytes()[:kept]
        self._take(resized._memory)
        return self

    def byteswap(self, dtype: DType) -> None:
        """Turn the order of the bytes in each number of `dtype`, in place."""
        self._bytes().view(f"u{dtype.to_real().itemsize}").byteswap(inplace=True)

    def is_shared(self) -> bool:
        """Whether processes that are forked from now on see the changes of each other."""
        mapping = None if self._memory.is_meta else mapping_of(self._memory)
        return mapping is not None and mapping.shared

    def share_memory_(self) -> Self:
        """Move the memory to where processes that are forked from now on share it."""
        if self._memory.is_meta:
            raise RuntimeError("_share_fd_: only available on CPU")
        if not self.is_shared():
            _core._move_memory(self._memory, _over(shared_bytes(self.nbytes()), _core.uint8))
        return self

    @property
    def filename(self) -> str | None:
        """The file that the memory is mapped to and written to; None for other memory."""
        mapping = None if self._memory.is_meta else mapping_of(self._memory)
        return mapping.filename if mapping is not None and mapping.shared else None

    @classmethod
    def from_file(cls, filename: str, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """The first `nbytes` bytes of a file; with `shared`, it is extended to that size, and written to."""
        return untyped_storage(_over(mapped_file(filename, shared, nbytes), _core.uint8))

    @classmethod
    def from_buffer(
        cls,
        buffer: Any,
        byte_order: str | None = None,
        count: int = -1,
        offset: int = 0,
        *,
        dtype: DType = _core.uint8,
    ) -> UntypedStorage:
        """`count` numbers of a buffer from the byte `offset` on, copied; `byte_order` is theirs: native, little or big.

        Numbers of one byte need none.
        """
        view, size = memoryview(buffer).cast("B"), dtype.itemsize
        if byte_order is None and size > 1:
            raise RuntimeError("function missing required argument 'byte_order' (pos 2)")
        if byte_order not in (None, "native", "little", "big"):
            raise ValueError(f"invalid byte_order '{byte_order}' (expected 'big', 'little', or 'native')")
        rest = len(view) - offset
        if not 0 <= offset <= len(view):
            raise ValueError(
                f"offset must be non-negative and no greater than buffer length ({len(view)}), got {offset}"
            )
        if count < 0 and rest % size:
            raise ValueError(f"buffer size ({rest}) must be a multiple of element size ({size})")
        if count * size > rest:
            raise ValueError(f"buffer has only {rest} elements after offset {offset}, but specified a size of {count}")
        data = view[offset : offset + (rest if count < 0 else count * size)]
        if dtype == _core.bool:
            return untyped_storage(_core.tensor([byte != 0 for byte in data], dtype=dtype))
        storage = UntypedStorage(data)
        storage._numbers(dtype)
        from sys import byteorder

        if byte_order in ("little", "big") and byte_order != byteorder:
            storage.byteswap(dtype)
        return storage

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is pinned for an accelerator: never, since there is none."""
        return False

    def cpu(self) -> Self:
        """The storage itself. NotImplementedError on meta: there are no bytes."""
        if self._memory.is_meta:
            raise NotImplementedError(_NO_DATA)
        return self

    def untyped(self) -> Self:
        """The storage itself."""
        return self

    def type(self) -> str:
        """The name of its class in PyTorch."""
        return "torch.storage.UntypedStorage"

    def __repr__(self) -> str:
        lines = "..." if self._memory.is_meta else "\n".join(f" {number}" for number in self.tolist()) or " "
        return f"{lines}\n[torch.storage.UntypedStorage(device={self.device}) of size {self.nbytes()}]"


def _row(tensor: Tensor) -> Tensor:
    return _core._memory_of(tensor)


def _over(array: NDArray[Any], dtype: DType) -> Tensor:
    from ..functions.creating import frombuffer

    numbers = frombuffer(array, dtype=dtype) if array.size else _core.empty(0, dtype=dtype)
    return _row(numbers).view(dtype)  # which NumPy may not know


def _copy_of(array: NDArray[Any], dtype: DType) -> Tensor:
    return _row(_over(array, dtype).clone())
