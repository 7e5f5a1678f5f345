"""Objects to pickles in which tensors are parts of storages, under the names that PyTorch reads."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from types import FunctionType
from typing import Any, ClassVar

from .. import _core
from .._core import Tensor
from ..devices import device
from ..nn.parameter import Parameter
from ..rebuilding import rebuild_meta
from ..storage.typed import STORAGE_CLASSES, TypedStorage, storage_class, typed_storage
from ..storage.untyped import UntypedStorage, untyped_storage
from .names import (
    TORCH_NAMES,
    layout_named,
    rebuild_from_type,
    rebuild_parameter,
    rebuild_parameter_with_state,
    rebuild_strided,
    rebuild_typed,
)
from .storages import SavedStorages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

__all__ = ["TensorPickler"]

_NAMES = {id(value): name for name, value in TORCH_NAMES.items()}


# The pickler written in Python, since the one in C writes no name of a module that is not there.
class TensorPickler(pickle._Pickler):
    """Pickles to `file`; the storages that the pickle refers to are in `storages` then."""

    dispatch: ClassVar[Any] = dict(pickle._Pickler.dispatch)
    write: Any  # of the base, where its stub is silent
    memoize: Any

    def __init__(self, file: IO[bytes], protocol: int, *, views: bool = False) -> None:
        super().__init__(file, protocol)
        self.storages = SavedStorages()
        self._views = views

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, (TypedStorage, UntypedStorage)):
            return None
        if isinstance(obj, TypedStorage):
            storage, dtype, kind = obj.untyped(), obj.dtype, storage_class(obj.dtype)
        else:
            storage, dtype, kind = obj, _core.uint8, UntypedStorage
        number = self.storages.place(storage, dtype)
        identity = ("storage", kind, str(number), "cpu", self.storages.count(number))
        return (*identity, None) if self._views else identity

    def reducer_override(self, obj: Any) -> Any:
        """Tensors, and what belongs to them, as calls of the functions that rebuild them."""
        kind = type(obj)
        if kind is Tensor:
            return self._reduce_tensor(obj)
        if kind is Parameter:
            arguments: tuple[Any, ...] = (obj.data, obj.requires_grad, OrderedDict())
            if not obj.__dict__:
                return rebuild_parameter, arguments
            return rebuild_parameter_with_state, (*arguments, obj.__dict__)
        plain: Any = Tensor.__reduce_ex__
        if isinstance(obj, Tensor) and kind.__reduce_ex__ is plain:
            state = getattr(obj, "__dict__", None) or None
            rebuild, arguments = self._reduce_tensor(obj)
            return rebuild_from_type, (rebuild, kind, arguments, state)
        if kind is _core.Size:
            return _core.Size, (tuple(obj),)
        if kind is device:
            return device, (str(obj),)
        if obj is _core.strided:
            return layout_named, (str(obj),)
        return NotImplemented

    def _reduce_tensor(self, tensor: Tensor) -> tuple[Any, ...]:
        if tensor.is_meta:
            return rebuild_meta, (tensor.dtype, tuple(tensor.shape), tuple(tensor.stride()), tensor.requires_grad)
        plain = tensor.detach().clone() if _core._has_gaps(tensor) else tensor
        storage = untyped_storage(plain)
        layout: tuple[Any, ...] = (
            *(plain.storage_offset(), tuple(plain.shape), plain.stride()),
            *(tensor.requires_grad, OrderedDict()),
        )
        if tensor.dtype == _core.complex32:  # there is no old class of such storages
            return rebuild_typed, (storage, *layout, tensor.dtype)
        return rebuild_strided, (typed_storage(storage, tensor.dtype), *layout)

    def save_global(self, obj: Any, name: str | None = None) -> None:
        known = _NAMES.get(id(obj))
        if known is None:
            super().save_global(obj, name)  # type: ignore[misc]
        else:
            self._save_name(obj, known)

    def _save_name(self, obj: Any, name: tuple[str, str]) -> None:
        self.write(pickle.GLOBAL + "\n".join((*name, "")).encode("ascii"))
        self.memoize(obj)

    def _save_torch_name(self, obj: Any) -> None:
        self._save_name(obj, _NAMES[id(obj)])

    dispatch[FunctionType] = save_global
    dispatch[type(STORAGE_CLASSES["FloatStorage"])] = _save_torch_name
    dispatch[_core.dtype] = _save_torch_name
