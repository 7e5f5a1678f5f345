"""The weights and inputs of the workloads: the same numbers for every contender, float32, from fixed seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Layer = tuple[Array, Array]


def normal(*shape: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


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
