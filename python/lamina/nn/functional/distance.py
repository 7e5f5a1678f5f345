"""Distances and angles between vectors, and scaling to unit length."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ...functions.matrices import triu_indices

__all__ = ["cosine_similarity", "normalize", "pairwise_distance", "pdist"]


def _held_above(length: Tensor, smallest: float) -> Tensor:
    """`length`, at least `smallest`, with the gradient of `length` everywhere."""
    exact = length.detach()
    return length + (exact.clamp_min(smallest) - exact)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along `dim`; lengths below `eps` count as `eps`. Both broadcast."""
    if x1.shape != x2.shape:  # so that `dim` counts the axes of both together
        shape = (x1.detach() + x2.detach()).shape  # only recorded: nobody looks at the numbers
        x1, x2 = x1.expand(shape), x2.expand(shape)
    if x1.dtype != x2.dtype:
        common = _core.result_type(x1, x2)
        x1, x2 = x1.to(common), x2.to(common)
    length1 = _held_above(x1.norm(2, dim, keepdim=True), eps)
    length2 = _held_above(x2.norm(2, dim, keepdim=True), eps)
    return ((x1 / length1) * (x2 / length2)).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The `p`-norm of ``x1 - x2 + eps`` along the last axis."""
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """`input` divided by its `p`-norm along `dim`, or by `eps` if that is larger."""
    result = input / input.norm(p, dim, keepdim=True).clamp_min(eps)
    return result if out is None else out.copy_(result)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The `p`-norms of the differences of all pairs of rows of (N, D), row by row: (N (N - 1) / 2)."""
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if p < 0:
        raise RuntimeError(f"pdist only supports non-negative p values, got {p}")
    first, second = triu_indices(input.shape[0], input.shape[0], 1)
    difference = input.index_select(0, first) - input.index_select(0, second)
    if p == 0:  # a count, with a gradient of zeros
        return _core.where(difference != 0, 1.0, difference * 0).sum(-1)
    return difference.norm(p, -1)
