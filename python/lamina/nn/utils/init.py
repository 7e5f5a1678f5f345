"""Making a module without drawing its first numbers."""

from __future__ import annotations

from inspect import signature

from ... import _core
from ..modules import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["skip_init"]


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """``module_cls(*args, **kwargs)`` with undefined numbers in its parameters and buffers.

    For numbers that come from elsewhere anyway, such as a file. RuntimeError if `module_cls` is no module class, or
    takes no argument `device`.
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    random_state = _core.get_rng_state()
    try:
        # What is drawn here is recorded, but never computed: to_empty leaves nobody who could see it.
        return module_cls(*args, **kwargs).to_empty(device=device)
    finally:
        _core.set_rng_state(random_state)
