"""Losses between scores or probabilities and classes."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ..._warning import warn_caller
from ...dtypes import require_floating, scalar_name
from ...functions.precision import in_float32
from ...looking import holds_somewhere
from .activation import logsigmoid
from .reduction import in_type_of, legacy_reduction, reduce_loss

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "kl_div", "nll_loss"]


@in_float32
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """How unlikely the target classes are under the softmax of the scores `input`.

    `input` is (C), (N, C) or (N, C, d1, …). `target` holds class numbers, its shape is that of `input` without C; or
    probabilities, in the shape of `input`. `weight` (C) weighs the classes; the mean is over the weights of the
    targets. Targets equal to `ignore_index` do not count. `label_smoothing` in [0, 1] mixes the target with the uniform
    distribution.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    dims = input.ndim
    if dims == 0:
        raise RuntimeError("cross_entropy: expected scores with at least one axis, got a 0-d tensor")
    class_dim = 0 if dims == 1 else 1
    log_probabilities = _core.log_softmax(input, class_dim)
    if target.ndim == dims and target.shape == input.shape:
        if not target.dtype.is_floating_point:
            raise RuntimeError(f"Expected floating point type for target with class probabilities, got {target.dtype}")
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return _probability_loss(log_probabilities, target, weight, class_dim, reduction, label_smoothing)
    loss = _nll(log_probabilities, target, weight, ignore_index, reduction)
    if label_smoothing == 0.0:
        return loss
    smooth = _smoothing_loss(log_probabilities, target, weight, ignore_index, reduction)
    classes = input.shape[class_dim]
    return (1 - label_smoothing) * loss + (label_smoothing / classes) * smooth


@in_float32
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """As cross_entropy with class numbers, from log-probabilities."""
    if input.ndim == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    require_floating("nll_loss_out_frame", input)
    return _nll(input, target, weight, ignore_index, legacy_reduction(size_average, reduce, reduction))


