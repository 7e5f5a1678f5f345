"""nn.Module: what runs, counts, converts and prints a tree of layers."""

from __future__ import annotations

import warnings

from ... import _core
from ..._core import Tensor
from ...autograd import no_grad
from ..hooks import (
    RemovableHandle,
    add_hook,
    global_forward_hooks,
    global_forward_pre_hooks,
    global_hooks_always_called,
    global_hooks_with_kwargs,
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from ..parameter import is_lazy
from .state import ModuleState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from typing_extensions import Self

__all__ = ["Module", "register_module_forward_hook", "register_module_forward_pre_hook"]


class Module(ModuleState):
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

    _forward_hooks: dict[int, Callable[..., Any]]
    _forward_hooks_with_kwargs: dict[int, bool]
    _forward_hooks_always_called: dict[int, bool]
    _forward_pre_hooks: dict[int, Callable[..., Any]]
    _forward_pre_hooks_with_kwargs: dict[int, bool]

    def __init__(self) -> None:
        super().__init__()
        self.__dict__.update(
            _forward_hooks={},
            _forward_hooks_with_kwargs={},
            _forward_hooks_always_called={},
            _forward_pre_hooks={},
            _forward_pre_hooks_with_kwargs={},
        )

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
        __call__ = _core.make_module_call(global_forward_pre_hooks, global_forward_hooks)

    def _call_with_hooks(self, args: Any, kwargs: dict[str, Any]) -> Any:
        done: set[int] = set()
        result = None
        try:
            for id, hook in (*global_forward_pre_hooks.items(), *self._forward_pre_hooks.items()):
                if id in self._forward_pre_hooks_with_kwargs:
                    changed = hook(self, args, kwargs)
                    if changed is not None:
                        if not (isinstance(changed, tuple) and len(changed) == 2):
                            raise RuntimeError(
                                f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), got {changed}"
                            )
                        args, kwargs = changed
                else:
                    changed = hook(self, args)
                    if changed is not None:
                        args = changed if isinstance(changed, tuple) else (changed,)
            result = self.forward(*args, **kwargs)
            for id, hook in self._all_forward_hooks():
                done.add(id)
                changed = self._run_forward_hook(id, hook, args, kwargs, result)
                if changed is not None:
                    result = changed
            return result
        except Exception:
            self._run_always_called_hooks(done, args, kwargs, result)
            raise

    def _all_forward_hooks(self) -> tuple[tuple[int, Callable[..., Any]], ...]:
        return (*global_forward_hooks.items(), *self._forward_hooks.items())

    def _run_forward_hook(self, id: int, hook: Callable[..., Any], args: Any, kwargs: Any, result: Any) -> Any:
        if id in self._forward_hooks_with_kwargs or id in global_hooks_with_kwargs:
            return hook(self, args, kwargs, result)
        return hook(self, args, result)

    def _run_always_called_hooks(self, done: set[int], args: Any, kwargs: Any, result: Any) -> None:
        """After a failure: the hooks that asked for it and have not run. Their own failures become warnings."""
        for id, hook in self._all_forward_hooks():
            if id not in done and (id in self._forward_hooks_always_called or id in global_hooks_always_called):
                try:
                    changed = self._run_forward_hook(id, hook, args, kwargs, result)
                    result = result if changed is None else changed
                except Exception as error:
                    warnings.warn(
                        f"a forward hook with always_call=True raised {error!r}, which was ignored", stacklevel=2
                    )

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

    # Changing the whole tree

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call `fn` on every module, children first, and return this one; a common way to initialise."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below it to training (or evaluation) behaviour, which Dropout and others heed."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, got {type(mode).__name__}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say whether the parameters want gradients: ``requires_grad_(False)`` freezes a module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the parameters' gradients, or set them to zero in place."""
        if set_to_none and _core._forget_gradients_below(self, Module):
            return
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif (gradient := parameter.grad) is not None:
                if gradient.requires_grad:  # made with create_graph: cut it from its graph, in the same storage
                    parameter.grad = gradient = gradient.detach()
                gradient.zero_()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the numbers of every parameter, gradient and buffer by `fn` of them; the objects stay the same."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    gradient = parameter.grad
                    parameter.data = fn(parameter.data)
                    if gradient is not None:
                        parameter.grad = fn(gradient.detach()).requires_grad_(gradient.requires_grad)
            for name, buffer in self._buffers.items():
                if is_lazy(buffer):
                    buffer.data = fn(buffer.data)  # type: ignore[union-attr]
                elif buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert the floating point parameters and buffers, in place: ``to(dtype)``, ``to(tensor)``, ``to("cpu")``.

        Takes the arguments of ``Tensor.to``. TypeError for a dtype that is not floating point.
        """
        dtype = _core.empty(0).to(*args, **kwargs).dtype  # the tensor's own reading of the arguments, and its errors
        if not dtype.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")
        named = [*args, *kwargs.values()]
        if not any(isinstance(value, (_core.dtype, Tensor)) for value in named):
            return self
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def type(self, dst_type: _core.dtype) -> Self:
        """Convert every parameter and buffer, whole numbers too, to `dst_type`."""
        return self._apply(lambda t: t.to(dst_type))

    def float(self) -> Self:
        """Convert floating point parameters and buffers to float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Self:
        """Convert floating point parameters and buffers to float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def cpu(self) -> Self:
        """The module itself: there is no other device."""
        return self

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

    def __setstate__(self, state: dict[str, Any]) -> None:
        # What a pickle of an older version lacks gets the value of a fresh module.
        Module.__init__(self)
        self.__dict__.update(state)


def _indent_tail(text: str) -> str:
    return text.replace("\n", "\n  ")
