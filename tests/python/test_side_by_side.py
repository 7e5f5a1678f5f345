"""Threads go through the short steps of a deep net side by side: no number depends on how many there are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import lamina
from lamina import nn, optim
from lamina.nn import functional as F


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second, self.norm = nn.Linear(width, width), nn.Linear(width, width), nn.LayerNorm(width)

    def forward(self, x: lamina.Tensor) -> lamina.Tensor:
        return x + self.second(self.first(self.norm(x)).relu())


@pytest.fixture(autouse=True)
def _same_threads_afterwards() -> Iterator[None]:
    before = lamina.get_num_threads()
    yield
    lamina.set_num_threads(before)


def _trained(threads: int, rows: int, width: int, optimizer: type[optim.Optimizer]) -> list[bytes]:
    lamina.set_num_threads(threads)
    lamina.manual_seed(0)
    net = nn.Sequential(*[Block(width) for _ in range(5)])
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
