"""The weights and inputs of the workloads: the same numbers for every contender, float32, from fixed seeds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Layer = tuple[Array, Array]
LARGE = 10**7  # elements; to draw more takes longer than to time what they are for


def normal(*shape: int, seed: int = 1) -> Array:
    count = prod(shape)
    return (_kept if count >= LARGE else _drawn)(count, seed).reshape(shape)


def _drawn(count: int, seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal(count, dtype=np.float32)


@lru_cache(maxsize=1)
def _kept(count: int, seed: int) -> Array:
    """The large array of one workload is that of the next; nobody may write into it."""
    drawn = _drawn(count, seed)
    drawn.flags.writeable = False
    return drawn


def factors(batch: int, rows: int, depth: int, columns: int, dtype: str, transposed: bool) -> tuple[Array, Array]:
    """Of products (batch, rows, depth) by (batch, depth, columns); the second as its transpose if so wanted."""
    second = (columns, depth) if transposed else (depth, columns)
    return normal(batch, rows, depth).astype(dtype), normal(batch, *second, seed=5).astype(dtype)


def labels(batch: int, classes: int) -> Array:
    return np.random.default_rng(2).integers(0, classes, batch)


def norm(width: int) -> tuple[Array, Array, Array]:
    """Weight and bias of a layer norm, and what its results are multiplied by."""
    return 1 + normal(width, seed=6) / 10, normal(width, seed=7), normal(width, seed=8)


def layers(sizes: Sequence[int], seed: int = 3) -> list[Layer]:
    """Weights (out, in) and biases (out) of linear layers that follow one another, drawn as nn.Linear draws them."""
    generator = np.random.default_rng(seed)
    drawn = []
    for fan_in, fan_out in pairwise(sizes):
        bound = fan_in**-0.5
        weight = generator.uniform(-bound, bound, (fan_out, fan_in)).astype(np.float32)
        drawn.append((weight, generator.uniform(-bound, bound, fan_out).astype(np.float32)))
    return drawn


def blocks(count: int, width: int) -> list[tuple[Layer, Layer]]:
    """The two layers of each residual block; small, so that the sum over the blocks stays in range."""
    drawn = [layers((width, width, width), seed=10 + i) for i in range(count)]
    return [(first, (second[0] * np.float32(0.1), second[1] * np.float32(0.1))) for first, second in drawn]


def chimera() -> tuple[list[Layer], Array]:
    """The layers 20→64→32→16→20→20 of the nested net, in the order of its parameters, and its constant (20, 20)."""
    constant = np.random.default_rng(4).random((20, 20), dtype=np.float32)
    return layers((20, 64, 32, 16, 20, 20)), constant
