"""Modules that find out their shapes at the first call."""

from __future__ import annotations

from ... import _core
from ..parameter import is_lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Put before a module class, it makes a lazy form of it.

    The lazy form makes its parameters as UninitializedParameter, and defines ``initialize_parameters(*inputs)``, which
    looks at the inputs' shapes, materializes the parameters and fills them. That runs right before the first forward;
    then the module turns into a `cls_to_become`, the same object with the same parameter objects.
    """

    cls_to_become: type | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        module: Any = self
        self._initialize_hook = module.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize and fill the parameters for the inputs of forward; a subclass defines it."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of this module (not of its children) has no shape yet."""
        module: Any = self
        return any(is_lazy(tensor) for tensor in (*module._parameters.values(), *module._buffers.values()))

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any | None = None) -> None:
        if _core.shape_only_active():  # under nn.resolve a parameter's first numbers are real all the same
            _core.shape_only_suspend()
            try:
                module.initialize_parameters(*args, **(kwargs or {}))
            finally:
                _core.shape_only_resume()
        else:
            module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {module._get_name()} has not been fully initialized by initialize_parameters")
        module._initialize_hook.remove()
        del module._initialize_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become
