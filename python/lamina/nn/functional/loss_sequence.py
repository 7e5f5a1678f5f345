"""Connectionist temporal classification: how unlikely a sequence of labels is, wherever its labels lie."""

from __future__ import annotations

from math import inf

from ... import _core
from ..._core import Tensor
from ...dtypes import scalar_name
from ...functions.precision import in_float32
from .padding import pad
from .reduction import reduce_loss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Lengths = Tensor | Sequence[int]

__all__ = ["ctc_loss"]

# Stands for the logarithm of 0: sums of it stay finite, and so do gradients.
_NEVER = -1e30


@in_float32
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """How unlikely `targets` are if each of T steps is a label or `blank`, and repeated labels count once.

    `log_probs` (T, N, C) is a log_softmax, or (T, C) without N; `targets` is (N, S), or all labels in one line. The
    lengths say how much of each counts. "mean" divides by the target's length first. Targets that do not fit into
    the steps give inf and gradients of NaN, or 0 with `zero_infinity`. As in PyTorch, the gradient is that of the
    softmax's input: ``exp`` of `log_probs` is added to it, which log_softmax's own gradient does not see.
    RuntimeError for lengths or a `blank` out of range. (Graves et al., 2006)
    """
    batched = log_probs.ndim == 3
    if log_probs.ndim not in (2, 3):
        raise RuntimeError(f"Expected 3-dimensional tensor, but got {log_probs.ndim}-dimensional tensor for log_probs")
    steps = log_probs if batched else log_probs.unsqueeze(1)
    if steps.numel() == 0:
        raise RuntimeError("log_probs tensor must not be empty")
    if steps.dtype not in (_core.float32, _core.float64):
        raise NotImplementedError(f"\"ctc_loss_cpu\" not implemented for '{scalar_name(steps.dtype)}'")
    count, batch, classes = steps.shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    inputs = _lengths("input_lengths", input_lengths, batch, count)
    lengths = _lengths("target_lengths", target_lengths, batch, None)
    labels = _labels(targets, lengths, batch, batched)
    losses = _losses(steps, labels, inputs, lengths, blank, zero_infinity)
    if reduction == "mean":
        losses = losses / losses.new_tensor([float(max(n, 1)) for n in lengths])
    losses = losses if batched or reduction != "none" else losses.squeeze(0)
    return _core._labelled(reduce_loss(losses, reduction), "CtcLoss")


def _lengths(name: str, lengths: Lengths, batch: int, most: int | None) -> list[int]:
    tensor = _core.as_tensor(lengths)
    if tensor.is_floating_point() and tensor.numel():
        raise RuntimeError(f"{name} must be integral")
    values: list[int] = tensor.reshape(-1).tolist()
    if len(values) != batch:
        raise RuntimeError(f"{name} must be of size batch_size: expected {batch}, but got {len(values)}")
    for value in values:
        if value < 0:
            raise RuntimeError(f"Expected {name} to have value at least 0, but got value {value}")
        if most is not None and value > most:
            raise RuntimeError(f"Expected {name} to have value at most {most}, but got value {value}")
    return values


def _labels(targets: Tensor, lengths: list[int], batch: int, batched: bool) -> Tensor:
    """(N, the longest length), whatever behind each one's length."""
    longest = max(lengths)
    targets = targets.to(_core.int64)
    if targets.ndim == 1:
        if targets.shape[0] != sum(lengths) and (batched or targets.shape[0] < longest):
            raise RuntimeError(
                f"Expected tensor to have size {sum(lengths)} at dimension 0, but got size {targets.shape[0]} for "
                "argument 'targets'"
            )
        parts = targets[: sum(lengths)].split(lengths)
        return _core.stack([pad(part, (0, longest - part.shape[0])) for part in parts])
    if targets.ndim != 2 or targets.shape[0] != batch or targets.shape[1] < longest:
        raise RuntimeError(
            f"Expected tensor to have size {batch} at dimension 0 and at least {longest} at dimension 1, but got "
            f"sizes {list(targets.shape)} for argument 'targets'"
        )
    return targets[:, :longest]


def _losses(
    steps: Tensor, labels: Tensor, inputs: list[int], lengths: list[int], blank: int, zero_infinity: bool
) -> Tensor:
    """Along the steps, for each place in the labels with blanks around them: all ways to be there by now."""
    batch, longest = labels.shape
    ends = labels.new_tensor(lengths)
    known = _core.arange(longest, device=ends.device) < ends.unsqueeze(1)
    between = labels.new_full((batch, longest + 1), blank)
    filled = _core.where(known, labels, blank)
    places = _core.stack([between[:, :longest], filled], 2).flatten(1)
    places = _core.cat([places, between[:, longest:]], 1)  # blank, label, blank, …, label, blank
    # A blank may be left out between labels that differ.
    skips = pad(places[:, 2:] != places[:, :-2], (2, 0)) if longest else None
    never = steps.new_full((batch, 2), _NEVER)
    seen = steps.clamp_min(_NEVER).gather(2, places.expand(steps.shape[0], *places.shape))
    ways = _core.cat([seen[0, :, :2], _core.full_like(seen[0, :, 2:], _NEVER)], 1)
    times = labels.new_tensor(inputs).unsqueeze(1)
    for time in range(1, max(inputs)):
        moves = [ways, _core.cat([never[:, :1], ways[:, :-1]], 1)]
        if skips is not None:
            moves.append(_core.where(skips, _core.cat([never, ways[:, :-2]], 1), _NEVER))
        now = _core.stack(moves).logsumexp(0) + seen[time]
        ways = _core.where(times > time, now, ways)
    last = ways.gather(1, 2 * ends.unsqueeze(1))
    before = ways.gather(1, (2 * ends - 1).clamp_min(0).unsqueeze(1))
    before = _core.where(ends.unsqueeze(1) > 0, before, _NEVER)
    losses = -_core.cat([last, before], 1).logsumexp(1)
    # The gradient of the softmax that made the steps; the value is 0.
    counted = (_core.arange(steps.shape[0], device=times.device).unsqueeze(1) < times.T).unsqueeze(2)
    shares = _core.where(counted, steps.exp(), 0.0).sum((0, 2))
    losses = losses + (shares - shares.detach())
    seen_any = times.squeeze(1) > 0
    impossible = seen_any & (losses > -_NEVER / 10)
    if zero_infinity:
        return _core.where(seen_any & ~impossible, losses, 0.0)
    # The logarithm of 0 is infinite, and its gradient NaN.
    infinite = -(_core.where(impossible, losses, 1.0) * 0.0).log()
    losses = _core.where(impossible, infinite, losses)
    none = [inf if length else 0.0 for length in lengths]
    return _core.where(seen_any, losses, losses.new_tensor(none))
