"""The tree of modules, parameters and buffers: attribute rules, registration, look-up and traversal."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ...legacy import typename
from ..hooks import after_hooks, buffer_registration_hooks, module_registration_hooks, parameter_registration_hooks
from ..parameter import Buffer, Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from .module import Module

__all__ = ["ModuleTree"]


class ModuleTree:
    """The part of Module that knows its children; use Module itself."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _non_persistent_buffers_set: set[str]
    if TYPE_CHECKING:
        _modules: dict[str, Module | None]

    # How errors and profiles call this module below the one that calls it: the name it was last registered under.
    _scope_name: str | None
    # Lists and dicts of modules are never called themselves, so their name becomes part of their children's.
    _names_a_scope: bool = True

    # Attributes: parameters, buffers and children live in registries, everything else in __dict__.

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        usual = cls.__getattr__ is ModuleTree.__getattr__ and cls.__getattribute__ is object.__getattribute__
        _core.use_fast_slots(cls, usual)

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        try:
            if name in (registry := own["_parameters"]):
                return registry[name]
            if name in (registry := own["_modules"]):
                return registry[name]
            if name in (registry := own["_buffers"]):
                return registry[name]
        except KeyError:
            raise AttributeError(
                f"'{type(self).__name__}' object has no attribute '{name}': Module.__init__() has not run yet. "
                "Call super().__init__() first in __init__"
            ) from None
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Tensor) and isinstance(value, Parameter):
            self._require_init("assign parameters")
            self._drop(name, keep="_parameters")
            self.register_parameter(name, value)
        elif name in own.get("_parameters", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as parameter '{name}' (nn.Parameter or None expected); "
                    "to change its numbers, write to them under no_grad, e.g. with copy_"
                )
            own["_parameters"][name] = None
        elif isinstance(value, ModuleTree):
            self._require_init("assign module")
            self._drop(name, keep="_modules")
            self._adopt(name, value)  # type: ignore[arg-type]
        elif name in own.get("_modules", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as child module '{name}' (nn.Module or None expected)"
                )
            own["_modules"][name] = None
        elif isinstance(value, Tensor) and isinstance(value, Buffer):
            self._require_init("assign buffers")
            if name not in own["_buffers"]:
                self._drop(name)
            self.register_buffer(name, value, getattr(value, "persistent", True))
        elif name in own.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"cannot assign '{type(value).__name__}' as buffer '{name}' (Tensor or None expected)")
            if buffer_registration_hooks:
                value = after_hooks(buffer_registration_hooks, self, name, value)
            own["_buffers"][name] = value
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for registry in (self._parameters, self._buffers, self._modules):
            if name in registry:
                del registry[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[:1].isdigit())  # "0" is no legal attribute to complete

    def _require_init(self, what: str) -> None:
        if "_modules" not in self.__dict__:
            raise AttributeError(f"cannot {what} before Module.__init__() call; call super().__init__() first")

    def _drop(self, name: str, keep: str = "") -> None:
        """Forget `name` everywhere but in the registry `keep`, so that it can be registered there."""
        own = self.__dict__
        own.pop(name, None)
        for registry in ("_parameters", "_buffers", "_modules"):
            if registry != keep:
                own[registry].pop(name, None)
        own["_non_persistent_buffers_set"].discard(name)

    # Registration

    def _check_name(self, name: object, kind: str, registry: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in registry and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add `param` under `name`; None reserves the name, as a layer without bias does."""
        self._require_init("assign parameter")
        self._check_name(name, "parameter", self._parameters)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{type(param).__name__}' object to parameter '{name}' "
                    "(nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}': a parameter is a leaf of the graph. "
                    "To compute it from other tensors, do so in forward"
                )
            if parameter_registration_hooks:
                param = after_hooks(parameter_registration_hooks, self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add `tensor` under `name` as state that is not trained; `persistent` says whether state_dict holds it."""
        self._require_init("assign buffer")
        self._check_name(name, "buffer", self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (Tensor or None required)"
            )
        if buffer_registration_hooks:
            tensor = after_hooks(buffer_registration_hooks, self, name, tensor)
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add `module` as the child `name`, as the attribute assignment does, but for any name without a dot."""
        if module is not None and not isinstance(module, ModuleTree):
            hint = "; call the class to make one" if isinstance(module, type) else ""
            raise TypeError(f"{typename(module)} is not a Module subclass{hint}")
        self._require_init("assign module")
        self._check_name(name, "module", self._modules)
        self._adopt(name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Alias of `add_module`."""
        self.add_module(name, module)

    def _adopt(self, name: str, module: Module | None) -> None:
        if module_registration_hooks:
            module = after_hooks(module_registration_hooks, self, name, module)
        self._put_child(name, module)

    def _put_child(self, name: str, module: Module | None) -> None:
        self._modules[name] = module
        if module is not None:
            above = "" if self._names_a_scope or self._scope_name is None else self._scope_name + "."
            module._rename_scope(above + name)

    def _rename_scope(self, name: str) -> None:
        self.__dict__["_scope_name"] = name
        if not self._names_a_scope:
            for child_name, child in self._modules.items():
                if child is not None:
                    child._rename_scope(f"{name}.{child_name}")

    # Look-up by path

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as ``"net.0.linear"``; ``""`` is this one. AttributeError if there is none."""
        module: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, ModuleTree):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module  # type: ignore[no-any-return]

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` at the path `target`; with `strict`, only in the place of a module that is there already."""
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, ModuleTree):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        parent_path, _, name = target.rpartition(".")
        parent = self.get_submodule(parent_path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), ModuleTree):
            raise AttributeError(f"`{name}` is not an nn.Module")
        parent._adopt(name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as ``"net.0.weight"``. AttributeError if there is none."""
        owner, name = self._locate(target)
        parameter = getattr(owner, name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as ``"norm.running_mean"``. AttributeError if there is none."""
        owner, name = self._locate(target)
        if name not in owner._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        buffer: Tensor = getattr(owner, name)
        return buffer

    def _locate(self, target: str) -> tuple[Module, str]:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if not hasattr(owner, name):
            raise AttributeError(f"{owner._get_name()} has no attribute `{name}`")
        return owner, name

    # Traversal: every module, parameter and buffer once, however often it is shared, unless remove_duplicate is off.

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct children with their names."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The direct children."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, depth first, with their paths; modules in `memo` are left out."""
        memo = set() if memo is None else memo
        if self not in memo:
            if remove_duplicate:
                memo.add(self)  # type: ignore[arg-type]
            yield prefix, self  # type: ignore[misc]
            for name, module in self._modules.items():
                if module is not None:
                    yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, depth first."""
        for _, module in self.named_modules():
            yield module

    def _named_members(
        self,
        members: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, member in members(module):  # type: ignore[arg-type]
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield f"{path}.{name}" if path else name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Parameters with their paths; of this module alone if not `recurse`."""
        return self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Parameters; of this module alone if not `recurse`."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Buffers with their paths; of this module alone if not `recurse`."""
        return self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Buffers; of this module alone if not `recurse`."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def _get_name(self) -> str:
        return type(self).__name__
