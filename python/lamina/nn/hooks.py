"""Handles that take a hook back, and the hooks that see every module's call."""

from __future__ import annotations

from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "RemovableHandle",
    "global_forward_hooks",
    "global_forward_pre_hooks",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
]

_ids = count()

global_forward_pre_hooks: dict[int, Callable[..., Any]] = {}
global_forward_hooks: dict[int, Callable[..., Any]] = {}
# Ids of the hooks that take keyword arguments too, and of those that run even if the call fails.
global_hooks_with_kwargs: dict[int, bool] = {}
global_hooks_always_called: dict[int, bool] = {}


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook back, and so does leaving it as a context."""

    id: int

    def __init__(self, hooks: dict[int, Any], *, also: tuple[dict[int, Any], ...] = ()) -> None:
        self.id = next(_ids)
        self._registries = (hooks, *also)

    def remove(self) -> None:
        """Take the hook out of every registry; a second call does nothing."""
        for registry in self._registries:
            registry.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # An unpickled id may be ahead of the ids handed out in this process: never hand it out again.
        global _ids
        _ids = count(max(next(_ids), self.id + 1))


def add_hook(
    hooks: dict[int, Any],
    hook: Callable[..., Any],
    flags: tuple[tuple[dict[int, Any], bool], ...] = (),
    prepend: bool = False,
) -> RemovableHandle:
    """Put `hook` last (or first) into `hooks`, and its id into every flag registry that applies."""
    handle = RemovableHandle(hooks, also=tuple(registry for registry, _ in flags))
    others = dict(hooks) if prepend else {}
    if prepend:
        hooks.clear()
    hooks[handle.id] = hook
    hooks.update(others)
    for registry, applies in flags:
        if applies:
            registry[handle.id] = True
    return handle


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before every module's forward; a result that is not None replaces the arguments."""
    return add_hook(global_forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after every module's forward; a result that is not None replaces the output.

    With `with_kwargs` it is ``hook(module, args, kwargs, output)``; with `always_call` it runs even if the call failed.
    """
    flags = ((global_hooks_with_kwargs, with_kwargs), (global_hooks_always_called, always_call))
    return add_hook(global_forward_hooks, hook, flags)
