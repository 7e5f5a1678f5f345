"""Losses that ask for a margin between scores, or between distances."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ...dtypes import require_floating, scalar_name
from ...functions.precision import in_float32
from .activation import logsigmoid
from .distance import pairwise_distance
from .reduction import in_type_of, legacy_reduction, reduce_loss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


@in_float32
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, -target (input1 - input2) + margin)`` for a target of 1 (input1 ranks higher) or -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return reduce_loss((margin - target * (input1 - input2)).clamp_min(0), reduction)


@in_float32
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The distance `input` where `target` is 1, and ``max(0, margin - input)`` where it is -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    apart = _core.where(target != 1, (margin - input).clamp_min(0), 0.0)
    return reduce_loss(apart + _core.where(target != -1, input, 0.0), reduction)


@in_float32
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``log(1 + exp(-target input))`` for a target of 1 or -1 that has, or broadcasts to, the shape of the input."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    product = target * input
    if product.shape != input.shape:
        raise RuntimeError(
            f"soft_margin_loss: expected a target that broadcasts to the input's shape {list(input.shape)}, "
            f"got {list(target.shape)}"
        )
    return reduce_loss(in_type_of(input, -logsigmoid(product)), reduction)


@in_float32
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - cos`` of pairs (N, D) or (D) whose `target` is 1, ``max(0, cos - margin)`` where it is -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target.ndim not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1.ndim == input2.ndim == target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    tiny = 1e-12
    squares = (input1.square().sum(-1) + tiny) * (input2.square().sum(-1) + tiny)
    cosine = (input1 * input2).sum(-1) / squares.sqrt()
    alike = _core.where(target == 1, 1 - cosine, 0.0)
    return reduce_loss(alike + _core.where(target == -1, (cosine - margin).clamp_min(0), 0.0), reduction)


@in_float32
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, |anchor - positive| - |anchor - negative| + margin)`` of vectors (N, D) or (D).

    With `swap` the negative is as far as it is from the nearer of anchor and positive (Balntas et al., 2016).
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _triplet(lambda a, b: pairwise_distance(a, b, p, eps), anchor, positive, negative, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """triplet_margin_loss by any `distance_function` of two tensors; pairwise_distance by default."""
    return _triplet(distance_function or pairwise_distance, anchor, positive, negative, margin, swap, reduction)


def _triplet(
    distance: Callable[[Tensor, Tensor], Tensor],
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = _core.minimum(far, distance(positive, negative))
    return reduce_loss((near - far + margin).clamp_min(0), reduction)


@in_float32
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``Σ max(0, margin - score[target] + score[j])^p / C`` over the wrong classes j, of scores (N, C) or (C)."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError(f"only p == 1 and p == 2 supported, got {p}")
    if input.ndim > 2 or (input.ndim > 0 and input.shape[-1] == 0):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {input.shape}"
        )
    classes = input.shape[-1] if input.ndim else 1
    if target.numel() != input.numel() // classes or target.ndim > 1:
        raise RuntimeError(
            f"inconsistent target size, expected {input.numel() // classes} but got {list(target.shape)}"
        )
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {list(weight.shape)}")
    require_floating("multi_margin_loss_cpu_kernel", input)
    for kind, other in ((_core.int64, target), (input.dtype, weight)):
        if other is not None and other.dtype != kind:
            raise RuntimeError(f"expected scalar type {scalar_name(kind)} but found {scalar_name(other.dtype)}")
    scores = input.reshape(-1, classes)
    numbers = target.reshape(-1, 1)
    try:
        right = scores.gather(1, numbers)
    except RuntimeError as error:
        raise RuntimeError(f"target out of range: {error}") from None
    loss = (margin - right + scores).clamp_min(0)
    loss = loss if p == 1 else loss.square()
    if weight is not None:
        loss = loss * weight.index_select(0, target.reshape(-1)).unsqueeze(1)
    wrong = numbers != _core.arange(classes, device=numbers.device)
    loss = _core.where(wrong, loss, 0.0).sum(1) / classes
    return reduce_loss(loss.reshape(target.shape), reduction)
