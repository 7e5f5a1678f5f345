"""The writes of one load_state_dict: collected while everything is checked, then all carried out, or none."""

from __future__ import annotations

from collections import namedtuple
from copy import copy

from ..._core import Tensor
from ..._warning import warn_caller
from ...autograd import no_grad
from ..parameter import Parameter, is_lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .state import ModuleState
    from .tree import ModuleTree

__all__ = ["PendingLoad", "_IncompatibleKeys", "reason_not_to_load", "warn_if_in_vain"]


_UNKNOWN: Any = object()


class _IncompatibleKeys(namedtuple("_IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What load_state_dict returns: two lists of keys, both empty if everything matched."""

    __slots__ = ()

    def __repr__(self) -> str:
        return super().__repr__() if any(self) else "<All keys matched successfully>"

    __str__ = __repr__


def reason_not_to_load(key: str, current: Tensor, value: object, assign: bool) -> str | None:
    """Why `value` cannot become the numbers of the module's tensor `current`; None if it can."""
    if not isinstance(value, Tensor):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(value)}"
        )
    if is_lazy(value):
        if is_lazy(current):
            return None
        return (
            f"size mismatch for {key}: can't access the shape of an uninitialized parameter in the state dict, the "
            f"shape in current model is {current.shape}. Run the saved module once before you take its state dict."
        )
    if value.is_meta and not current.is_meta and not assign:
        return (
            f'While copying the parameter named "{key}", whose dimensions in the checkpoint are {value.shape}, an '
            "exception occurred : ('Cannot copy out of meta tensor; no data!',)."
        )
    if is_lazy(current) or current.shape == value.shape or (current.ndim == 0 and tuple(value.shape) == (1,)):
        return None
    return (
        f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
        f"the shape in current model is {current.shape}."
    )


def warn_if_in_vain(key: str, current: Tensor, value: Tensor, assign: bool) -> None:
    """Warns if `current` is on meta, and so takes no numbers."""
    if current.is_meta and not assign and not is_lazy(current) and not value.is_meta:
        warn_caller(
            f"for {key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the current model, "
            "which is a no-op. (Did you mean to pass `assign=True` to assign items in the state dictionary to their "
            "corresponding key in the module instead of copying them in place?)"
        )


class PendingLoad:
    """Writes to parameters, buffers and extra state that wait for `commit`; `roll_back` takes a commit back."""

    def __init__(self) -> None:
        self._writes: list[Callable[[], Callable[[], object]]] = []
        self._undo: list[Callable[[], object]] = []

    def tensor(self, module: ModuleTree, name: str, value: Tensor, assign: bool) -> None:
        """Write `value` to the parameter or buffer `name`: into it, or in its place if `assign`."""
        current = getattr(module, name)
        if assign:
            self._writes.append(lambda: _assign(module, name, current, value))
        elif not is_lazy(value):
            self._writes.append(lambda: _copy(current, value))

    def extra_state(self, module: ModuleState, state: Any) -> None:
        """Hand `state` to the module's set_extra_state, at once: it may make children that the load goes on to."""
        self._undo.append(_set_extra_state(module, state))

    def commit(self) -> None:
        """Carry out the writes, in order. If one fails, those before it are taken back."""
        try:
            with no_grad():
                for write in self._writes:
                    self._undo.append(write())
        except BaseException:
            self.roll_back()
            raise

    def roll_back(self) -> None:
        """Take back what `commit` wrote."""
        with no_grad():
            while self._undo:
                self._undo.pop()()


def _assign(module: ModuleTree, name: str, current: Tensor, value: Tensor) -> Callable[[], object]:
    if isinstance(current, Parameter):
        if isinstance(value, Parameter):
            value.requires_grad_(current.requires_grad)
        else:
            value = Parameter(value, requires_grad=current.requires_grad)
    setattr(module, name, value)
    return lambda: setattr(module, name, current)


def _copy(current: Any, value: Tensor) -> Callable[[], object]:
    if is_lazy(current):
        lazy_class, lazy_data = type(current), current.data

        def undo() -> None:
            current.data = lazy_data
            current.__class__ = lazy_class

        current.materialize(value.shape)
        current.copy_(value)
        return undo
    before = current.detach().clone()  # recorded, not copied, unless the numbers are still wanted after the write
    current.copy_(value.reshape(current.shape))
    return lambda: current.copy_(before)


def _set_extra_state(module: ModuleState, state: Any) -> Callable[[], object]:
    getter: Any = getattr(module, "get_extra_state", None)
    try:
        before = getter()
    except RuntimeError:  # a module may define the setter alone
        before = _UNKNOWN
    attributes = {name: copy(value) if type(value) in (dict, set) else value for name, value in vars(module).items()}

    def undo() -> None:
        vars(module).clear()
        vars(module).update(attributes)
        if before is not _UNKNOWN:
            module.set_extra_state(before)

    try:
        module.set_extra_state(state)
    except BaseException:
        undo()
        raise
    return undo
