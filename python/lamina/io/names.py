"""What files call things: PyTorch's names for tensors' parts, and the names that a file of weights may use."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

from .. import _core
from .._core import Tensor
from ..devices import device
from ..nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
from ..rebuilding import DTYPES, rebuild_dtype, rebuild_meta, rebuild_subclass, rebuild_tensor
from ..storage.placing import placed
from ..storage.typed import STORAGE_CLASSES, TypedStorage, typed_storage
from ..storage.untyped import UntypedStorage
from .storages import MetaStorage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from .._core import dtype as DType

__all__ = [
    "DATA_NAMES",
    "TORCH_NAMES",
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "layout_named",
    "rebuild_from_type",
    "rebuild_parameter",
    "rebuild_parameter_with_state",
    "rebuild_strided",
    "rebuild_typed",
    "safe_globals",
    "safe_names",
]


def layout_named(name: str) -> Any:
    """`strided`, the one layout, by its name."""
    if name != str(_core.strided):
        raise RuntimeError(f"load: lamina has no layout {name!r}: tensors are {_core.strided}")
    return _core.strided


def rebuild_strided(
    storage: TypedStorage | MetaStorage,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
    hooks: Any = None,
    metadata: Any = None,
) -> Tensor:
    """A tensor: a part of a storage."""
    if isinstance(storage, MetaStorage):
        return rebuild_meta(storage.dtype, tuple(size), tuple(stride), requires_grad)
    return placed(storage, offset, tuple(size), tuple(stride)).requires_grad_(requires_grad)


def rebuild_typed(
    storage: UntypedStorage | TypedStorage | MetaStorage,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
    hooks: Any,
    dtype: DType,
    metadata: Any = None,
) -> Tensor:
    """The same with a storage of bytes, of numbers of this type."""
    if isinstance(storage, MetaStorage):
        return rebuild_strided(MetaStorage(dtype), offset, size, stride, requires_grad)
    bytes_ = storage if isinstance(storage, UntypedStorage) else storage.untyped()
    return rebuild_strided(typed_storage(bytes_, dtype), offset, size, stride, requires_grad)


def rebuild_parameter(data: Tensor, requires_grad: bool, hooks: Any = None) -> Parameter:
    """A parameter of these numbers."""
    return Parameter(data, requires_grad)


def rebuild_parameter_with_state(data: Tensor, requires_grad: bool, hooks: Any, state: Any) -> Parameter:
    """The same with attributes."""
    parameter = Parameter(data, requires_grad)
    parameter.__dict__.update(state[0] if isinstance(state, tuple) else state)
    return parameter


def rebuild_from_type(function: Any, kind: Any, arguments: tuple[Any, ...], state: Any) -> Any:
    """What `function` makes, as an instance of a subclass of Tensor, with attributes."""
    plain = function(*arguments)
    result = plain if type(plain) is kind else Tensor._make_subclass(kind, plain.detach(), plain.requires_grad)
    if state:
        result.__dict__.update(state[0] if isinstance(state, tuple) else state)
    return result


def _encode(text: str, encoding: str) -> bytes:
    """How old protocols write bytes: as the characters of the same numbers."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"load: bytes are written as latin1, not as {encoding}")
    return text.encode("latin1")


# (module, name) in a file → the object it means here. All of it is data.
TORCH_NAMES: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_strided,
    ("torch._utils", "_rebuild_tensor_v3"): rebuild_typed,
    ("torch._utils", "_rebuild_meta_tensor_no_storage"): rebuild_meta,
    ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): rebuild_parameter_with_state,
    ("torch._tensor", "_rebuild_from_type_v2"): rebuild_from_type,
    ("torch", "Size"): _core.Size,
    ("torch", "device"): device,
    ("torch.serialization", "_get_layout"): layout_named,
    ("torch", "Tensor"): Tensor,
    ("torch.nn.parameter", "Parameter"): Parameter,
    ("torch.storage", "UntypedStorage"): UntypedStorage,
    **{("torch", name): kind for name, kind in STORAGE_CLASSES.items()},
    **{("torch", name): dtype for name, dtype in DTYPES.items()},
}
DATA_NAMES: dict[tuple[str, str], Any] = {
    **TORCH_NAMES,
    ("_codecs", "encode"): _encode,
    ("builtins", "bytearray"): bytearray,
    ("builtins", "complex"): complex,
    ("builtins", "set"): set,
    **{("builtins", kind.__name__): kind for kind in (bool, bytes, dict, float, int, list, str, tuple)},
    ("collections", "Counter"): Counter,
    ("collections", "OrderedDict"): OrderedDict,
    ("lamina.rebuilding", "rebuild_dtype"): rebuild_dtype,
    ("lamina.rebuilding", "rebuild_tensor"): rebuild_tensor,
    ("lamina.rebuilding", "rebuild_subclass"): rebuild_subclass,
    **{
        ("lamina.nn.parameter", kind.__name__): kind
        for kind in (Buffer, Parameter, UninitializedBuffer, UninitializedParameter)
    },
}
# Python 2's names.
DATA_NAMES |= {("__builtin__", name): value for (module, name), value in DATA_NAMES.items() if module == "builtins"}

_safe: list[Any] = []


def add_safe_globals(safe_globals: Sequence[Any]) -> None:
    """Let files of weights name these classes and functions: each may run when such a file is loaded.

    An entry is the object, or a tuple of it and the full name that the file has for it.
    """
    _safe.extend(entry for entry in safe_globals if entry not in _safe)


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` was given."""
    return list(_safe)


def clear_safe_globals() -> None:
    """Forget what `add_safe_globals` was given."""
    _safe.clear()


class safe_globals:  # noqa: N801  # PyTorch's name
    """`add_safe_globals` for the time of a ``with`` block."""

    def __init__(self, safe_globals: Sequence[Any]) -> None:
        self._added = safe_globals

    def __enter__(self) -> None:
        self._before = get_safe_globals()
        add_safe_globals(self._added)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _safe[:] = self._before


def safe_names() -> dict[tuple[str, str], Any]:
    """What `add_safe_globals` was given, by module and name."""
    names = {}
    for entry in _safe:
        value, full = entry if isinstance(entry, tuple) else (entry, f"{entry.__module__}.{entry.__qualname__}")
        # A nested class is written with dots in its name: every split may be the file's.
        parts = full.split(".")
        for cut in range(1, len(parts)):
            names[".".join(parts[:cut]), ".".join(parts[cut:])] = value
    return names
