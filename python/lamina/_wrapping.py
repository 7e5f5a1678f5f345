"""``functools.wraps`` without functools, whose import would take a tenth of the package's."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["wraps"]

_COPIED = ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__")


def wraps(function: Callable[..., Any]) -> Callable[[F], F]:
    """A decorator that gives a wrapper the name, the words and the signature of `function`."""

    def adopt(wrapper: F) -> F:
        for name in _COPIED:
            value = getattr(function, name, None)
            if value is not None:
                setattr(wrapper, name, value)
        vars(wrapper).update(getattr(function, "__dict__", {}))
        wrapper.__wrapped__ = function  # type: ignore[attr-defined]
        return wrapper

    return adopt
