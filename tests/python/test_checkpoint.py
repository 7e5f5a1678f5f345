"""Checkpointed parts of models: the same numbers, gradients and random draws, without the intermediate results."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

import lamina
from lamina import nn
from lamina.utils.checkpoint import (
    CheckpointError,
    checkpoint,
    checkpoint_sequential,
    get_device_states,
    set_checkpoint_debug_enabled,
    set_checkpoint_early_stop,
    set_device_states,
)


def _net() -> Any:
    lamina.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 2))


def _gradients(net: Any, x: Any, run: Any) -> list[Any]:
    net.zero_grad()
    x.grad = None
    lamina.manual_seed(1)
    run(x).square().sum().backward()
    return [p.grad.clone() for p in net.parameters()] + [x.grad]


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # inside of a reentrant one
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_the_same_gradients(use_reentrant: bool) -> None:
    net, x = _net(), lamina.ones(4, 3, requires_grad=True)
    wanted = _gradients(net, x, net)
    for run in (
        lambda x: checkpoint(net, x, use_reentrant=use_reentrant),
        lambda x: checkpoint_sequential(net, 2, x, use_reentrant=use_reentrant),
        lambda x: checkpoint(
            lambda y: checkpoint(net, y * 1, use_reentrant=use_reentrant), x, use_reentrant=use_reentrant
        ),
    ):
        for got, expected in zip(_gradients(net, x, run), wanted, strict=True):
            assert lamina.allclose(got, expected, atol=1e-6)


def test_random_state_goes_on_as_without() -> None:
    net, x = _net(), lamina.ones(4, 3, requires_grad=True)
    lamina.manual_seed(1)
    net(x).sum().backward()
    after = lamina.rand(3)
    lamina.manual_seed(1)
    checkpoint(net, x, use_reentrant=False).sum().backward()
    assert lamina.equal(lamina.rand(3), after)


def test_grad_reaches_what_the_function_uses() -> None:
    x, w = lamina.ones(2, requires_grad=True), lamina.full((2,), 3.0, requires_grad=True)
    hidden = w * 2
    seen: list[Any] = []
    hidden.register_hook(lambda g: seen.append(g.tolist()))
    calls: list[int] = []

    def f(x: Any, scale: float = 1.0) -> Any:
        calls.append(1)
        return {"a": (x * hidden).exp() * scale, "b": [x, "text"]}

    out = checkpoint(f, x, use_reentrant=False, scale=2.0)
    assert out["b"] == [x, "text"]
    assert out["b"][0] is x
    gx, gw = lamina.autograd.grad(out["a"].sum(), (x, w), create_graph=True)
    assert len(calls) == 2
    assert lamina.allclose(gx, 2 * hidden * (x * hidden).exp())
    assert lamina.allclose(gw, 2 * 2 * x * (x * hidden).exp())
    assert len(seen) == 1  # once, with the whole gradient
    (second,) = lamina.autograd.grad(gx.sum(), x)
    assert lamina.allclose(second, 2 * hidden**2 * (x * hidden).exp())


def test_intermediate_results_are_not_kept() -> None:
    x = lamina.rand(500, 500, requires_grad=True)

    def deep(x: Any) -> Any:
        for _ in range(20):
            x = x.sin().exp().log()
        return x.sum()

    def held(run: Any) -> int:
        before = lamina.memory_stats()["live_bytes"]
        y = run(x)
        y.item()
        return lamina.memory_stats()["live_bytes"] - before

    assert held(lambda x: checkpoint(deep, x, use_reentrant=False)) < held(deep) / 10


def test_without_gradients() -> None:
    x = lamina.ones(2)
    assert checkpoint(lamina.exp, x, use_reentrant=False).grad_fn is None
    with lamina.no_grad():
        assert checkpoint(lamina.exp, x.clone().requires_grad_(), use_reentrant=False).grad_fn is None
    with pytest.warns(UserWarning, match="use_reentrant parameter|None of the inputs"):
        checkpoint(lamina.exp, x)


def test_a_function_that_changes_its_mind() -> None:
    sizes = [2, 3]
    y = checkpoint(lambda x: x.expand(sizes.pop(0), 3) * 1, lamina.ones(1, 3, requires_grad=True), use_reentrant=False)
    with pytest.raises(CheckpointError, match="different metadata"):
        y.sum().backward()


def test_what_is_saved_must_be_the_same_both_times() -> None:
    def run(first: Any, second: Any, **options: Any) -> None:
        bodies = [first, second]
        y = checkpoint(lambda x: bodies.pop(0)(x), x, use_reentrant=False, **options)
        y.sum().backward()

    x = lamina.ones(1, requires_grad=True)

    def short(x: Any) -> Any:
        return x.sin().exp()

    def long(x: Any) -> Any:
        return x.sin().exp().sin()

    def wide(x: Any) -> Any:
        return x.sin() * lamina.ones(2)

    with pytest.raises(CheckpointError, match="A different number of tensors was saved"):
        run(long, short)
    run(short, long)
    with pytest.raises(CheckpointError, match="trying to save more tensors during recomputation"):
        run(short, long, early_stop=False)
    with set_checkpoint_early_stop(False), pytest.raises(CheckpointError, match="trying to save more"):
        run(short, long)
    with pytest.raises(CheckpointError, match="different metadata"):
        run(short, wide)
    with pytest.raises(
        CheckpointError, match=r"(?s)passed `debug=True`.*forward pass: sin, exp.*recomputation: sin, mul"
    ):
        run(short, wide, debug=True)
    with set_checkpoint_debug_enabled(False), pytest.raises(CheckpointError, match="checkpoint: Recomputed values"):
        run(short, wide, debug=True)
    run(lambda x: x.exp().sum(), lambda x: x.expand(2).exp().sum(), determinism_check="none")
    with pytest.raises(ValueError, match="determinism_check should be one of"):
        run(short, short, determinism_check="other")


def test_a_context_for_each_call() -> None:
    order: list[str] = []

    @contextlib.contextmanager
    def note(name: str) -> Any:
        order.append(name)
        yield
        order.append("end")

    x = lamina.ones(1, requires_grad=True)
    y = checkpoint(lamina.exp, x, use_reentrant=False, context_fn=lambda: (note("first"), note("second")))
    assert order == ["first", "end"]
    y.sum().backward()
    assert order == ["first", "end", "second", "end"]


def test_reentrant() -> None:
    x, w = lamina.ones(2, requires_grad=True), lamina.full((2,), 3.0, requires_grad=True)
    y = checkpoint(lambda x, scale: (x * w).exp() * scale, x, 2.0, use_reentrant=True)
    assert type(y.grad_fn).__name__ == "CheckpointFunctionBackward"
    with pytest.raises(RuntimeError, match=r"incompatible with \.grad\(\)"):
        lamina.autograd.grad(y.sum(), x, retain_graph=True)
    y.sum().backward()
    assert lamina.allclose(x.grad, 2 * w * (x * w).exp())
    assert lamina.allclose(w.grad, 2 * x * (x * w).exp())
    y = checkpoint(lambda x: x.detach() * 2, x, use_reentrant=True)
    with pytest.raises(RuntimeError, match="none of output has requires_grad=True"):
        y.sum().backward()
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        assert not checkpoint(lambda x: x * w, lamina.ones(2), use_reentrant=True).requires_grad
    with pytest.raises(ValueError, match="only supported when use_reentrant=False"):
        checkpoint(lamina.exp, x, use_reentrant=True, debug=True)


def test_there_are_no_states_of_other_devices() -> None:
    devices, states = get_device_states(lamina.ones(2), [lamina.ones(1)])
    assert (devices, states) == ([], [])
    set_device_states(devices, states)
    with pytest.raises(RuntimeError, match="no device but the CPU"):
        set_device_states([0], [lamina.get_rng_state()])
