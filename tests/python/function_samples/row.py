"""What a row of the table of composed functions holds, and the operands it is made of."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["Array", "Row", "index", "row", "x"]

Array = np.ndarray[Any, Any]


@dataclasses.dataclass(frozen=True)
class Row:
    """``lamina.<name>(*args, **kwargs)``, where arrays are tensors; `reference` gets the same and gives the arrays."""

    name: str
    args: tuple[Any, ...]
    reference: Callable[..., Any]
    kwargs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    gradient: bool = True
    second: bool = True  # whether the gradient has a gradient worth checking


def x(*shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0) -> Array:
    """Distinct float64 numbers in (low, high), in no order and at uneven distances, so that sums do not tie."""
    count = math.prod(shape)
    steps = (np.arange(count) + 0.2 + np.arange(1, count + 1) * 0.618 % 1 * 0.6) / max(count, 1)
    return (low + (high - low) * np.random.default_rng(seed + count).permutation(steps)).reshape(shape)


def index(*values: int) -> Array:
    return np.array(values, dtype=np.int64)


def row(
    name: str, *args: Any, reference: Callable[..., Any], gradient: bool = True, second: bool = True, **kw: Any
) -> Row:
    return Row(name, args, reference, kw, gradient, second)
