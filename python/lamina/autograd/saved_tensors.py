"""Hooks on what gradients read: saved tensors packed away in the forward pass, and unpacked in the backward pass."""

from __future__ import annotations

import threading

from .. import _core
from .._core import Node, Tensor
from .modes import no_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Pack = Callable[[Tensor], Any]
    Unpack = Callable[[Any], Tensor]

__all__ = [
    "PackedTensor",
    "SavedTensor",
    "current_hooks",
    "disable_saved_tensors_hooks",
    "save_on_cpu",
    "saved_attribute",
    "saved_tensors_hooks",
]

_RAW, _UNPACKED = "_raw_saved_", "_saved_"


class _State(threading.local):
    disabled: str | None = None  # why hooks may not be set


_state = _State()


def current_hooks() -> tuple[Pack, Unpack] | None:
    """The hooks of the innermost context of this thread."""
    hooks = _core._exchange_saved_hooks(None, None)
    _core._exchange_saved_hooks(*(hooks or (None, None)))
    return hooks


class saved_tensors_hooks:  # noqa: N801
    """Within it ``pack_hook(tensor)`` is called for every tensor that a gradient will read.

    What it returns, anything, is kept, and given to ``unpack_hook`` when the gradient is computed, whose result, a
    tensor of the same shape and type, is what the gradient reads. Of nested contexts the innermost counts. The graph
    is made of the tensors' values, so what was packed is freed with the graph, not before.

    >>> with lamina.autograd.graph.saved_tensors_hooks(lambda x: x.numpy().copy(), lamina.from_numpy):
    ...     y = net(x)
    """

    def __init__(self, pack_hook: Pack, unpack_hook: Unpack) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook
        self._before: list[tuple[Pack, Unpack] | None] = []

    def __enter__(self) -> None:
        if _state.disabled is not None:
            raise RuntimeError(_state.disabled)
        self._before.append(_core._exchange_saved_hooks(self.pack_hook, self.unpack_hook))

    def __exit__(self, *exception: object) -> None:
        _core._exchange_saved_hooks(*(self._before.pop() or (None, None)))


class save_on_cpu(saved_tensors_hooks):  # noqa: N801
    """Within it what gradients read is kept on the CPU, where lamina's tensors are anyway."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda x: (x.device, x.cpu()), lambda packed: packed[1].to(packed[0]))


class disable_saved_tensors_hooks:  # noqa: N801
    """Within it setting hooks on saved tensors is a RuntimeError with this message; so is it within such hooks."""

    def __init__(self, error_message: str) -> None:
        self.error_message = error_message
        self._before: list[str | None] = []

    def __enter__(self) -> None:
        if current_hooks() is not None:
            raise RuntimeError(self.error_message)
        self._before.append(_state.disabled)
        _state.disabled = self.error_message

    def __exit__(self, *exception: object) -> None:
        _state.disabled = self._before.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from .._wrapping import wraps

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with disable_saved_tensors_hooks(self.error_message):
                return function(*args, **kwargs)

        return call


class PackedTensor:
    """A tensor that a `Function` saves, in the hands of a pair of hooks."""

    def __init__(self, tensor: Tensor, pack: Pack, unpack: Unpack) -> None:
        given = tensor.detach()
        version = given._version
        with no_grad():
            self.packed = pack(given)
        if given._version != version:
            raise RuntimeError(
                "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook can "
                "not be modified by in-place operations as this can lead to unexpected side-effects. Please open an "
                "issue if you need to perform in-place operations on the input to a pack hook."
            )
        self.unpack = unpack

    def tensor(self) -> Tensor:
        """What the unpack hook gives, without a history."""
        result = self.unpack(self.packed)
        if not isinstance(result, Tensor):
            raise TypeError(
                f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(result)}"
            )
        return result.detach()


class SavedTensor:
    """What a node's gradient reads, ``grad_fn._raw_saved_self``: a place at which hooks can be set."""

    _node: Node
    _name: str

    def __init__(self) -> None:
        raise RuntimeError("Trying to create a SavedTensor object from Python is forbidden.")

    def register_hooks(self, pack_hook: Pack, unpack_hook: Unpack) -> None:
        """Pack it now; `unpack_hook` is called when it is read. RuntimeError if there are hooks already."""
        if not callable(pack_hook) or not callable(unpack_hook):
            raise TypeError("incompatible function arguments: hooks are functions of one argument")
        _core._pack_saved(self._node, self._name, pack_hook, unpack_hook)


def saved_attribute(node: Node, attribute: str) -> Any:
    """``_saved_self``, ``_saved_other``, ``_saved_result`` of a node whose gradient reads those, and ``_raw_…``."""
    for prefix in (_RAW, _UNPACKED):
        name = attribute.removeprefix(prefix)
        if name == attribute or not _core._saves(node, name):
            continue
        if prefix == _UNPACKED:
            return _core._saved_of(node, name)
        place = SavedTensor.__new__(SavedTensor)
        place._node, place._name = node, name
        return place
    raise AttributeError(f"{type(node).__name__!r} object has no attribute {attribute!r}")
