"""The gradient switches as decorators: of functions, of generators, nested, and after exceptions."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

import lamina


@pytest.fixture(autouse=True)
def _modes_are_restored() -> Generator[None, None, None]:
    yield
    assert lamina.is_grad_enabled()
    assert not lamina.is_inference_mode_enabled()


@pytest.mark.parametrize(
    ("switch", "enabled"),
    [
        (lamina.no_grad, False),
        (lamina.no_grad(), False),
        (lamina.enable_grad, True),
        (lamina.enable_grad(), True),
        (lamina.inference_mode, False),
        (lamina.inference_mode(), False),
        (lamina.inference_mode(False), True),
    ],
)
def test_decorator(switch: Any, enabled: bool) -> None:
    @switch  # type: ignore[untyped-decorator]
    def mode(depth: int, *, flag: bool) -> Any:
        """Its words."""
        assert flag
        return mode(depth - 1, flag=True) if depth else lamina.is_grad_enabled()

    assert mode.__name__ == "mode"
    assert mode.__doc__ == "Its words."
    for before in (True, False):
        with lamina.set_grad_enabled(before):
            assert mode(3, flag=True) is enabled  # recursion: each call has its own switch
            assert lamina.is_grad_enabled() is before


def test_set_grad_enabled_as_decorator_waits_for_the_call() -> None:
    @lamina.set_grad_enabled(False)
    def mode() -> bool:
        return lamina.is_grad_enabled()

    assert lamina.is_grad_enabled()
    assert mode() is False
    assert lamina.is_grad_enabled()


def test_exception_restores() -> None:
    for switch in (lamina.no_grad, lamina.inference_mode, lambda: lamina.set_grad_enabled(False)):
        with pytest.raises(KeyError), switch():
            raise KeyError
        assert lamina.is_grad_enabled()


def test_one_switch_nested_in_itself() -> None:
    off = lamina.no_grad()
    with off:
        with lamina.enable_grad(), off:
            assert not lamina.is_grad_enabled()
        assert not lamina.is_grad_enabled()


def test_inference_mode_off_within() -> None:
    with lamina.inference_mode():
        assert lamina.is_inference_mode_enabled()
        with lamina.inference_mode(False):
            assert not lamina.is_inference_mode_enabled()
            assert lamina.is_grad_enabled()
        assert not lamina.is_grad_enabled()


def test_generator_runs_in_the_mode_and_its_consumer_does_not() -> None:
    cleaned = []

    @lamina.no_grad()
    def steps() -> Generator[bool, str, str]:
        try:
            got = yield lamina.is_grad_enabled()
            assert not lamina.is_grad_enabled()
            try:
                yield got == "sent"
            except KeyError:
                yield lamina.is_grad_enabled()
        finally:
            cleaned.append(lamina.is_grad_enabled())
        return "returned"

    def consumer() -> Generator[Any, str, None]:
        result = yield from steps()
        yield result

    running = consumer()
    assert next(running) is False
    assert lamina.is_grad_enabled()
    assert running.send("sent") is True
    assert running.throw(KeyError()) is False
    assert lamina.is_grad_enabled()
    assert next(running) == "returned"
    assert cleaned == [False]


def test_generator_closed_early_cleans_up_in_the_mode() -> None:
    cleaned = []

    @lamina.no_grad
    def steps() -> Generator[int, None, None]:
        try:
            yield 1
            yield 2
        finally:
            cleaned.append(lamina.is_grad_enabled())

    running = steps()
    assert next(running) == 1
    running.close()
    assert cleaned == [False]
    assert lamina.is_grad_enabled()


def test_generator_that_raises() -> None:
    @lamina.no_grad()
    def steps() -> Generator[int, None, None]:
        yield 1
        raise ZeroDivisionError

    running = steps()
    next(running)
    with pytest.raises(ZeroDivisionError):
        next(running)
    assert lamina.is_grad_enabled()


def test_backward_and_grad_as_functions() -> None:
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    lamina.autograd.backward([y], [lamina.tensor([1.0, 10.0])])
    assert x.grad is not None
    assert x.grad.tolist() == [2, 40]
    unused = lamina.ones(3, requires_grad=True)
    used, missing = lamina.autograd.grad((x * 3).sum(), [x, unused], allow_unused=True)
    assert used.tolist() == [3, 3]
    assert missing is None
    assert lamina.autograd.grad((x * 3).sum(), [x, unused], materialize_grads=True)[1].tolist() == [0, 0, 0]
    with pytest.raises(RuntimeError):
        lamina.autograd.grad((x * 3).sum(), [x, unused])
    with pytest.raises(RuntimeError, match="2 tensors and 1 gradients"):
        lamina.autograd.backward([x * 1, x * 2], [x.detach()])
    with pytest.raises(RuntimeError, match="cannot be empty"):
        lamina.autograd.backward((x * 3).sum(), inputs=[])


def test_tensors_of_inference_mode() -> None:
    normal = lamina.ones(2)
    with lamina.inference_mode():
        made = [lamina.ones(2), lamina.tensor([1.0, 2.0]), lamina.rand(2), normal * 2, normal.clone()]
        normal.add_(1)
        made[0].add_(1)
        view = normal.view(2, 1)
    assert all(lamina.is_inference(x) for x in made)
    assert not lamina.is_inference(normal)
    assert not lamina.is_inference(view)
    assert lamina.is_inference(made[0][0])
    assert not lamina.is_inference(made[0] + 1)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
        made[0].add_(1)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        made[0].squeeze_()


def test_a_view_of_inference_mode_is_a_leaf_that_requires_what_its_base_requires() -> None:
    base = lamina.ones(2, 2, requires_grad=True) * 1
    with lamina.inference_mode():
        view, (row, _) = base.view(-1), base.unbind()
        assert all(x.requires_grad and x.is_leaf and x._is_view() and not x.is_inference() for x in (view, row))
        view.add_(1)
        assert base.tolist() == [[2, 2], [2, 2]]
        assert view.requires_grad
        assert view._version == base._version == 1
        made = lamina.ones(2, requires_grad=True)
    (row * 3).sum().backward()
    assert row.grad.tolist() == [3, 3]
    with pytest.raises(RuntimeError, match="A view was created in inference mode and its base or another view"):
        _ = view.grad_fn
    with pytest.raises(RuntimeError, match="do not track version counter"):
        _ = made._version
    assert made[0]._base is None
    assert not made[0].requires_grad

    class Identity(lamina.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * 1

    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        Identity.apply(made)
