"""Attention whose scores a function changes, and another one masks: PyTorch's `flex_attention`."""

from __future__ import annotations

from math import inf, sqrt
from typing import NamedTuple

from ... import _core
from ..._core import Tensor
from .block_masks import (
    _DEFAULT_SPARSE_BLOCK_SIZE,  # noqa: F401  # libraries look for it here
    BlockMask,
    and_masks,
    create_block_mask,
    create_mask,
    map_positions,
    noop_mask,
    or_masks,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]


class AuxRequest(NamedTuple):
    """What `flex_attention` is to give besides its result."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What was asked for by an `AuxRequest`; the rest is None."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: Callable[..., Tensor] | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: Any = None,
    *,
    return_aux: AuxRequest | None = None,
) -> Tensor | tuple[Tensor, Tensor] | tuple[Tensor, AuxOutput]:
    """softmax(score_mod(query @ key^T * scale)) @ value, for (batch, heads, length, features).

    `score_mod` is a function of a score and its batch, head, query and key, all 0-d, and is mapped over all of them;
    what the `mask_mod` of `block_mask` leaves out is not attended to. A query that sees nothing gives 0. `scale` is
    1 / sqrt(features) by default. With `enable_gqa` several heads of queries share one of keys. `return_lse` gives the
    logarithm of the sum of each query's exponentials, too, `return_aux` also the largest score. `kernel_options` are
    without effect.

    ValueError for lengths and heads that do not fit, NotImplementedError for tensors of other than four dimensions.

    >>> flex = lamina.nn.attention.flex_attention
    >>> q = lamina.ones(1, 2, 3, 4)
    >>> causal = flex.create_block_mask(lambda b, h, q_idx, kv_idx: q_idx >= kv_idx, None, None, 3, 3)
    >>> flex.flex_attention(q, q, q, lambda score, b, h, q_idx, kv_idx: score - (q_idx - kv_idx), causal).shape
    torch.Size([1, 2, 3, 4])
    """
    for name, tensor in (("query", query), ("key", key), ("value", value)):
        if tensor.dim() != 4:
            raise NotImplementedError(f"{name} must be a 4D tensor, got one of shape {tuple(tensor.shape)}")
    heads, shared = query.shape[1], key.shape[1]
    if heads != shared and not enable_gqa:
        raise ValueError(
            f"Expect query and key/value to have the same number of heads but got Hq={heads} and Hkv={shared}. "
            "Try setting enable_gqa=True for GQA."
        )
    if heads % shared:
        raise ValueError(
            f"Expect number of query heads to be a multiple of kv heads but got Hq={heads} and Hkv={shared}."
        )
    if heads != shared:
        key, value = (tensor.repeat_interleave(heads // shared, 1) for tensor in (key, value))
    exact = _core.float64 if query.dtype == _core.float64 else _core.float32
    scores = (query @ key.transpose(-2, -1)).to(exact) * (1 / sqrt(query.shape[-1]) if scale is None else scale)
    shape = tuple(scores.shape)
    if score_mod is not None:
        scores = map_positions(score_mod, shape, scores)
    if block_mask is not None:
        _require_lengths(block_mask, shape)
        scores = scores.masked_fill(~map_positions(block_mask.mask_mod, shape), -inf)
    largest = scores.amax(-1)
    blind = largest == -inf  # queries that see nothing
    weights = scores.softmax(-1).masked_fill(blind.unsqueeze(-1), 0)
    result = weights.to(query.dtype) @ value
    if return_aux is not None:
        lse = scores.logsumexp(-1) if return_aux.lse else None
        return result, AuxOutput(lse, largest if return_aux.max_scores else None)
    return (result, scores.logsumexp(-1)) if return_lse else result


def _require_lengths(block_mask: BlockMask, shape: tuple[int, ...]) -> None:
    if block_mask.seq_lengths != shape[-2:]:
        raise ValueError(
            f"block_mask was created for block_mask.shape={block_mask.shape} but got q_len={shape[-2]} and "
            f"kv_len={shape[-1]}. Create a new block mask for these lengths."
        )
