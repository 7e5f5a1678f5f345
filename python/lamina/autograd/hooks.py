"""Hooks on tensors and on nodes of the gradient graph: functions that see a gradient, and may replace it."""

from __future__ import annotations

from .. import _core
from .._core import Node, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["GradientHook", "register_hook", "register_post_accumulate_grad_hook"]

# As HookKind in csrc/bindings/node_state.h.
_TENSOR, _BEFORE, _AFTER, _ACCUMULATED = range(4)


class GradientHook:
    """What registering a hook returns: ``remove()`` takes the hook back, and so does leaving it as a context."""

    def __init__(self, target: Tensor | Node, kind: int, hook: Callable[..., Any]) -> None:
        self.id = _core._register_hook(target, kind, hook)

    def remove(self) -> None:
        """Take the hook back; a second call does nothing."""
        _core._remove_hook(self.id)

    def __enter__(self) -> GradientHook:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> GradientHook:
    """Call ``hook(gradient)`` whenever this tensor's gradient is computed; what it returns replaces the gradient."""
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    return GradientHook(self, _TENSOR, hook)


def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> GradientHook:
    """Call ``hook(tensor)`` whenever something was added to this leaf's ``.grad``."""
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if self.grad_fn is not None:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    return GradientHook(self, _ACCUMULATED, hook)


def _register_prehook(self: Node, fn: Callable[[tuple[Tensor | None, ...]], Any]) -> GradientHook:
    """Call ``fn(grad_outputs)`` before this node's gradient rule; what it returns replaces them."""
    return GradientHook(self, _BEFORE, fn)


def _register_node_hook(self: Node, fn: Callable[..., Any]) -> GradientHook:
    """Call ``fn(grad_inputs, grad_outputs)`` after this node's gradient rule; what it returns replaces grad_inputs."""
    return GradientHook(self, _AFTER, fn)


def _saved_or_missing(self: Node, name: str) -> Any:
    """``_saved_…`` and ``_raw_saved_…``: what the node's gradient reads."""
    if name.startswith(("_saved_", "_raw_saved_")):
        from .saved_tensors import saved_attribute

        return saved_attribute(self, name)
    raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


_register_node_hook.__name__ = "register_hook"
_register_prehook.__name__ = "register_prehook"
Node.register_hook = _register_node_hook  # type: ignore[method-assign]
Node.__getattr__ = _saved_or_missing  # type: ignore[method-assign]
Node.register_prehook = _register_prehook  # type: ignore[method-assign]
