"""A net and questions to a profile, for the tests of profiles."""

from __future__ import annotations

from typing import Any

import lamina
from lamina import nn
from lamina.profiler.profiler import profile
from lamina.profiler.trace import Trace


class Pair(nn.Module):
    """Two branches of equal structure."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Linear(8, 8)
        self.right = nn.Sequential(nn.Linear(8, 8), nn.ReLU())

    def forward(self, x: lamina.Tensor) -> lamina.Tensor:
        return self.right(self.left(x))


def train(net: nn.Module, optimizer: Any, x: lamina.Tensor) -> None:
    optimizer.zero_grad()
    net(x).square().mean().backward()
    optimizer.step()


def rows(p: profile) -> dict[str, Any]:
    return {row.path: row for row in p.modules()}


def trace_of(p: profile) -> Trace:
    assert p._trace is not None
    return p._trace


def counts(p: profile) -> dict[str, int]:
    return {event.key: event.count for event in p.key_averages()}
