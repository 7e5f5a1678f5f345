"""Switches of gradient recording: context managers that are decorators too, for functions and for generators."""

from __future__ import annotations

from .. import _core
from .._warning import warn_caller
from .._wrapping import wraps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["enable_grad", "inference_mode", "no_grad", "set_grad_enabled", "set_multithreading_enabled"]

_CO_GENERATOR = 0x20  # inspect.CO_GENERATOR, without the weight of inspect


class _Switch:
    """Sets a mode on entry and puts the former one back on exit; each call of a decorated function gets its own."""

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *exception: object) -> None:
        raise NotImplementedError

    def _again(self) -> _Switch:
        """A fresh switch with the same setting."""
        return type(self)()

    def __call__(self, function: F) -> F:
        again = self._again
        if isinstance(function, type):
            warn_caller(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate "
                "functions or methods. To preserve the current behavior of class decoration, you can directly decorate "
                "the `__init__` method and nothing else.",
                FutureWarning,
            )
        code = getattr(function, "__code__", None)
        if code is not None and code.co_flags & _CO_GENERATOR:
            return _wrap_generator(again, function)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with again():
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]


def _wrap_generator(again: Callable[[], _Switch], function: F) -> F:
    """The mode holds while the generator runs, not while its consumer does."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **kwargs)
        try:
            with again():
                value = generator.send(None)
            while True:
                try:
                    sent = yield value
                except GeneratorExit:
                    with again():
                        generator.close()
                    raise
                except BaseException as error:
                    with again():
                        value = generator.throw(error)
                else:
                    with again():
                        value = generator.send(sent)
        except StopIteration as stop:
            return stop.value

    return call  # type: ignore[return-value]


class _SetGrad(_Switch):
    _mode: bool

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(_core.is_grad_enabled())
        _core._set_grad_enabled(self._mode)

    def __exit__(self, *exception: object) -> None:
        _core._set_grad_enabled(self._before.pop())

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        # As a decorator without parentheses.
        return super().__new__(cls) if function is None else cls()(function)


class no_grad(_SetGrad):  # noqa: N801
    """Within it nothing records gradients; a decorator too (``@no_grad()`` or ``@no_grad``)."""

    _mode = False


class enable_grad(_SetGrad):  # noqa: N801
    """Within it gradients are recorded, also inside `no_grad`; a decorator too."""

    _mode = True


class _SetAtOnce(_Switch):
    """Sets a mode from the call on; as a context manager it restores what was in force before the call."""

    if TYPE_CHECKING:
        _is_enabled: Callable[[], bool]
        _set_enabled: Callable[[bool], None]

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self._before = type(self)._is_enabled()
        type(self)._set_enabled(self.mode)

    def __call__(self, function: F) -> F:
        # A decorator is not meant to act where the function is defined.
        type(self)._set_enabled(self._before)
        return super().__call__(function)

    def _again(self) -> _Switch:
        return type(self)(self.mode)

    def __enter__(self) -> None:
        type(self)._set_enabled(self.mode)

    def __exit__(self, *exception: object) -> None:
        type(self)._set_enabled(self._before)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mode={self.mode})"


class set_grad_enabled(_SetAtOnce):  # noqa: N801
    """Gradient recording on or off from the call on; a context manager and decorator too.

    As a context manager it restores what was in force before the call.
    """

    _is_enabled = staticmethod(_core.is_grad_enabled)
    _set_enabled = staticmethod(_core._set_grad_enabled)


class set_multithreading_enabled(_SetAtOnce):  # noqa: N801
    """Whether backward may use threads of its own, from the call on; a context manager and decorator too.

    A backward pass runs on the thread that calls it. Only of passes within passes, some 60 deep, the next one gets a
    thread, with room for Python's frames; without, such recursion is a RecursionError.
    """

    _is_enabled = staticmethod(_core.is_multithreading_enabled)
    _set_enabled = staticmethod(_core._set_multithreading_enabled)


class inference_mode(_Switch):  # noqa: N801
    """Like `no_grad`, and what is made within it can never take part in gradients; a decorator too."""

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        return super().__new__(cls) if isinstance(mode, bool) else cls()(mode)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode
        self._before: list[tuple[bool, bool]] = []

    def _again(self) -> _Switch:
        switch: _Switch = inference_mode(self.mode)
        return switch

    def __enter__(self) -> None:
        self._before.append((_core._is_inference(), _core.is_grad_enabled()))
        _core._set_inference(self.mode)
        _core._set_grad_enabled(not self.mode)

    def __exit__(self, *exception: object) -> None:
        inference, gradients = self._before.pop()
        _core._set_inference(inference)
        _core._set_grad_enabled(gradients)
