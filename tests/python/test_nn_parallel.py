"""Batches cut for several devices and put together again; there is one device."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import pytest

import lamina
from lamina.nn.parallel import gather, scatter

Pair = namedtuple("Pair", ["x", "scale"])


def test_what_is_scattered_is_gathered() -> None:
    batch = lamina.arange(10.0, requires_grad=True)
    given = [Pair(batch.reshape(5, 2), 3), {"labels": lamina.arange(5)}, "mean", []]
    parts = scatter(given, ["cpu", "cpu"])
    assert [part[0].x.shape[0] for part in parts] == [3, 2]
    assert [part[1]["labels"].tolist() for part in parts] == [[0, 1, 2], [3, 4]]
    assert all(part[0].scale == 3 and part[2:] == ["mean", []] for part in parts)
    together = gather([Pair(part[0].x * 2, part[1]["labels"].sum()) for part in parts], "cpu")
    assert type(together) is Pair
    assert together.scale.tolist() == [3, 7]
    together.x.sum().backward()
    assert batch.grad.tolist() == [2] * 10


def test_gather_of_dicts() -> None:
    parts = [OrderedDict(a=lamina.ones(1, 2), b=None), OrderedDict(a=lamina.zeros(1, 2), b=None)]
    together = gather(parts, "cpu", dim=1)
    assert type(together) is OrderedDict
    assert together["a"].tolist() == [[1, 1, 0, 0]]
    assert together["b"] is None
    with pytest.raises(ValueError, match="number of keys"):
        gather([{"a": lamina.ones(1)}, {"b": lamina.ones(1)}], "cpu")


def test_scatter_to_fewer_parts_than_devices() -> None:
    assert [part.tolist() for part in scatter(lamina.arange(2), ["cpu"] * 3)] == [[0], [1]]
    with pytest.raises((RuntimeError, AssertionError)):
        scatter(lamina.arange(2), ["cuda:0"])
