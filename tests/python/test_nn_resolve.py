"""nn.resolve: shapes without data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn


def make() -> nn.Sequential:
    return nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.Dropout(0.5), nn.Sequential(nn.LazyLinear(3), nn.Tanh()))


def test_gives_shapes_and_numbers() -> None:
    net = make()
    weight = net[0].weight
    assert nn.resolve(net, (2, 20)) == (2, 3)
    assert type(net[0]) is type(net[3][0]) is nn.Linear
    assert net[0].weight is weight
    assert weight.shape == (6, 20)
    assert net[3][0].weight.shape == (3, 6)
    values = weight.detach().numpy()
    assert np.isfinite(values).all()
    assert 0.5 / np.sqrt(20) < abs(values).max() <= 1 / np.sqrt(20)
    assert net(lamina.rand(5, 20)).shape == (5, 3)


def test_the_same_numbers_as_a_first_call_would_give() -> None:
    lamina.manual_seed(1)
    called = nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(3))
    called(lamina.zeros(2, 20))
    lamina.manual_seed(1)
    resolved = nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(3))
    nn.resolve(resolved, (2, 20))
    for a, b in zip(called.parameters(), resolved.parameters()):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_leaves_random_state_alone() -> None:
    lamina.manual_seed(5)
    before = lamina.get_rng_state()
    nn.resolve(make(), (2, 20))
    assert (lamina.get_rng_state() == before).all()
    after = lamina.rand(3).tolist()
    lamina.manual_seed(5)
    assert lamina.rand(3).tolist() == after


def test_needs_no_lazy_layers_and_any_inputs() -> None:
    assert nn.resolve(nn.Linear(4, 3), (5, 7, 4)) == (5, 7, 3)
    assert nn.resolve(nn.Flatten(), [2, 3, 4]) == (2, 12)
    assert nn.resolve(nn.Linear(4, 3), lamina.rand(2, 4)) == (2, 3)
    assert nn.resolve(nn.Bilinear(2, 3, 4), (5, 2), (5, 3)) == (5, 4)

    class Many(nn.Module):
        def forward(self, X: lamina.Tensor, *, scale: int) -> dict[str, Any]:
            assert X.dtype == lamina.float64
            return {"pair": (X * scale, [X.sum()]), "note": "text"}

    assert nn.resolve(Many(), (2, 3), dtype=lamina.float64, scale=2) == {"pair": ((2, 3), [()]), "note": "text"}
    for wrong in (7, ("a",), (2.5, 1)):
        with pytest.raises(TypeError, match="expected shapes"):
            nn.resolve(nn.ReLU(), wrong)  # type: ignore[arg-type]


def test_computes_nothing_and_touches_nothing() -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", lamina.zeros(1))
            self.weight = nn.Parameter(lamina.ones(4))
            self.constant = lamina.ones(1)

        def forward(self, X: lamina.Tensor) -> lamina.Tensor:
            self.calls += 1
            self.constant.mul_(2)
            with lamina.no_grad():
                self.weight.zero_()
            return X * self.weight

    module = Counts()
    assert nn.resolve(module, (2, 4)) == (2, 4)
    assert module.calls.tolist() == [0]
    assert module.constant.tolist() == [1]
    assert module.weight.tolist() == [1, 1, 1, 1]
    assert module.weight.grad is None


def test_enormous_inputs_cost_nothing() -> None:
    net = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(1))
    peak = lamina.memory_stats()["live_bytes"]
    assert nn.resolve(net, (1_000_000_000, 16)) == (1_000_000_000, 1)
    assert lamina.memory_stats()["live_bytes"] < peak + 100_000


def test_looking_at_numbers_names_the_module() -> None:
    class Looks(nn.Module):
        def forward(self, X: lamina.Tensor) -> lamina.Tensor:
            while X.abs().sum() > 1:
                X = X / 2
            return X

    net = nn.Sequential(nn.LazyLinear(4), Looks())
    with pytest.raises(RuntimeError, match=r"Sequential\.1"):
        nn.resolve(net, (2, 3))
    assert lamina.ones(2).sum().item() == 2
    assert net(lamina.rand(2, 3)).abs().sum().item() <= 1


def test_shape_errors_come_as_in_a_real_call() -> None:
    net = nn.Sequential(nn.LazyLinear(4), nn.Linear(5, 1))
    with pytest.raises(RuntimeError, match=r"expected 5 input features, got 4.*Sequential\.1"):
        nn.resolve(net, (2, 3))
    assert lamina.ones(2).sum().item() == 2


def test_parts_that_forward_changes_are_as_before() -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.LazyLinear(3)
            self.seen = lamina.arange(6.0).reshape(2, 3)
            self.spread = lamina.ones(2, 1).expand(2, 3)

        def forward(self, x: lamina.Tensor) -> lamina.Tensor:
            y = self.linear(x)
            with lamina.no_grad():
                self.seen[0] = y[0]
                self.seen[:, 1] += y[:, 0]
                self.seen[lamina.tensor([1])] = 5.0
                self.spread.fill_(7.0)
            return y

    net = Counts()
    for _ in range(20):  # what is noted must outlive the views that were assigned to
        nn.resolve(net, (2, 4))
    assert net.seen.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert net.spread.tolist() == [[1, 1, 1], [1, 1, 1]]
    net(lamina.ones(2, 4))
    assert net.seen[1].tolist() == [5, 5, 5]
    assert net.spread.tolist() == [[7, 7, 7], [7, 7, 7]]
