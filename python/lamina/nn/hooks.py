"""Hooks that see what any module registers: its buffers, its parameters, its children."""

from __future__ import annotations

from collections import OrderedDict

from ..hook_handles import RemovableHandle, add_hook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .modules.tree import ModuleTree

__all__ = [
    "RemovableHandle",
    "add_hook",
    "register_module_buffer_registration_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

buffer_registration_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
module_registration_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
parameter_registration_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` when any module registers a buffer; what it returns is registered instead."""
    return add_hook(buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` when any module gets a child; what it returns takes the child's place."""
    return add_hook(module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, param)`` when any module registers a parameter; what it returns is registered."""
    return add_hook(parameter_registration_hooks, hook)


def after_hooks(hooks: OrderedDict[int, Callable[..., Any]], module: ModuleTree, name: str, member: Any) -> Any:
    """`member`, or what the registration hooks put in its place."""
    for hook in list(hooks.values()):
        replaced = hook(module, name, member)
        member = member if replaced is None else replaced
    return member
