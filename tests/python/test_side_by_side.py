"""Threads go through the short steps of a deep net side by side: no number depends on how many there are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import lamina
from lamina import nn, optim
from lamina.nn import functional as F


class Block(nn.Module):
    def __init__(self, width: int, norm: bool = True) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)
        self.norm = nn.LayerNorm(width) if norm else nn.Identity()

    def forward(self, x: lamina.Tensor) -> lamina.Tensor:
        return x + self.second(self.first(self.norm(x)).relu())


@pytest.fixture(autouse=True)
def _same_threads_afterwards() -> Iterator[None]:
    before = lamina.get_num_threads()
    yield
    lamina.set_num_threads(before)


def _trained(
    threads: int, rows: int, width: int, optimizer: type[optim.Optimizer], blocks: int = 5, norm: bool = True
) -> list[bytes]:
    lamina.set_num_threads(threads)
    lamina.manual_seed(0)
    net = nn.Sequential(*[Block(width, norm) for _ in range(blocks)])
    update = optimizer(net.parameters(), lr=0.01)  # type: ignore[call-arg]
    x, y = lamina.rand(rows, width), lamina.randint(0, width, (rows,))
    for _ in range(3):
        update.zero_grad()
        F.cross_entropy(net(x), y).backward()
        update.step()
    return [p.detach().numpy().tobytes() for p in net.parameters()] + [net(x).detach().numpy().tobytes()]


@pytest.mark.parametrize("optimizer", [optim.SGD, optim.Adam])
@pytest.mark.parametrize(("rows", "width"), [(32, 64), (33, 48), (17, 33), (64, 40)])
def test_training_does_not_depend_on_threads(rows: int, width: int, optimizer: type[optim.Optimizer]) -> None:
    alone = _trained(1, rows, width, optimizer)
    for threads in (2, 3, 5):
        assert _trained(threads, rows, width, optimizer) == alone, f"{threads} threads"


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("rows", [32, 37])
def test_threads_that_take_turns_give_the_same_bits(rows: int, norm: bool) -> None:
    """Nets of so many layers that each thread has weights of its own."""
    alone = _trained(1, rows, 40, optim.SGD, blocks=40, norm=norm)
    for threads in (2, 3):
        assert _trained(threads, rows, 40, optim.SGD, blocks=40, norm=norm) == alone, f"{threads} threads"


NOTHING = {
    "sum": lambda: lamina.zeros(64, 0).sum(1),
    "sum of first axis": lambda: lamina.zeros(0, 64).sum(0),
    "prod": lambda: lamina.zeros(64, 0).prod(1),
    "logsumexp": lambda: lamina.zeros(64, 0).logsumexp(1),
    "logsumexp of first axis": lambda: lamina.zeros(0, 64).logsumexp(0),
    "softmax": lambda: lamina.zeros(64, 0).softmax(1).sum(1),
    "log_softmax": lambda: lamina.zeros(0, 64).log_softmax(0).sum(0),
    "cumsum": lambda: lamina.zeros(64, 0).cumsum(1).sum(1),
    "matmul": lambda: (lamina.ones(64, 0) @ lamina.ones(0, 64))[0],
    "linear": lambda: F.linear(lamina.ones(0, 64), lamina.ones(64, 64)).sum(0),
    "var of nothing": lambda: (lamina.zeros(64, 0) - lamina.zeros(64, 1)).square().sum(1),
    "layer_norm": lambda: F.layer_norm(lamina.ones(0, 64), (64,)).sum(0),
    "gather": lambda: lamina.ones(64, 3).gather(1, lamina.zeros(64, 0, dtype=lamina.int64)).sum(1),
    "conv1d": lambda: F.conv1d(lamina.ones(0, 2, 64), lamina.ones(2, 2, 1)).sum((0, 1)),
}


@pytest.mark.parametrize("name", NOTHING)
def test_steps_over_nothing_among_many_short_ones(name: str) -> None:
    lamina.set_num_threads(2)
    expected = NOTHING[name]().numpy()
    x, weight = lamina.ones(32, 64), lamina.eye(64)
    for _ in range(20):
        x = (x @ weight).relu()
    result = NOTHING[name]()
    for _ in range(20):
        x = (x @ weight).relu()
    np.testing.assert_array_equal(result.numpy(), expected)
    assert (x == 1).all()
