"""Results that are there later."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from lamina.futures import Future, collect_all, wait_all


def test_a_result_is_waited_for() -> None:
    future: Future[int] = Future()
    following, seen = future.then(lambda f: f.wait() + 1), []
    future.add_done_callback(lambda f: seen.append(f.value()))
    assert not future.done()
    with pytest.raises(RuntimeError, match="no result yet"):
        future.value()
    threading.Timer(0.01, future.set_result, (4,)).start()
    assert following.wait() == 5
    assert future.wait() == future.value() == 4
    assert seen == [4]
    with pytest.raises(RuntimeError, match="only be marked completed once"):
        future.set_result(5)


def test_exceptions_reach_whoever_waits() -> None:
    future: Future[Any] = Future()
    passed_on, caught = future.then(lambda f: f.wait()), future.then(lambda f: 3)
    future.set_exception(ValueError("bad"))
    for waiting in (future, passed_on):
        assert waiting.done()
        with pytest.raises(ValueError, match="bad"):
            waiting.wait()
    assert caught.wait() == 3
    with pytest.raises(AssertionError, match="not an Exception"):
        Future().set_exception(3)  # type: ignore[arg-type]


def test_several_together() -> None:
    a: Future[int] = Future()
    b: Future[int] = Future()
    both = collect_all([a, b])
    b.set_result(2)
    assert not both.done()
    a.set_result(1)
    assert both.wait() == [a, b]
    assert wait_all([a, b]) == [1, 2]
    assert wait_all([]) == []
    c: Future[int] = Future()
    c.set_exception(KeyError("c"))
    with pytest.raises(KeyError):
        wait_all([a, c])
