"""The ``reduction`` argument of losses."""

from __future__ import annotations

from ..._warning import warn_caller
from ...dtypes import scalar_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..._core import Tensor

__all__ = ["in_type_of", "legacy_reduction", "reduce_loss", "warn_if_broadcast", "weighted_loss"]


def reduce_loss(loss: Tensor, reduction: str) -> Tensor:
    """`loss` itself ("none"), its "mean" or its "sum". ValueError for another `reduction`."""
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    if reduction == "none":
        return loss
    raise ValueError(f"{reduction} is not a valid value for reduction; choose 'none', 'mean' or 'sum'")


def weighted_loss(loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """As reduce_loss, with elements weighted; the mean is over the weights. ValueError if shapes differ."""
    if weight is None:
        return reduce_loss(loss, reduction)
    if weight.shape != loss.shape:
        raise ValueError(
            f"Weights and input must have the same size, got {tuple(weight.shape)} and {tuple(loss.shape)}"
        )
    loss = loss * weight
    return loss.sum() / weight.sum() if reduction == "mean" else reduce_loss(loss, reduction)


def in_type_of(operand: Tensor, loss: Tensor) -> Tensor:
    """`loss` in the type of the `operand` whose place PyTorch computes it in. RuntimeError if that is too narrow."""
    if operand.dtype == loss.dtype:
        return loss
    if not operand.is_floating_point():
        kinds = f"{scalar_name(loss.dtype)} can't be cast to the desired output type {scalar_name(operand.dtype)}"
        raise RuntimeError(f"result type {kinds}")
    return loss.to(operand.dtype)


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """PyTorch's old pair of arguments as the new one."""
    if size_average is None and reduce is None:
        return reduction
    name = "none" if reduce is False else "sum" if size_average is False else "mean"
    warn_caller(f"size_average and reduce args will be deprecated, please use reduction='{name}' instead.")
    return name


def warn_if_broadcast(input: Tensor, target: Tensor) -> None:
    """Warn where shapes differ: broadcasting a loss's target is legal, and nearly always a mistake."""
    if target.shape != input.shape:
        warn_caller(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). "
            "This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size."
        )
