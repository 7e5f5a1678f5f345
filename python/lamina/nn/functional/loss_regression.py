"""Losses between numbers: of a prediction and a target of the same shape."""

from __future__ import annotations

from math import log, pi

from ... import _core
from ..._core import Tensor
from ...dtypes import require_floating
from ...functions.precision import in_float32
from ...looking import holds_somewhere
from .reduction import in_type_of, legacy_reduction, reduce_loss, warn_if_broadcast, weighted_loss

__all__ = ["gaussian_nll_loss", "huber_loss", "l1_loss", "mse_loss", "poisson_nll_loss", "smooth_l1_loss"]


@in_float32
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """``(input - target)²``, reduced; warns if the shapes differ and broadcast."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    warn_if_broadcast(input, target)
    difference = _difference(input, target)
    require_floating("mse_cpu", difference)
    return _core._labelled(weighted_loss(difference.square(), weight, reduction), "MseLoss")


@in_float32
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """``|input - target|``, reduced; the slope at 0 is 0."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    warn_if_broadcast(input, target)
    return weighted_loss((input - target).abs(), weight, reduction)


@in_float32
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """``(input - target)² / (2 beta)`` below a distance of `beta`, and the distance less ``beta / 2`` from there on."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    warn_if_broadcast(input, target)
    if not beta >= 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    difference = _difference(input, target)
    require_floating("smooth_l1_cpu", difference)
    distance = difference.abs()
    if beta == 0:
        return reduce_loss(distance, reduction)
    loss = _core.where(distance < beta, difference.square() * (0.5 / beta), distance - 0.5 * beta)
    return _core._labelled(reduce_loss(loss, reduction), "SmoothL1Loss")


@in_float32
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """``(input - target)² / 2`` below a distance of `delta`, and linear from there on (Huber, 1964)."""
    warn_if_broadcast(input, target)
    if not delta > 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    difference = _difference(input, target)
    require_floating("huber_cpu", difference)
    distance = difference.abs()
    loss = _core.where(distance < delta, difference.square() * 0.5, (distance - 0.5 * delta) * delta)
    loss = in_type_of(input, loss)
    return _core._labelled(weighted_loss(loss, weight, reduction), "HuberLoss")


def _difference(input: Tensor, target: Tensor) -> Tensor:
    """``input - target``, where a bool beside a number counts as 0 or 1."""
    if input.dtype != target.dtype and _core.bool in (input.dtype, target.dtype):
        kind = _core.result_type(input, target)
        return input.to(kind) - target.to(kind)
    return input - target


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """How unlikely `target` is under a normal distribution of mean `input` and variance `var`.

    `var` has the shape of `input`, or 1 in places, or lacks its last axis, or is a number; it is held above `eps`,
    which its gradient ignores. `full` adds the constant ``log(2π) / 2``. ValueError for negative variances.
    """
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError(f"var has negative entry/entries: {var}")
        var = _core.full_like(input, var)
    elif var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif var.ndim != input.ndim or any(n not in (1, m) for n, m in zip(var.shape, input.shape)):
            raise ValueError(f"var is of incorrect size: {tuple(var.shape)} for an input of {tuple(input.shape)}")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    if holds_somewhere(var < 0):
        raise ValueError("var has negative entry/entries")
    raw = var.detach()
    var = var + (raw.clamp_min(eps) - raw)
    loss = 0.5 * (var.log() + (input - target).square() / var)
    return reduce_loss(loss + 0.5 * log(2 * pi) if full else loss, reduction)


@in_float32
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How unlikely the count `target` is under a Poisson distribution of mean `input`, or of ``exp(input)``.

    `full` adds Stirling's approximation of ``log(target!)`` where `target` is above 1.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        counts = target > 1
        t = _core.where(counts, target, 1.0)
        loss = loss + _core.where(counts, t * t.log() - t + 0.5 * (2 * pi * t).log(), 0.0)
    return reduce_loss(loss, reduction)
