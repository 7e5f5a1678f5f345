"""lamina.amp.GradScaler: scaling losses, skipping steps, and where the factor goes."""

from __future__ import annotations

import pickle

import pytest

import lamina
from lamina import Tensor, nn
from lamina.amp import GradScaler


def _case() -> tuple[nn.Linear, lamina.optim.SGD, Tensor]:
    lamina.manual_seed(0)
    net = nn.Linear(3, 2)
    return net, lamina.optim.SGD(net.parameters(), lr=0.1, momentum=0.9), lamina.rand(4, 3)


def test_steps_are_those_without_a_factor() -> None:
    net, optimizer, x = _case()
    plain, plain_optimizer, _ = _case()
    scaler = GradScaler("cpu", init_scale=128, growth_interval=2)
    for _ in range(3):
        for parts in ((net, optimizer), (plain, plain_optimizer)):
            parts[1].zero_grad()
        scaler.scale(net(x).square().sum()).backward()
        plain(x).square().sum().backward()
        scaler.step(optimizer)
        scaler.update()
        plain_optimizer.step()
    assert lamina.equal(net.weight, plain.weight)  # powers of two change no digit
    assert scaler.get_scale() == 256
    assert scaler.state_dict()["_growth_tracker"] == 1


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
def test_a_step_with_gradients_that_are_not_finite_is_skipped(bad: float) -> None:
    net, optimizer, x = _case()
    before = net.weight.detach().clone()
    scaler = GradScaler("cpu", init_scale=8, backoff_factor=0.25)
    scaler.scale(net(x).sum()).backward()
    assert net.bias is not None
    assert net.bias.grad is not None
    net.bias.grad[1] = bad
    assert scaler.step(optimizer) is None
    scaler.update()
    assert lamina.equal(net.weight, before)
    assert scaler.get_scale() == 2


def test_gradients_are_divided_once() -> None:
    net, optimizer, x = _case()
    scaler = GradScaler("cpu", init_scale=4)
    scaler.scale(net(x).sum()).backward()
    scaler.unscale_(optimizer)
    assert net.bias is not None
    assert net.bias.grad is not None
    assert net.bias.grad.tolist() == [4, 4]
    with pytest.raises(RuntimeError, match="already been called on this optimizer"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="since the last update"):
        scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="after step"):
        scaler.unscale_(optimizer)
    with pytest.raises(AssertionError, match="may only be pickled"):
        pickle.dumps(scaler)
    scaler.update(3.0)
    assert scaler.get_scale() == 3


def test_nested_outputs_and_misuse() -> None:
    _, optimizer, _ = _case()
    scaler = GradScaler("cpu", init_scale=2)
    with pytest.raises(AssertionError, match="_scale is None"):
        scaler.update()
    a, (b,) = scaler.scale([lamina.ones(1), (lamina.ones(2),)])
    assert (a.tolist(), b.tolist()) == ([2], [2, 2])
    assert next(scaler.scale(iter([lamina.ones(())]))).item() == 2
    for no_tensors in (1, "text"):
        with pytest.raises(ValueError, match="an iterable of Tensors"):
            scaler.scale(no_tensors)
    with pytest.raises(AssertionError, match="No inf checks were recorded for this optimizer"):
        scaler.step(optimizer)
    with pytest.raises(AssertionError, match="recorded prior to update"):
        scaler.update()
    with pytest.raises(RuntimeError, match="Closure use"):
        scaler.step(optimizer, closure=lambda: 0.0)
    half = nn.Linear(2, 2).half()
    half.weight.grad = lamina.ones(2, 2).half()
    with pytest.raises(ValueError, match="FP16 gradients"):
        scaler.unscale_(lamina.optim.SGD(half.parameters(), 0.1))


def test_the_factor_stays_finite_and_in_the_state() -> None:
    net, optimizer, x = _case()
    scaler = GradScaler("cpu", init_scale=1e38, growth_factor=16.0, growth_interval=1)
    scaler.scale(net(x).sum() * 1e-30).backward()
    scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() == pytest.approx(1e38)
    other = GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    assert other.state_dict() == scaler.state_dict()
    twin = pickle.loads(pickle.dumps(scaler))
    assert twin.state_dict() == scaler.state_dict()
    with pytest.raises(RuntimeError, match="source state dict is empty"):
        other.load_state_dict({})


def test_off_it_does_nothing() -> None:
    net, optimizer, x = _case()
    with pytest.warns(UserWarning, match="CUDA is not available"):
        assert not GradScaler().is_enabled()
    scaler = GradScaler(enabled=False)
    loss = net(x).sum()
    assert scaler.scale(loss) is loss
    loss.backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert (scaler.get_scale(), scaler.state_dict()) == (1.0, {})
    scaler.load_state_dict({})
