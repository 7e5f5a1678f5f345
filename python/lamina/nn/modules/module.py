"""nn.Module, what runs when it is called, and the hooks that see every module's call.

The dicts of these hooks stand in this file under PyTorch's names: Module.__call__ looks them up here at each call, so
that code (and tests) may replace a dict altogether.
"""

from __future__ import annotations

import sys
from collections import OrderedDict

from ... import _core
from ..._core import Tensor
from ..._warning import warn_caller
from ..hooks import (
    RemovableHandle,
    add_hook,
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from .conversion import ModuleConversion
from .loading import _IncompatibleKeys  # noqa: F401  # libraries look for it here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

_global_forward_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_forward_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_forward_hooks_with_kwargs: OrderedDict[int, bool] = OrderedDict()
_global_forward_hooks_always_called: OrderedDict[int, bool] = OrderedDict()
_global_backward_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_backward_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_is_full_backward_hook: bool | None = None


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before every module's forward; a result that is not None replaces the arguments."""
    return add_hook(_global_forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after every module's forward; a result that is not None replaces the output.

    With `with_kwargs` it is ``hook(module, args, kwargs, output)``; with `always_call` it runs even if the call failed.
    """
    flags = ((_global_forward_hooks_with_kwargs, with_kwargs), (_global_forward_hooks_always_called, always_call))
    return add_hook(_global_forward_hooks, hook, flags)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """As ``Module.register_full_backward_hook``, for every module; these hooks run before a module's own."""
    _choose_global_backward_hooks(full=True)
    return add_hook(_global_backward_hooks, hook)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """As ``Module.register_full_backward_pre_hook``, for every module; these hooks run before a module's own."""
    return add_hook(_global_backward_pre_hooks, hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Deprecated: as ``Module.register_backward_hook``, for every module."""
    _choose_global_backward_hooks(full=False)
    return add_hook(_global_backward_hooks, hook)


def _choose_global_backward_hooks(full: bool) -> None:
    global _global_is_full_backward_hook
    if _global_is_full_backward_hook is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only "
            "one of them."
        )
    _global_is_full_backward_hook = full


class Module(ModuleConversion):
    """A layer, a block or a whole network: parameters, child modules, and a `forward` that uses them.

    A subclass calls ``super().__init__()``, assigns its parameters and children as attributes, and defines
    ``forward``; it is then called like a function. Gradients, training and saving follow from that.

    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(20, 64)
    ...         self.out = nn.Linear(64, 10)
    ...
    ...     def forward(self, X):
    ...         return self.out(self.hidden(X).relu())
    """

    # Whether __init__ calls that of the next class in a multiple inheritance, with the arguments it was given.
    call_super_init: bool = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if kwargs:
                name = next(iter(kwargs))
                raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument '{name}'")
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
                )
        if sys.version_info >= (3, 13):  # whose attributes within the object change without a word to who watches them
            object.__setattr__(self, "__dict__", dict(self.__dict__))
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _modules={},
            _scope_name=None,
            _is_full_backward_hook=None,
            _state_dict_hooks=OrderedDict(),
            _state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_post_hooks=OrderedDict(),
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # Calling

    if TYPE_CHECKING:
        forward: Callable[..., Any]
    else:

        def forward(self, *args, **kwargs):
            """What the module computes; every subclass defines it."""
            raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    if TYPE_CHECKING:

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            """Run the forward pre-hooks, `forward` and the forward hooks."""
    else:
        __call__ = _core.make_module_call(globals())

    def _call_with_hooks(self, args: Any, kwargs: dict[str, Any]) -> Any:
        done: set[int] = set()
        result = None
        try:
            for id, hook in (*_global_forward_pre_hooks.items(), *self._forward_pre_hooks.items()):
                args, kwargs = self._run_forward_pre_hook(id, hook, args, kwargs)
            full, non_full = self._backward_hooks_of_this_call()
            pre_hooks = (*_global_backward_pre_hooks.values(), *self._backward_pre_hooks.values())
            watch = None
            if full or pre_hooks:
                from ..backward_hooks import BackwardHook

                watch = BackwardHook(self, full, pre_hooks)
                args = watch.setup_input_hook(args)
            result = self.forward(*args, **kwargs)
            for id, hook in self._all_forward_hooks():
                done.add(id)
                changed = self._run_forward_hook(id, hook, args, kwargs, result)
                if changed is not None:
                    result = changed
            if watch is not None:
                if not isinstance(result, (Tensor, tuple)):
                    warn_caller(
                        "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but "
                        f"received {type(result)}"
                    )
                result = watch.setup_output_hook(result)
            if non_full:
                from ..backward_hooks import attach_non_full_hooks

                attach_non_full_hooks(self, non_full, args, result)
            return result
        except Exception:
            self._run_always_called_hooks(done, args, kwargs, result)
            raise

    def _backward_hooks_of_this_call(self) -> tuple[tuple[Callable[..., Any], ...], tuple[Callable[..., Any], ...]]:
        """The full and the other backward hooks, those on every module first."""
        everywhere, own = tuple(_global_backward_hooks.values()), tuple(self._backward_hooks.values())
        full = (everywhere if _global_is_full_backward_hook else ()) + (own if self._is_full_backward_hook else ())
        others = (() if _global_is_full_backward_hook else everywhere) + (() if self._is_full_backward_hook else own)
        return full, others

    def _run_forward_pre_hook(
        self, id: int, hook: Callable[..., Any], args: Any, kwargs: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        if id not in self._forward_pre_hooks_with_kwargs:
            changed = hook(self, args)
            if changed is None:
                return args, kwargs
            return changed if isinstance(changed, tuple) else (changed,), kwargs
        changed = hook(self, args, kwargs)
        if changed is None:
            return args, kwargs
        if not (isinstance(changed, tuple) and len(changed) == 2):
            raise RuntimeError(
                f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
            )
        return changed

    def _all_forward_hooks(self) -> tuple[tuple[int, Callable[..., Any]], ...]:
        return (*_global_forward_hooks.items(), *self._forward_hooks.items())

    def _run_forward_hook(self, id: int, hook: Callable[..., Any], args: Any, kwargs: Any, result: Any) -> Any:
        if id in self._forward_hooks_with_kwargs or id in _global_forward_hooks_with_kwargs:
            return hook(self, args, kwargs, result)
        return hook(self, args, result)

    def _run_always_called_hooks(self, done: set[int], args: Any, kwargs: Any, result: Any) -> None:
        """After a failure: the hooks that asked for it and have not run. Their own failures become warnings."""
        asked = {*self._forward_hooks_always_called, *_global_forward_hooks_always_called}
        for id, hook in self._all_forward_hooks():
            if id not in done and id in asked:
                try:
                    changed = self._run_forward_hook(id, hook, args, kwargs, result)
                    result = result if changed is None else changed
                except Exception as error:
                    warn_caller(f"a forward hook with always_call=True raised {error!r}, which was ignored")

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to do: what a module records is compiled when it runs. Takes what `lamina.compile` takes."""
        from ...compiling import compile

        compile(self, *args, **kwargs)

    # Printing

    def extra_repr(self) -> str:
        """What to print between the brackets, such as ``in_features=20``; may have several lines."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): " + _indent_tail(repr(module)) for name, module in self._modules.items()]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({extra})"
        if not lines and not children:
            return f"{self._get_name()}()"
        return f"{self._get_name()}(\n" + "".join(f"  {line}\n" for line in lines + children) + ")"

    def __setstate__(self, state: dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]) -> None:
        # What a pickle of an older version lacks gets the value of a fresh module.
        Module.__init__(self)
        attributes, slots = state if isinstance(state, tuple) else (state, {})
        self.__dict__.update(attributes)
        for name, value in slots.items():
            object.__setattr__(self, name, value)


def _indent_tail(text: str) -> str:
    return text.replace("\n", "\n  ")
