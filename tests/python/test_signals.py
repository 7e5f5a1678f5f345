"""Signals that come while a long plan runs: handlers are called between its steps, and may break it off."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import FrameType

import numpy as np
import pytest

import lamina

# So many take several turns on any machine. Plans are interrupted if their estimates are long, which do not know of
# sanitizers: with these a product takes twenty times as long, sorting much less than that.
SORTS = 12

Start = Callable[..., nullcontext[None]]

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")


@pytest.fixture
def on_alarm() -> Iterator[Start]:
    before = signal.getsignal(signal.SIGALRM)

    def start(handler: Callable[[], object], first: float, interval: float = 0) -> nullcontext[None]:
        def call(_number: int, _frame: FrameType | None) -> None:
            handler()

        signal.signal(signal.SIGALRM, call)
        signal.setitimer(signal.ITIMER_REAL, first, interval)
        return nullcontext()  # for a statement that catches what the handler raises, however soon

    yield start
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = lamina.get_num_threads()
    lamina.set_num_threads(1)
    yield
    lamina.set_num_threads(before)


def _numbers() -> lamina.Tensor:
    return lamina.arange(1e6).sin().reshape(1000, 1000)


def _long_plan() -> lamina.Tensor:
    """A chain of steps on one thread, each of which inverts permutations."""
    y = _numbers().argsort()
    lamina.flush()
    for _ in range(SORTS):
        y = y.argsort()
    return y[:2, :2]


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_handlers_are_called_while_a_plan_runs(on_alarm: Start) -> None:
    calls: list[int] = []
    y = _long_plan()
    on_alarm(lambda: calls.append(1), 0.01, 0.01)
    y.tolist()
    assert len(calls) >= 2  # at its end alone they are called once


def test_an_interrupted_plan_goes_on_at_the_next_look(on_alarm: Start) -> None:
    expected = _long_plan().tolist()
    y = _long_plan()
    later = y * 2
    with pytest.raises(KeyboardInterrupt), on_alarm(_interrupt, 0.01):
        y.tolist()
    assert lamina.ones(2).tolist() == [1, 1]  # others are not concerned
    assert later.tolist() == [[2 * number for number in row] for row in expected]
    assert y.tolist() == expected


def test_a_handler_may_look_at_what_is_being_computed(on_alarm: Start) -> None:
    y = _long_plan()
    seen: list[list[list[int]]] = []
    on_alarm(lambda: seen.append(y.tolist()), 0.01)
    assert y.tolist() == seen[0]


def test_an_interrupted_change_of_shared_memory_leaves_the_tensor(on_alarm: Start) -> None:
    array = np.ones((2, 2), np.float32)
    x, y = lamina.from_numpy(array), _long_plan()
    with pytest.raises(KeyboardInterrupt), on_alarm(_interrupt, 0.05):
        x += y
    assert x.tolist() == array.tolist() == [[1, 1], [1, 1]]
    x += 1
    assert array.tolist() == [[2, 2], [2, 2]]


def test_an_interrupted_step_of_training_is_a_whole_one(on_alarm: Start) -> None:
    """What the optimizer had recorded is computed at the next look, as if nothing had happened."""
    weights = []
    for interrupted in (False, True):
        weight = _numbers().requires_grad_()
        y = weight
        for _ in range(SORTS):
            y = (y * weight).sort().values
        (y * y).mean().backward()
        optimizer = lamina.optim.SGD([weight], lr=0.1)
        if interrupted:
            with pytest.raises(KeyboardInterrupt), on_alarm(_interrupt, 0.01):
                optimizer.step()
        else:
            optimizer.step()
        weights.append(weight[:2, :2].tolist())
    assert weights[0] == weights[1]


def test_other_threads_go_on_with_an_interrupted_plan(on_alarm: Start) -> None:
    expected = _long_plan().tolist()
    y = _long_plan()
    with pytest.raises(KeyboardInterrupt), on_alarm(_interrupt, 0.01):
        y.tolist()
    seen: list[bool] = []
    threads = [threading.Thread(target=lambda: seen.append(y.tolist() == expected)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 3
