"""Pickles to objects; of a file of weights nothing but data, by names that are known to be harmless."""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict
from importlib import import_module
from pickle import UnpicklingError
from typing import Any, ClassVar

from .._core import Tensor
from ..storage import TypedStorage
from .names import DATA_NAMES, TORCH_NAMES, safe_names
from .storages import MetaStorage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["tensor_unpickler"]


def tensor_unpickler(
    file: Any,
    storage_of: Callable[[Any], TypedStorage | MetaStorage],
    weights_only: bool,
    pickle_module: Any,
    **options: Any,
) -> Any:
    """An unpickler of `file` that asks `storage_of` for storages by what the pickle says of them."""
    base = _DataUnpickler if weights_only else (pickle_module or pickle).Unpickler

    class TensorUnpickler(base):  # type: ignore[misc, valid-type]
        def persistent_load(self, identity: Any) -> TypedStorage | MetaStorage:
            return storage_of(identity)

        def find_class(self, module: str, name: str) -> Any:
            known = TORCH_NAMES.get((module, name))
            if known is not None:
                return known
            if module.split(".")[0] == "torch" and not weights_only:
                return _counterpart(module, name)
            return super().find_class(module, name)

    return TensorUnpickler(file, **options)


def _counterpart(module: str, name: str) -> Any:
    """What lamina has under PyTorch's name."""
    try:
        return getattr(import_module("lamina" + module.removeprefix("torch")), name)
    except (ImportError, AttributeError):
        raise UnpicklingError(f"load: the file names {module}.{name}, which lamina does not have") from None


class _DataUnpickler(pickle._Unpickler):
    """Refuses every name but those of data and those that the user said are safe."""

    dispatch: ClassVar[Any] = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: Any, **options: Any) -> None:
        super().__init__(file, **options)
        self._names = {**DATA_NAMES, **safe_names()}
        self._safe = list(safe_names().values())
        own = tuple(value for value in self._safe if isinstance(value, type))
        self._with_attributes: tuple[type, ...] = (OrderedDict, Counter, Tensor, *own)

    def load(self) -> Any:
        """The object. UnpicklingError for what is no pickle, EOFError for what is no whole one."""
        try:
            return super().load()
        except EOFError as error:
            raise EOFError("load: Weights only load failed: the pickle is truncated") from error
        except (UnpicklingError, RuntimeError, ValueError):
            raise
        except Exception as error:
            raise UnpicklingError(f"load: Weights only load failed: the pickle is damaged ({error!r})") from error

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._names:
            return self._names[module, name]
        if module.split(".")[0] == "torch" and self._safe:
            try:
                here = _counterpart(module, name)
            except UnpicklingError:
                pass
            else:
                if any(here is safe for safe in self._safe):
                    return here
        raise UnpicklingError(
            f"load: Weights only load failed. Unsupported global: GLOBAL {module}.{name} was not an allowed global by "
            f"default. Please use `torch.serialization.add_safe_globals([{name}])` to allowlist it if you trust it, "
            "or load with weights_only=False if you trust the file: that can run any code its author chose"
        )

    def load_build(self) -> None:
        """Set attributes, of objects only whose class is data: never of classes and functions."""
        target: Any = self.stack[-2]  # type: ignore[attr-defined]
        if not isinstance(target, self._with_attributes):
            raise UnpicklingError(
                "load: Weights only load failed. Can only build Tensor, Parameter, OrderedDict or types allowlisted "
                f"via `add_safe_globals`, but got {type(target)}"
            )
        super().load_build()  # type: ignore[misc]

    dispatch[pickle.BUILD[0]] = load_build
