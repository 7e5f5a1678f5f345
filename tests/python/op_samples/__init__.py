"""The table of op samples: one row (or more) for every op, over which test_ops.py iterates."""

from __future__ import annotations

from . import binary, cells, creation, fourier, indexing, ordering, products, reductions, shapes, unary, windows
from .indexing import INDEX_EXPRESSIONS, tensor_index
from .row import ALL, FLOATS, INTEGERS, NUMBERS, Case, Domain, Index, Op, draw, to_numpy, to_tensor

__all__ = [
    "ALL",
    "FLOATS",
    "INDEX_EXPRESSIONS",
    "INTEGERS",
    "NUMBERS",
    "OPS",
    "Case",
    "Domain",
    "Index",
    "Op",
    "draw",
    "tensor_index",
    "to_numpy",
    "to_tensor",
]

OPS: tuple[Op, ...] = (
    *unary.OPS,
    *binary.OPS,
    *reductions.OPS,
    *ordering.OPS,
    *fourier.OPS,
    *shapes.OPS,
    *products.OPS,
    *cells.OPS,
    *windows.OPS,
    *indexing.OPS,
    *creation.OPS,
)
