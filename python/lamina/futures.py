"""``lamina.futures``: results that are there later, as programs that wait for several of them name them."""

from __future__ import annotations

from concurrent.futures import Future as _Result
from concurrent.futures import InvalidStateError
from threading import Lock
from typing import Generic, TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")
S = TypeVar("S")


class Future(Generic[T]):
    """A result that another thread, or a later line, sets. `devices`: where it may lie; all is on the CPU.

    Example: ``f = Future(); g = f.then(lambda f: f.wait() + 1); f.set_result(1); g.wait()`` is 2.
    """

    def __init__(self, *, devices: Sequence[Any] | None = None) -> None:
        self._result: _Result[T] = _Result()

    def done(self) -> bool:
        """Whether there is a result, or an exception in its place."""
        return self._result.done()

    def wait(self) -> T:
        """The result, once there is one; or the exception is raised."""
        return self._result.result()

    def value(self) -> T:
        """The result. RuntimeError if there is none yet."""
        if not self.done():
            raise RuntimeError("value() of a Future that has no result yet: wait() for it")
        return self.wait()

    def set_result(self, result: T) -> None:
        """Let this be the result, and call the callbacks. RuntimeError if there is one already."""
        self._complete(self._result.set_result, result)

    def set_exception(self, result: Exception) -> None:
        """Let whoever waits get this exception."""
        assert isinstance(result, Exception), f"{result} is of type {type(result)}, not an Exception."
        self._complete(self._result.set_exception, result)

    def _complete(self, complete: Callable[[Any], None], outcome: Any) -> None:
        try:
            complete(outcome)
        except InvalidStateError:
            raise RuntimeError(
                "Attempting to mark a completed Future as complete again. Note that a Future can only be marked "
                "completed once."
            ) from None

    def add_done_callback(self, callback: Callable[[Future[T]], None]) -> None:
        """Call ``callback(self)`` when there is a result; at once if there is one. What it raises is logged."""
        self._result.add_done_callback(lambda _: callback(self))

    def then(self, callback: Callable[[Future[T]], S]) -> Future[S]:
        """The future of what ``callback(self)`` gives when there is a result, or of what it raises."""
        following: Future[S] = Future()

        def follow(_: object) -> None:
            try:
                given = callback(self)
            except Exception as error:
                following.set_exception(error)
            else:
                following.set_result(given)

        self._result.add_done_callback(follow)
        return following


def collect_all(futures: list[Future[Any]]) -> Future[list[Future[Any]]]:
    """The future of the list itself: it is there when all of them are done."""
    together: Future[list[Future[Any]]] = Future()
    left, lock = len(futures), Lock()

    def one_is_done(_: Future[Any]) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            together.set_result(futures)

    for future in futures:
        future.add_done_callback(one_is_done)
    if not futures:
        together.set_result(futures)
    return together


def wait_all(futures: list[Future[Any]]) -> list[Any]:
    """The results of all, in order; the first exception is raised."""
    return [future.wait() for future in collect_all(futures).wait()]
