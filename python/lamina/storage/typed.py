"""The memory that tensors share, as numbers: ``tensor.storage()``, and the old classes, one a type."""

from __future__ import annotations

import operator

from .. import _core
from .._core import Tensor
from .._warning import warn_caller_once
from ..devices import device as Device
from .untyped import UntypedStorage, untyped_storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from typing_extensions import Self

    from .._core import dtype as DType

__all__ = ["STORAGE_CLASSES", "TypedStorage", "storage_class", "type_name", "typed_storage", "warn_of_typed_storage"]


def warn_of_typed_storage() -> None:
    """PyTorch's notice, once a process."""
    warn_caller_once(
        "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage "
        "class. This should only matter to you if you are using storages directly.  To access UntypedStorage directly, "
        "use tensor.untyped_storage() instead of tensor.storage()"
    )


def typed_storage(storage: UntypedStorage, dtype: DType) -> TypedStorage:
    """The storage as numbers of `dtype`, without the notice that this is deprecated."""
    typed = TypedStorage.__new__(TypedStorage)
    typed._untyped_storage, typed.dtype = storage, dtype
    return typed


class TypedStorage:
    """A block of memory as a row of numbers: of a size, of these numbers, or that of `wrap_storage`. Deprecated.

    The type is `dtype`, or the default one.
    """

    is_cuda: bool = False
    is_sparse: bool = False
    if TYPE_CHECKING:
        dtype: DType
    _untyped_storage: UntypedStorage

    def __init__(
        self, *args: Any, wrap_storage: UntypedStorage | None = None, dtype: DType | None = None, device: Any = None
    ) -> None:
        warn_of_typed_storage()
        _build(self, "TypedStorage", args, wrap_storage, dtype, device)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        return super().__new__(cls)

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return self._untyped_storage

    @property
    def _numbers(self) -> Tensor:
        return self._untyped_storage._numbers(self.dtype)

    @property
    def _cdata(self) -> int:
        return self._untyped_storage._cdata

    @property
    def device(self) -> Device:
        """The CPU, or meta."""
        return self._untyped_storage.device

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._untyped_storage.data_ptr()

    def nbytes(self) -> int:
        """The size in bytes."""
        return self._untyped_storage.nbytes()

    def element_size(self) -> int:
        """Bytes a number."""
        return self.dtype.itemsize

    def size(self) -> int:
        """How many numbers there are; so is ``len``."""
        return self.nbytes() // self.element_size()

    __len__ = size

    def __sizeof__(self) -> int:
        return super().__sizeof__() + self.nbytes()

    def get_device(self) -> int:
        """-1: the CPU."""
        return -1

    def __getitem__(self, index: int) -> float:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if self.device.type == "meta":
            raise NotImplementedError("Not available for 'meta' device type")
        number: float = self._numbers[self._place(index)].item()
        return number

    def __setitem__(self, index: int | slice, value: Any) -> None:
        if isinstance(value, (TypedStorage, UntypedStorage)):
            raise RuntimeError(f"cannot set item with value type {type(value)}")
        self._numbers[index if isinstance(index, slice) else self._place(index)] = value

    def _place(self, index: int) -> int:
        if not hasattr(index, "__index__") or isinstance(index, Tensor):
            raise RuntimeError(f"can't index a {type(self)} with {type(index)}")
        place = operator.index(index)
        if not -self.size() <= place < self.size():
            raise IndexError(f"index {place} out of range for storage of size {self.size()}")
        return place

    def __iter__(self) -> Iterator[float]:
        return iter(self.tolist())

    def tolist(self) -> list[float]:
        """The numbers."""
        if self.device.type == "meta":
            raise NotImplementedError("Not available for 'meta' device type")
        numbers: list[float] = self._numbers.tolist()
        return numbers

    def fill_(self, value: float) -> Self:
        """Set all numbers to `value`."""
        self[:] = value
        return self

    def copy_(self, source: UntypedStorage | TypedStorage, non_blocking: bool = False) -> Self:
        """Copy the bytes of `source`, whatever its type. RuntimeError if it is of another size."""
        self._untyped_storage.copy_(source)
        return self

    def clone(self) -> TypedStorage:
        """A copy in memory of its own."""
        return typed_storage(self._untyped_storage.clone(), self.dtype)

    def __copy__(self) -> TypedStorage:
        return self.clone()

    def __deepcopy__(self, memo: dict[Any, Any]) -> TypedStorage:
        return typed_storage(self._untyped_storage.__deepcopy__(memo), self.dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        return typed_storage, (self._untyped_storage, self.dtype)

    def resizable(self) -> bool:
        """As of `UntypedStorage`."""
        return self._untyped_storage.resizable()

    def resize_(self, size: int) -> Self:
        """Let there be `size` numbers; as many as fit are kept."""
        self._untyped_storage.resize_(size * self.element_size())
        return self

    def is_shared(self) -> bool:
        """As of `UntypedStorage`."""
        return self._untyped_storage.is_shared()

    def share_memory_(self) -> Self:
        """As of `UntypedStorage`."""
        self._untyped_storage.share_memory_()
        return self

    @property
    def filename(self) -> str | None:
        """As of `UntypedStorage`."""
        return self._untyped_storage.filename

    @classmethod
    def from_file(cls, filename: str, shared: bool = False, size: int = 0) -> TypedStorage:
        """The first `size` numbers of a file; with `shared`, it is extended to that size, and written to."""
        dtype = getattr(cls, "dtype", None) or _core.get_default_dtype()
        return typed_storage(UntypedStorage.from_file(filename, shared, size * dtype.itemsize), dtype)

    @classmethod
    def from_buffer(cls, buffer: Any, byte_order: str | None = None, count: int = -1, offset: int = 0) -> TypedStorage:
        """`count` numbers of a buffer from the byte `offset` on, copied; `byte_order` is theirs: native, little or big.

        Numbers of one byte need none.
        """
        dtype = getattr(cls, "dtype", None) or _core.get_default_dtype()
        return typed_storage(UntypedStorage.from_buffer(buffer, byte_order, count, offset, dtype=dtype), dtype)

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is pinned for an accelerator: never, since there is none."""
        return False

    def cpu(self) -> Self:
        """The storage itself. NotImplementedError on meta: there are no numbers."""
        self._untyped_storage.cpu()
        return self

    def _to(self, dtype: DType) -> TypedStorage:
        return typed_storage(untyped_storage(self._numbers.clone().to(dtype)), dtype)

    def pickle_storage_type(self) -> str:
        """The name of the class for its type."""
        return _NAMES[self.dtype]

    def type(self, dtype: str | None = None) -> str | TypedStorage:
        """The name of the class for its type, ``"torch.FloatStorage"``; or the numbers converted to another one's."""
        if dtype is None:
            return f"torch.{_NAMES[self.dtype]}"
        return self._to(STORAGE_CLASSES[dtype.rpartition(".")[2]].dtype)

    def __repr__(self) -> str:
        lines = ["..."] if self.device.type == "meta" else [f" {number}" for number in self.tolist()] or [" "]
        kind = f"dtype={self.dtype}, device={self.device}"
        return "\n".join([*lines, f"[torch.storage.TypedStorage({kind}) of size {len(self)}]"])


def _build(self: TypedStorage, name: str, args: tuple[Any, ...], wrap: Any, dtype: Any, device: Any) -> None:
    expected = (
        f"{name}.__new__ received an invalid combination of arguments. Expected one of:\n * no arguments\n"
        " * (int size)\n * (Sequence data)\n * (*, UntypedStorage wrap_storage)\n"
    )
    if wrap is not None:
        if args:
            raise RuntimeError(f"{expected}No positional arguments should be given when using 'wrap_storage'")
        if dtype is None:
            raise RuntimeError(f"{expected}Argument 'dtype' must be specified")
        if not isinstance(dtype, _core.dtype):
            raise TypeError(f"{expected}Argument 'dtype' must be torch.dtype, not {type(dtype)}")
        if device is not None:
            raise RuntimeError(f"{expected}Argument 'device' should not be specified when 'wrap_storage' is given")
        if not isinstance(wrap, UntypedStorage):
            raise TypeError(f"{expected}Argument 'wrap_storage' must be UntypedStorage, but got {type(wrap)}")
        self._untyped_storage, self.dtype = wrap, dtype
        return
    if len(args) > 1:
        raise RuntimeError(f"{expected}Too many positional arguments")
    content: Any = args[0] if args else 0
    place = Device("cpu" if device is None else device)
    self.dtype = _core.get_default_dtype() if dtype is None else dtype
    if isinstance(content, Tensor) or not (hasattr(content, "__index__") or hasattr(content, "__getitem__")):
        raise TypeError(f"{expected}Argument type not recognized: {type(content)}")
    if isinstance(content, str):
        raise TypeError("new(): invalid data type 'str'")
    if hasattr(content, "__index__"):
        numbers = _core.zeros(operator.index(content), dtype=self.dtype, device=place)
    else:
        data = content if hasattr(content, "__array_interface__") else list(content)
        numbers = _core.tensor(data, dtype=self.dtype, device=place)
    self._untyped_storage = untyped_storage(numbers)


class _OldClass(type):
    """The class of the old classes: they make typed storages, and those of their dtype are their instances."""

    if TYPE_CHECKING:
        dtype: DType

    def __call__(cls, *args: Any, **kwargs: Any) -> TypedStorage:
        warn_of_typed_storage()
        name = str(cls)
        for given in ("dtype", "device"):
            if given in kwargs:
                raise RuntimeError(f"{name}.__new__: '{given}' cannot be specified")
        wrap = kwargs.pop("wrap_storage", None)
        if kwargs:
            raise TypeError(f"TypedStorage.__new__() got an unexpected keyword argument '{next(iter(kwargs))}'")
        storage = TypedStorage.__new__(TypedStorage)
        _build(storage, name, args, wrap, cls.dtype, None)
        return storage

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype == cls.dtype


_NAMES = {
    _core.bfloat16: "BFloat16Storage",
    _core.bool: "BoolStorage",
    _core.uint8: "ByteStorage",
    _core.int8: "CharStorage",
    _core.complex128: "ComplexDoubleStorage",
    _core.complex64: "ComplexFloatStorage",
    _core.float64: "DoubleStorage",
    _core.float32: "FloatStorage",
    _core.float16: "HalfStorage",
    _core.int32: "IntStorage",
    _core.int64: "LongStorage",
    _core.int16: "ShortStorage",
}
# By name; PyTorch's files name the types of their storages so.
STORAGE_CLASSES: dict[str, Any] = {
    name: _OldClass(
        name, (TypedStorage,), {"dtype": dtype, "__module__": "lamina", "__doc__": f"Storages of {dtype}. Deprecated."}
    )
    for dtype, name in _NAMES.items()
}


def type_name(dtype: DType) -> str:
    """What messages on storages call the type: ``"float"``."""
    return _NAMES[dtype].removesuffix("Storage").lower()


def storage_class(dtype: DType) -> Any:
    """The old class of storages of this type."""
    return STORAGE_CLASSES[_NAMES[dtype]]


def _conversion(name: str, dtype: DType) -> Callable[[Any], TypedStorage]:
    def method(self: TypedStorage | UntypedStorage) -> TypedStorage:
        numbers = self if isinstance(self, TypedStorage) else typed_storage(self, _core.uint8)
        return numbers if numbers.dtype == dtype else numbers._to(dtype)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"The numbers, converted to {dtype}."
    return method


for _dtype, _class in _NAMES.items():
    _name = _class.removesuffix("Storage").lower().replace("complex", "complex_")
    for _kind in (TypedStorage, UntypedStorage):
        setattr(_kind, _name, _conversion(_name, _dtype))
