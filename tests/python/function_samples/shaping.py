"""Rows of functions that move, split, join and repeat, and of those of matrices' diagonals."""

from __future__ import annotations

import numpy as np

from .row import Array, index, row, x

__all__ = ["MATRICES", "SHAPING"]


def _diag_embed(a: Array, offset: int = 0) -> Array:
    return np.stack([np.diag(r, offset) for r in a.reshape(-1, a.shape[-1])]).reshape(
        *a.shape[:-1], *[a.shape[-1] + abs(offset)] * 2
    )


def _block_diag(*parts: Array) -> Array:
    out = np.zeros(tuple(map(sum, zip(*(p.shape for p in parts), strict=True))))
    r = c = 0
    for p in parts:
        out[r : r + p.shape[0], c : c + p.shape[1]] = p
        r, c = r + p.shape[0], c + p.shape[1]
    return out


SHAPING = [
    row("broadcast_to", x(3, 1), (2, 3, 4), reference=np.broadcast_to),
    row("broadcast_tensors", x(3, 1), x(2, 1, 4), reference=np.broadcast_arrays),
    row("ravel", x(2, 3), reference=np.ravel),
    row("unflatten", x(2, 6), 1, (2, -1), reference=lambda a, d, s: a.reshape(2, 2, 3)),
    row("movedim", x(2, 3, 4), 0, -1, reference=np.moveaxis),
    row("movedim", x(2, 3, 4), (0, 2), (1, 0), reference=np.moveaxis),
    row("moveaxis", x(2, 3, 4), 1, 0, reference=np.moveaxis),
    row("swapaxes", x(2, 3, 4), 0, 2, reference=np.swapaxes),
    row("swapdims", x(2, 3, 4), -1, 0, reference=np.swapaxes),
    row("adjoint", x(2, 3, 4), reference=lambda a: np.swapaxes(a, -1, -2)),
    row("positive", x(3), reference=np.positive),
    row("view_as", x(2, 3), x(3, 2), reference=lambda a, b: a.reshape(b.shape)),
    row("meshgrid", x(2), x(3), indexing="ij", reference=np.meshgrid),
    row("meshgrid", x(2), x(3), x(2, seed=4), indexing="xy", reference=np.meshgrid),
    row("split_with_sizes", x(5, 2), [2, 0, 3], reference=lambda a, _: [a[:2], a[2:2], a[2:]]),
    row("unsafe_split_with_sizes", x(5, 2), [2, 3], reference=lambda a, _: [a[:2], a[2:]]),
    row("unsafe_split", x(5, 2), 2, reference=lambda a, _: [a[:2], a[2:4], a[4:]]),
    row("unsafe_chunk", x(5, 2), 2, reference=lambda a, _: [a[:3], a[3:]]),
    row("tensor_split", x(7, 2), 3, reference=np.array_split),
    row("tensor_split", x(2, 5), (1, 3), 1, reference=np.array_split),
    row("tensor_split", x(4), (3, 1, 9), reference=np.array_split),
    row("hsplit", x(2, 4), 2, reference=np.hsplit),
    row("vsplit", x(4, 2), (1, 3), reference=np.vsplit),
    row("dsplit", x(1, 2, 4), 2, reference=np.dsplit),
    row("hstack", [x(2, 3), x(2, 1)], reference=np.hstack),
    row("hstack", [x(2), x(3)], reference=np.hstack),
    row("vstack", [x(3), x(2, 3)], reference=np.vstack),
    row("row_stack", [x(3), x(2, 3)], reference=np.vstack),
    row("dstack", [x(2, 3), x(2, 3, seed=1)], reference=np.dstack),
    row("dstack", [x(3), x(3, seed=1)], reference=np.dstack),
    row("column_stack", [x(3), x(3, 2)], reference=np.column_stack),
    row("atleast_1d", x(), reference=np.atleast_1d),
    row("atleast_2d", x(3), reference=np.atleast_2d),
    row("atleast_3d", x(2, 3), reference=np.atleast_3d),
    row("atleast_3d", x(3), reference=np.atleast_3d),
    row("fliplr", x(2, 3), reference=np.fliplr),
    row("flipud", x(2, 3), reference=np.flipud),
    *(row("rot90", x(2, 3), k, reference=np.rot90) for k in (-1, 0, 1, 2)),
    row("rot90", x(2, 3, 2), 1, (2, 1), reference=lambda a, k, axes: np.rot90(a, k, axes)),
    row("roll", x(2, 3), 2, reference=np.roll),
    row("roll", x(2, 3), (1, -2), (0, 1), reference=np.roll),
    row("repeat", x(2, 3), 2, 1, 2, reference=lambda a, *n: np.tile(a, n)),
    row("tile", x(2, 3), 2, reference=np.tile),
    row("repeat_interleave", x(2, 3), 2, reference=np.repeat),
    row("repeat_interleave", x(2, 3), 2, 1, reference=np.repeat),
    row("repeat_interleave", x(3, 2), index(0, 2, 1), 0, reference=np.repeat),
    row("repeat_interleave", index(2, 0, 3), reference=lambda n: np.repeat(np.arange(3), n), gradient=False),
]

MATRICES = [
    *(row("diag", x(3), k, reference=np.diag) for k in (-1, 0, 2)),
    *(row("diag", x(3, 4), k, reference=np.diag) for k in (-1, 0, 2)),
    *(row("diagonal", x(3, 4), k, reference=np.diagonal) for k in (-2, 0, 1, 4)),
    row("diagonal", x(2, 3, 4), 1, 2, 0, reference=np.diagonal),
    row("diagflat", x(2, 2), 1, reference=np.diagflat),
    *(row("diag_embed", x(2, 3), k, reference=_diag_embed) for k in (-1, 0, 1)),
    row("trace", x(3, 4), reference=np.trace),
    *(row("tril", x(2, 3, 4), k, reference=np.tril) for k in (-1, 0, 2)),
    *(row("triu", x(2, 3, 4), k, reference=np.triu) for k in (-1, 0, 2)),
    row("block_diag", x(2, 1), x(1, 3), reference=_block_diag),
    row("tril_indices", 3, 4, 1, reference=lambda n, m, k: np.stack(np.tril_indices(n, k, m)), gradient=False),
    row("triu_indices", 3, 4, 1, reference=lambda n, m, k: np.stack(np.triu_indices(n, k, m)), gradient=False),
]