def _nll(log_probabilities: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    if weight is None:  # the common batch, of valid classes that all count equally, pays for one call
        loss = _core._class_loss(log_probabilities, target, ignore_index, reduction)
        if loss is not None:
            return loss
    label = "NllLoss" if log_probabilities.ndim <= 2 else "NllLoss2D"
    if log_probabilities.ndim == 1 and tuple(target.shape) == (1,):
        target = target.reshape(())
    class_dim = 0 if log_probabilities.ndim == 1 else 1
    classes = _check_classes(log_probabilities, target, weight, class_dim)
    if target.dtype != _core.int64:
        target = target.to(_core.int64)
    unknown = _core._is_example(target)  # within vmap: what is ignored is not known yet
    valid = target != ignore_index if unknown or 0 <= ignore_index < classes else None
    if unknown:
        target = _core.where(valid, target, 0)  # type: ignore[arg-type]
    try:
        picked = log_probabilities.gather(class_dim, target.unsqueeze(class_dim))
    except (IndexError, RuntimeError):
        # Some target is no class.
        valid = target != ignore_index
        target = _core.where(valid, target, 0)
        _check_bounds(target, classes)
        picked = log_probabilities.gather(class_dim, target.unsqueeze(class_dim))
    loss = -picked.squeeze(class_dim)
    if weight is None and valid is None:
        return _core._labelled(reduce_loss(loss, reduction), label)
    scale = _target_weights(weight, target, valid, loss)
    loss = _core.where(valid, loss, 0.0) * scale if valid is not None else loss * scale
    return _core._labelled(loss.sum() / scale.sum() if reduction == "mean" else reduce_loss(loss, reduction), label)


def _target_weights(weight: Tensor | None, target: Tensor, valid: Tensor | None, like: Tensor) -> Tensor:
    """What each target counts: its class's weight, and 0 if it is to be ignored."""
    if weight is None:
        assert valid is not None
        return valid.to(like.dtype)
    weights = weight.index_select(0, target.reshape(-1)).reshape(target.shape)
    return weights if valid is None else _core.where(valid, weights, 0.0)


def _smoothing_loss(
    log_probabilities: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    """The loss against equal probabilities of all classes, times their number."""
    class_dim = 0 if log_probabilities.ndim == 1 else 1
    if weight is not None:
        log_probabilities = log_probabilities * _along(weight, class_dim, log_probabilities.ndim)
    loss = -log_probabilities.sum(class_dim)
    valid = target != ignore_index
    loss = _core.where(valid, loss, 0.0)
    if reduction != "mean":
        return reduce_loss(loss, reduction)
    target = _core.where(valid, target.to(_core.int64), 0)
    return loss.sum() / _target_weights(weight, target, valid, loss).sum()


def _probability_loss(
    log_probabilities: Tensor,
    target: Tensor,
    weight: Tensor | None,
    class_dim: int,
    reduction: str,
    label_smoothing: float,
) -> Tensor:
    classes = log_probabilities.shape[class_dim]
    if label_smoothing > 0:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    loss = log_probabilities * target
    if weight is not None:
        _check_weight(weight, classes)
        loss = loss * _along(weight, class_dim, loss.ndim)
    loss = -loss.sum(class_dim)
    # The mean is over the samples, whatever the weights.
    return reduce_loss(loss, reduction)


def _along(weight: Tensor, dim: int, ndim: int) -> Tensor:
    return weight.reshape([-1 if axis == dim else 1 for axis in range(ndim)])


def _check_weight(weight: Tensor, classes: int) -> None:
    if tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes "
            f"but got weight tensor of shape: {list(weight.shape)}"
        )


def _check_classes(scores: Tensor, target: Tensor, weight: Tensor | None, class_dim: int) -> int:
    """Check shapes and dtypes; returns the number of classes."""
    if target.dtype not in (_core.int64, _core.uint8):
        raise RuntimeError(
            f"expected class numbers of dtype int64 (or uint8) as target, got {target.dtype} of shape "
            f"{tuple(target.shape)}; probabilities must have the shape of the scores, {tuple(scores.shape)}"
        )
    expected = scores.shape[:class_dim] + scores.shape[class_dim + 1 :]
    if tuple(target.shape) != tuple(expected):
        if scores.ndim <= 2 and target.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if scores.ndim > 1 and target.ndim > 0 and scores.shape[0] != target.shape[0]:
            raise ValueError(
                f"Expected input batch_size ({scores.shape[0]}) to match target batch_size ({target.shape[0]})."
            )
        raise RuntimeError(
            f"Expected target size {list(expected)}, got {list(target.shape)} for scores of shape {list(scores.shape)}"
        )
    classes = scores.shape[class_dim]
    if weight is not None:
        _check_weight(weight, classes)
        if weight.dtype != scores.dtype:
            kinds = scalar_name(scores.dtype), scalar_name(weight.dtype)
            raise RuntimeError("expected scalar type {} but found {}".format(*kinds))
    return classes


def _check_bounds(target: Tensor, classes: int) -> None:
    wrong = (target < 0) | (target >= classes)
    if holds_somewhere(wrong):
        raise IndexError(
            f"Target {int(target[wrong][0])} is out of bounds. There are {classes} classes, 0 to {classes - 1}"
        )


# Where a probability is nearer to 0 than this, its logarithm's slope is held at the inverse, as in PyTorch.
_SMALLEST = 1e-12


def _held_log(probability: Tensor, logarithm: Tensor) -> Tensor:
    """`logarithm` (of `probability`), not below -100; `logarithm` is finite and flat where `probability` is tiny."""
    exact = probability.detach()
    tail = exact.log().clamp_min(-100.0) + (probability - exact) / _SMALLEST
    return _core.where(exact < _SMALLEST, tail, logarithm)


@in_float32
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How unlikely `target` is if `input` is the probability of 1; both in [0, 1] and of one shape.

    Logarithms are held above -100, so the loss is finite. RuntimeError for numbers outside [0, 1]: they are looked at,
    unless `input` is a sigmoid or a softmax.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    require_floating("binary_cross_entropy", input)
    for other in (target, weight):
        if other is not None and other.dtype != input.dtype:
            raise RuntimeError(f"Found dtype {scalar_name(other.dtype)} but expected {scalar_name(input.dtype)}")
    for name, numbers in (("input", input), ("target", target)):
        if not _core._are_probabilities(numbers):
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    p, q = input, 1 - input
    log_p = _held_log(p, _core.where(p < _SMALLEST, 1.0, p).log())
    log_q = _held_log(q, (-_core.where(q < _SMALLEST, 0.0, p)).log1p())
    loss = -(target * log_p + (1 - target) * log_q)
    loss = reduce_loss(loss if weight is None else loss * weight, reduction)
    return _core._labelled(loss, "BinaryCrossEntropy")


@in_float32
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """binary_cross_entropy of ``sigmoid(input)``, without overflow; `pos_weight` weighs the targets that are 1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    log_p = logsigmoid(input)
    if pos_weight is not None:
        log_p = log_p * ((pos_weight - 1) * target + 1)
    loss = (1 - target) * input - log_p
    loss = reduce_loss(in_type_of(target, loss if weight is None else loss * weight), reduction)
    return _core._labelled(loss, "BinaryCrossEntropyWithLogits")


@in_float32
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Kullback-Leibler divergence of `target` from the log-probabilities `input`; "batchmean" is the textbook one."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if reduction == "mean":
        warn_caller(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. "
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
        )
    if not (input.is_floating_point() and target.is_floating_point()):
        raise RuntimeError("kl_div: Integral inputs not supported.")
    if log_target:
        loss = target.exp() * (target - input)
    else:
        zero = target == 0  # where 0 log 0 is 0
        loss = _core.where(zero, 0.0, target * _core.where(zero, 1.0, target).log()) - target * input
    if reduction == "batchmean":
        return loss.sum() / (input.shape[0] if input.ndim > 0 else 1)
    return reduce_loss(loss, reduction)
