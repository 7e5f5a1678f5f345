"""Losses of samples that belong to several classes."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ...functions.precision import in_float32
from ...looking import holds_somewhere
from .activation import logsigmoid
from .reduction import legacy_reduction, reduce_loss

__all__ = ["multilabel_margin_loss", "multilabel_soft_margin_loss"]


@in_float32
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``Σ max(0, 1 - score[right] + score[wrong]) / C`` over all pairs, of scores (N, C) or (C).

    A row of `target` lists the right classes; what follows its first -1 does not count.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if input.ndim > 2 or (input.ndim > 0 and input.shape[-1] == 0):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"
        )
    if input.shape != target.shape:
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}")
    classes = input.shape[-1] if input.ndim else 1
    scores, numbers = input.reshape(-1, classes), target.reshape(-1, classes)
    if holds_somewhere((target < -1) | (target >= classes)):
        raise RuntimeError("multilabel_margin_loss: target out of range")
    listed = (numbers < 0).cumsum(1) == 0
    right = _core.zeros_like(scores).scatter_add(1, _core.where(listed, numbers, 0), listed.to(scores.dtype))
    wrong = (right == 0).unsqueeze(1)
    chosen = scores.gather(1, _core.where(listed, numbers, 0)).unsqueeze(2)
    each = (1 - chosen + scores.unsqueeze(1)).clamp_min(0)
    loss = _core.where(listed.unsqueeze(2) & wrong, each, 0.0).sum((1, 2)) / classes
    return reduce_loss(loss if input.ndim == 2 else loss.reshape(()), reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over the classes of binary_cross_entropy_with_logits, of scores and targets (*, C)."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduce_loss(loss.mean(-1), reduction)
