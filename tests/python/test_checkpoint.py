"""Checkpointed parts of models: the same numbers, gradients and random draws, without the intermediate results."""

from __future__ import annotations

from typing import Any

import pytest

import lamina
from lamina import nn
from lamina.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def _net() -> Any:
    lamina.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 2))


def _gradients(net: Any, x: Any, run: Any) -> list[Any]:
    net.zero_grad()
    x.grad = None
    lamina.manual_seed(1)
    run(x).square().sum().backward()
    return [p.grad.clone() for p in net.parameters()] + [x.grad]


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
    with pytest.warns(UserWarning, match="use_reentrant parameter"):
        checkpoint(lamina.exp, x)


def test_a_function_that_changes_its_mind() -> None:
    sizes = [2, 3]
    y = checkpoint(lambda x: x.expand(sizes.pop(0), 3) * 1, lamina.ones(1, 3, requires_grad=True), use_reentrant=False)
    with pytest.raises(CheckpointError, match="different metadata"):
        y.sum().backward()
