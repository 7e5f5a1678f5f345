"""The cross entropy of a linear layer's results, of all at once or of some rows at a time."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ... import _core
from ..._core import Tensor, linear
from ..._core import dtype as DType
from ..._warning import warn_caller
from ...autograd.engine import grad
from ...autograd.function import Function, once_differentiable
from ...autograd.modes import enable_grad
from .loss_classification import cross_entropy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


__all__ = ["LinearCrossEntropyOptions", "linear_cross_entropy"]

_POLICIES = ("auto", "accurate", "balanced", "compact")


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """How many rows `linear_cross_entropy` takes at a time: `batch_chunk_size`, or by the shapes.

    Chunked, the scores of all rows are never in memory together: the backward pass computes them again, once, without
    gradients of gradients. ``"aspect_ratio:N"`` takes as many rows as have scores for an N-th of the input's memory.
    Graphs can always be kept, and sums are those of float32: the other options change nothing.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: DType | None = None

    def __post_init__(self) -> None:
        if self.acc_policy not in _POLICIES:
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, colon, factor = str(self.chunking_method).partition(":")
            if name != "aspect_ratio" or (colon and not (factor.isdigit() and int(factor) > 0)):
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and (not isinstance(size, int) or size <= 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")

    def rows(self, batch: int, features: int, classes: int) -> int:
        """The number of rows of a chunk."""
        if self.batch_chunk_size is not None:
            return min(self.batch_chunk_size, batch)
        if self.chunking_method is None:
            return batch
        factor = int(self.chunking_method.partition(":")[2] or 1) if self.chunking_method != "auto" else 2
        like_input = -(-batch // -(-classes // features))
        return max(1, min((1 << (like_input - 1).bit_length()) // factor, batch))


class _ByChunks(Function):
    """The losses of rows, each chunk's scores made in the forward pass and once more in the backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        linear_weight: Tensor,
        linear_bias: Tensor | None,
        target: Tensor,
        weight: Tensor | None,
        ignore_index: int,
        rows: int,
    ) -> Tensor:
        ctx.save_for_backward(input, linear_weight, linear_bias)
        ctx.target, ctx.weight, ctx.ignore_index, ctx.rows = target, weight, ignore_index, rows
        losses = []
        for chunk, wanted in zip(input.split(rows), target.split(rows)):
            scores = linear(chunk, linear_weight, linear_bias)
            losses.append(cross_entropy(scores, wanted, weight, ignore_index=ignore_index, reduction="none"))
            _core.flush()
        return _core.cat(losses)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        input, *saved = ctx.saved_tensors
        fresh: list[Any] = [None if x is None else x.detach().requires_grad_() for x in saved]
        weight, bias = fresh
        parameters = [weight] if bias is None else [weight, bias]
        totals = [_core.zeros_like(x) for x in parameters]
        found = []
        parts = zip(input.split(ctx.rows), ctx.target.split(ctx.rows), upstream[0].split(ctx.rows))
        for part, wanted, weights in parts:
            chunk = part.detach().requires_grad_()
            with enable_grad():
                scores = linear(chunk, weight, bias)
                loss = cross_entropy(scores, wanted, ctx.weight, ignore_index=ctx.ignore_index, reduction="none")
            rows, *slopes = grad(loss, [chunk, *parameters], weights)
            found.append(rows)
            totals = [total + slope for total, slope in zip(totals, slopes)]
            _core.flush()
        return _core.cat(found), totals[0], totals[1] if bias is not None else None, None, None, None, None


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Tensor:
    """`cross_entropy` of ``linear(input, linear_weight, linear_bias)``; with `options`, of some rows at a time.

    `input` is (features) or (N, features), `linear_weight` (C, features) or (C, d1, …, features); then the scores and
    the target have the axes d1 … behind N.
    """
    if not 1 <= input.dim() <= 2:
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}")
    classes, *inner, features = linear_weight.shape
    if input.shape[-1] != features:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), "
            f"got {input.shape[-1]} and {features}, respectively"
        )
    if linear_bias is not None and tuple(linear_bias.shape) != (classes, *inner):
        raise RuntimeError(f"expected linear_bias shape {(classes, *inner)}, got {tuple(linear_bias.shape)}")
    if inner and input.dim() == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} requires batched input, "
            f"(N, {features}), got unbatched input with shape {tuple(input.shape)}"
        )
    shape = (*input.shape[:-1], classes, *inner)
    if ignore_index is not None and tuple(target.shape) == shape:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    ignored = -100 if ignore_index is None else ignore_index
    if options is not None:
        if not inner and reduction in ("none", "mean", "sum") and not label_smoothing and target.dtype == _core.int64:
            rows = options.rows(prod(input.shape[:-1]), features, classes)
            return _chunked(input, linear_weight, linear_bias, target, weight, reduction, ignored, rows)
        warn_caller(
            "linear_cross_entropy: ``options`` ignored; chunked path needs reduction in {'mean','sum','none'}, "
            f"label_smoothing == 0, target.dtype == int64, out_features == (). Got reduction={reduction!r}, "
            f"label_smoothing={label_smoothing}, target.dtype={target.dtype}, out_features={tuple(inner)}"
        )
    flat = linear_weight.reshape(-1, features)
    scores = linear(input, flat, None if linear_bias is None else linear_bias.reshape(-1)).reshape(shape)
    return cross_entropy(
        scores, target, weight, ignore_index=ignored, reduction=reduction, label_smoothing=label_smoothing
    )


def _chunked(
    input: Tensor,
    linear_weight: Tensor,
    linear_bias: Tensor | None,
    target: Tensor,
    weight: Tensor | None,
    reduction: str,
    ignore_index: int,
    rows: int,
) -> Tensor:
    batch, wanted = (input.unsqueeze(0), target.unsqueeze(0)) if input.dim() == 1 else (input, target)
    losses: Tensor = _ByChunks.apply(batch, linear_weight, linear_bias, wanted, weight, ignore_index, rows)
    if reduction == "none":
        return losses.squeeze(0) if input.dim() == 1 else losses
    total: Tensor = losses.sum()
    if reduction == "sum":
        return total
    counted = wanted != ignore_index
    each = counted.to(losses.dtype)
    if weight is not None:
        each = each * weight[_core.where(counted, wanted, 0)]
    return total / each.sum()
