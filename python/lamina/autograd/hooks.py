"""Hooks on tensors: functions that see a gradient, and may replace it, when it has been computed."""

from __future__ import annotations

from .._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TensorHook", "register_hook"]


class TensorHook:
    """What ``Tensor.register_hook`` returns: ``remove()`` takes the hook back, and so does leaving it as a context."""

    def __init__(self, tensor: Tensor, id: int) -> None:
        self._tensor: Tensor | None = tensor
        self.id = id

    def remove(self) -> None:
        """Take the hook back; a second call does nothing."""
        if self._tensor is not None:
            self._tensor._remove_hook(self.id)
            self._tensor = None

    def __enter__(self) -> TensorHook:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> TensorHook:
    """Call ``hook(gradient)`` whenever this tensor's gradient is computed; what it returns replaces the gradient."""
    return TensorHook(self, self._register_hook(hook))
