"""Hooks around a module's forward and backward: how they are registered. Module.__call__ runs them."""

from __future__ import annotations

from collections import OrderedDict

from ..hooks import RemovableHandle, add_hook
from .state import ModuleState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["ModuleHooks"]


class _Hooks:
    """A dict of a module's, which is made when somebody first asks for it.

    A call that found no dicts need not look whether they are empty; those of a deep net would not stay in the caches.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, module: ModuleHooks | None, owner: type) -> Any:
        if module is None:
            return self
        own = module.__dict__
        if "_modules" not in own:
            raise AttributeError(self.name)  # which ModuleTree.__getattr__ explains
        return own.setdefault(self.name, OrderedDict())


class ModuleHooks(ModuleState):
    """The part of Module that keeps hooks; use Module itself."""

    if TYPE_CHECKING:
        _forward_hooks: OrderedDict[int, Callable[..., Any]]
        _forward_hooks_with_kwargs: OrderedDict[int, bool]
        _forward_hooks_always_called: OrderedDict[int, bool]
        _forward_pre_hooks: OrderedDict[int, Callable[..., Any]]
        _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
        _backward_hooks: OrderedDict[int, Callable[..., Any]]
        _backward_pre_hooks: OrderedDict[int, Callable[..., Any]]
    else:
        _forward_hooks = _Hooks()
        _forward_hooks_with_kwargs = _Hooks()
        _forward_hooks_always_called = _Hooks()
        _forward_pre_hooks = _Hooks()
        _forward_pre_hooks_with_kwargs = _Hooks()
        _backward_hooks = _Hooks()
        _backward_pre_hooks = _Hooks()
    _is_full_backward_hook: bool | None

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; a result that is not None replaces the positional arguments.

        With `with_kwargs` it is ``hook(module, args, kwargs)`` and may return ``(args, kwargs)``. `prepend` puts it
        before the hooks that are there.
        """
        flags = ((self._forward_pre_hooks_with_kwargs, with_kwargs),)
        return add_hook(self._forward_pre_hooks, hook, flags, prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after forward; a result that is not None replaces the output.

        With `with_kwargs` it is ``hook(module, args, kwargs, output)``; with `always_call` it runs even if the call
        failed. `prepend` puts it before the hooks that are there.
        """
        flags = ((self._forward_hooks_with_kwargs, with_kwargs), (self._forward_hooks_always_called, always_call))
        return add_hook(self._forward_hooks, hook, flags, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the module's arguments are known.

        Both are tuples: of gradients of the positional arguments, and of the results; None stands for what is no
        tensor or has no gradient. A tuple that the hook returns replaces `grad_input`.

        Arguments and results must not be changed in place while such a hook is registered.
        """
        self._choose_backward_hooks(full=True)
        return add_hook(self._backward_hooks, hook, prepend=prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the module's results are known.

        A tuple that the hook returns replaces `grad_output` for all that follows.
        """
        return add_hook(self._backward_pre_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Deprecated: as `register_full_backward_hook`, but it sees only the last operation of forward."""
        self._choose_backward_hooks(full=False)
        return add_hook(self._backward_hooks, hook)

    def _choose_backward_hooks(self, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only "
                "one of them."
            )
        self._is_full_backward_hook = full
