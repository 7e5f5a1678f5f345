"""What belongs to one thread while others run: walks over the gradient graph, the levels of vmap, and a look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import lamina
from lamina import _core
from lamina.autograd import Function

_PATIENCE = 20  # seconds


def _run(*bodies: Callable[[], None]) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def anomaly_mode() -> Iterator[None]:
    with lamina.autograd.set_detect_anomaly(True):
        yield


def test_walks_that_interleave_are_each_current_in_their_own_thread() -> None:
    first_inside, second_inside, first_ended = threading.Event(), threading.Event(), threading.Event()
    walks = {}

    def walk(hook: Callable[[Any], None]) -> None:
        x = lamina.ones(3, requires_grad=True)
        y = x * x
        y.register_hook(hook)
        y.sum().backward()

    def first() -> None:
        def hook(_: Any) -> None:
            first_inside.set()
            assert second_inside.wait(_PATIENCE)
            walks["first"] = _core._current_walk()

        walk(hook)
        first_ended.set()

    def second() -> None:
        def hook(_: Any) -> None:
            second_inside.set()
            assert first_ended.wait(_PATIENCE)
            walks["second"] = _core._current_walk()

        assert first_inside.wait(_PATIENCE)
        walk(hook)

    _run(first, second)
    assert walks["first"]
    assert walks["second"]
    assert walks["first"] != walks["second"]
    assert _core._current_walk() == 0


@pytest.mark.usefixtures("anomaly_mode")
def test_walks_over_shared_leaves_while_python_runs_between_operations() -> None:
    weight = lamina.ones(100, 100, requires_grad=True)
    wrong = []

    def differentiate(leaf: Any, depth: int) -> Any:
        x = leaf
        for _ in range(depth):
            x = (x * 1.0001).sin()
        (gradient,) = lamina.autograd.grad((x + leaf * leaf).sum(), leaf)
        return gradient

    def work(depth: int) -> Callable[[], None]:
        def body() -> None:
            expected = differentiate(weight.detach().requires_grad_(), depth)
            wrong.extend(depth for _ in range(5) if not lamina.equal(differentiate(weight, depth), expected))

        return body

    _run(work(3), work(9), work(17))
    assert not wrong


def test_random_numbers_while_another_thread_is_in_vmap() -> None:
    inside, drawn = threading.Event(), threading.Event()
    shapes = []

    def double(x: Any) -> Any:
        inside.set()
        assert drawn.wait(_PATIENCE)
        return x * 2

    def batch() -> None:
        assert lamina.vmap(double)(lamina.ones(3, 2)).tolist() == [[2.0, 2.0]] * 3

    def draw() -> None:
        assert inside.wait(_PATIENCE)
        try:
            shapes.append(lamina.rand(2).shape)
        finally:
            drawn.set()

    _run(batch, draw)
    assert shapes == [(2,)]


class _Deeper(Function):
    """Its gradient is a backward pass through another one, `depth` times."""

    @staticmethod
    def forward(ctx: Any, x: Any, depth: int) -> Any:
        ctx.depth = depth
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        assert not lamina.is_grad_enabled()
        with lamina.enable_grad():
            x = lamina.ones(1, requires_grad=True)
            y = _Deeper.apply(x, ctx.depth - 1) if ctx.depth != 1 else x * 5
            y.sum().backward()
        return x.grad, None


def test_passes_within_passes_need_not_end_at_a_threads_stack() -> None:
    x = lamina.ones(1, requires_grad=True)
    _Deeper.apply(x, 500).sum().backward()
    assert x.grad.tolist() == [5]  # type: ignore[union-attr]
    assert lamina.autograd.is_multithreading_enabled()
    with lamina.autograd.set_multithreading_enabled(False):
        assert not lamina.autograd.is_multithreading_enabled()
        y = _Deeper.apply(x, 500)
        with pytest.raises(RecursionError):
            y.backward()
    assert lamina.autograd.is_multithreading_enabled()


def test_an_error_comes_up_through_the_threads() -> None:
    class Failing(_Deeper):
        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            if ctx.depth == 0:
                raise KeyError("at the bottom")
            with lamina.enable_grad():
                Failing.apply(lamina.ones(1, requires_grad=True), ctx.depth - 1).sum().backward()
            return gradient, None

    with pytest.raises(KeyError, match="at the bottom"):
        Failing.apply(lamina.ones(1, requires_grad=True), 130).sum().backward()


@pytest.mark.parametrize("look", [lambda x: x.numpy()[0, 0], lambda x: memoryview(x)[0, 0]])
def test_a_tensor_is_looked_at_while_another_thread_changes_it(look: Callable[[lamina.Tensor], float]) -> None:
    m, x = lamina.ones(256, 256) / 256, lamina.zeros(256, 256)
    ended = threading.Event()

    def change() -> None:
        while not ended.is_set():
            x.zero_()
            time.sleep(0)

    thread = threading.Thread(target=change)
    thread.start()
    late = time.monotonic() + 4  # a sanitizer makes each turn many times as long
    try:
        for _ in range(1500):
            x.data = m @ m
            assert look(x) in (0, 1 / 256)
            if time.monotonic() > late:
                break
    finally:
        ended.set()
        thread.join()
