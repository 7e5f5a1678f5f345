"""Dicts of hooks, and the handles that take a hook back out of them."""

from __future__ import annotations

from collections import OrderedDict
from weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["RemovableHandle", "add_hook"]


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook back, and so does leaving it as a context.

    It knows the dicts that hold the hook, ordered ones, by weak references: a handle keeps neither hooks nor their
    owner alive.
    """

    id: int
    next_id: int = 0

    def __init__(
        self, hooks_dict: OrderedDict[int, Any], *, extra_dict: OrderedDict[int, Any] | list[Any] | None = None
    ) -> None:
        extra = [] if extra_dict is None else extra_dict if isinstance(extra_dict, list) else [extra_dict]
        self.hooks_dict_ref = ref(hooks_dict)
        self.extra_dict_ref = tuple(ref(each) for each in extra)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1

    def remove(self) -> None:
        """Take the hook out of every dict; a second call does nothing."""
        for reference in (self.hooks_dict_ref, *self.extra_dict_ref):
            if (hooks := reference()) is not None:
                hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()

    def __getstate__(self) -> tuple[Any, ...]:
        return self.hooks_dict_ref(), self.id, tuple(reference() for reference in self.extra_dict_ref)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        hooks, self.id, extra = state
        # What was gone already is an empty dict that goes at once, too.
        self.hooks_dict_ref = ref(OrderedDict() if hooks is None else hooks)
        self.extra_dict_ref = tuple(ref(OrderedDict() if each is None else each) for each in extra)
        # An unpickled id may be ahead of the ids handed out in this process: never hand it out again.
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)


def add_hook(
    hooks: OrderedDict[int, Any],
    hook: Callable[..., Any],
    flags: tuple[tuple[OrderedDict[int, Any], bool], ...] = (),
    prepend: bool = False,
) -> RemovableHandle:
    """Put `hook` last (or first) into `hooks`, and its id into every dict of `flags` that applies."""
    handle = RemovableHandle(hooks, extra_dict=[registry for registry, _ in flags])
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    for registry, applies in flags:
        if applies:
            registry[handle.id] = True
    return handle
