"""Averages of weights: SWA and EMA against their formulas, buffers, states, statistics of batch normalization."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn
from lamina.optim import swa_utils


class Net(nn.Module):
    """A layer, a running mean, and a count, which is no average of anything."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 3)
        self.register_buffer("mean", lamina.zeros(3))
        self.register_buffer("count", lamina.tensor(0))

    def forward(self, x: Any) -> Any:
        return self.linear(x)


def moved(net: Any, steps: int) -> Any:
    """Change the net `steps` times; yield nothing but the tensors of its parameters and its mean each time."""
    for step in range(steps):
        with lamina.no_grad():
            for tensor in (*net.parameters(), net.mean):
                tensor += lamina.randn_like(tensor)
            net.count += 1
        yield step, [tensor.detach().numpy().copy() for tensor in (*net.parameters(), net.mean)]


KINDS: list[tuple[dict[str, Any], Any]] = [
    ({}, lambda values: np.mean(values, 0)),
    ({"avg_fn": swa_utils.get_swa_avg_fn()}, lambda values: np.mean(values, 0)),
    ({"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()}, lambda values: np.mean(values, 0)),
    ({"avg_fn": swa_utils.get_ema_avg_fn(0.75)}, None),
    ({"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.75)}, None),
    ({"avg_fn": lambda average, current, count: 0.75 * average + 0.25 * current}, None),
]


@pytest.mark.parametrize(("options", "average"), KINDS)
@pytest.mark.parametrize("use_buffers", [False, True])
def test_averages(options: dict[str, Any], average: Any, use_buffers: bool) -> None:
    net = Net()
    averaged = swa_utils.AveragedModel(net, use_buffers=use_buffers, **options)
    history = []
    exponential: list[Any] = []
    for step, values in moved(net, 4):
        averaged.update_parameters(net)
        history.append(values)
        exponential = values if step == 0 else [0.75 * a + 0.25 * v for a, v in zip(exponential, values)]
    got = [tensor.detach().numpy() for tensor in (*averaged.module.parameters(), averaged.module.mean)]
    expected = exponential if average is None else [average(column) for column in zip(*history)]
    if not use_buffers:
        expected[-1] = history[-1][-1]
    for value, wanted in zip(got, expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)
    assert averaged.n_averaged.item() == 4
    if not use_buffers:
        assert averaged.module.count.item() == 4
    X = lamina.ones(1, 2)
    assert lamina.equal(averaged(X), averaged.module(X))
    assert averaged.module.linear.weight is not net.linear.weight


def test_state_and_pickle() -> None:
    net = Net()
    averaged, other = swa_utils.AveragedModel(net), swa_utils.AveragedModel(net)
    for _ in moved(net, 3):
        averaged.update_parameters(net)
    other.load_state_dict(averaged.state_dict())
    third = pickle.loads(pickle.dumps(averaged))
    for twin in (other, third):
        assert twin.n_averaged.item() == 3
        assert lamina.equal(twin.module.linear.weight, averaged.module.linear.weight)


@pytest.mark.parametrize("training", [True, False])
def test_update_bn_averages_over_one_pass(training: bool) -> None:
    data = lamina.randn(12, 2)
    net = nn.Sequential(nn.BatchNorm1d(2, momentum=0.3))
    net.train(training)
    for batches in (list(data.split(4)), [(x, 0) for x in data.split(4)]):
        swa_utils.update_bn(batches, net)
        np.testing.assert_allclose(net[0].running_mean.numpy(), data.mean(0).numpy(), rtol=1e-5, atol=1e-6)
        assert net[0].momentum == 0.3
        assert net.training is training
    swa_utils.update_bn(iter(()), nn.Linear(1, 1))


def test_errors() -> None:
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn"):
        swa_utils.AveragedModel(Net(), avg_fn=max, multi_avg_fn=max)
    for make in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match=r"Invalid decay value 1\.5"):
            make(1.5)
