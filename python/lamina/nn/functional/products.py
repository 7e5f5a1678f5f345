"""Functions made of products: linear and bilinear forms, and attention."""

from __future__ import annotations

from math import inf, sqrt

from ... import _core
from ..._core import Tensor
from ...functions.precision import as_given, in_low_precision
from .regularization import dropout

__all__ = ["bilinear", "linear", "scaled_dot_product_attention"]

linear = _core.linear


@as_given
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input1[i] weight[k, i, j] input2[j] + bias[k]``: (*, in1) and (*, in2) to (*, out), weight (out, in1, in2)."""
    if tuple(input1.shape[:-1]) != tuple(input2.shape[:-1]):
        raise RuntimeError(
            f"bilinear(): input batch dimensions do not match: got {list(input1.shape)} and {list(input2.shape)}"
        )
    if weight.ndim != 3 or input1.shape[-1] != weight.shape[1] or input2.shape[-1] != weight.shape[2]:
        raise RuntimeError(
            f"bilinear(): expected a weight (out, {input1.shape[-1]}, {input2.shape[-1]}), got {list(weight.shape)}"
        )
    out, in1, in2 = weight.shape
    if bias is not None and tuple(bias.shape) != (out,):
        raise RuntimeError(f"bilinear(): expected a bias of {out} elements, got shape {list(bias.shape)}")
    forms = input1.reshape(-1, in1) @ weight.permute(1, 0, 2).reshape(in1, out * in2)
    rows = forms.shape[0]
    output = (forms.reshape(rows, out, in2) @ input2.reshape(rows, in2, 1)).reshape((*input1.shape[:-1], out))
    return output if bias is None else output + bias


@in_low_precision
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query keyᵀ scale + mask) value``: (*, L, E), (*, S, E) and (*, S, V) to (*, L, V).

    `attn_mask` (L, S), or broadcast to the scores, is added if it has numbers, and says where to look if it is bool; a
    query that may look nowhere gets zeros. `is_causal` lets query i look at keys 0 to i. `scale` is 1/√E by default.
    With `enable_gqa` query has a multiple of the heads (axis -3) of key and value. Dropout applies whenever `dropout_p`
    is above 0. (Vaswani et al., 2017)
    """
    ranks = (query.ndim, key.ndim, value.ndim)
    if min(ranks) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: {} key.dim: {} and "
            "value.dim: {} instead.".format(*ranks)
        )
    if attn_mask is not None and attn_mask.dtype not in (_core.bool, _core.float32, query.dtype):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{attn_mask.dtype} and query.dtype: {query.dtype} instead."
        )
    if enable_gqa:
        key, value = _repeat_heads(key, query.shape[-3]), _repeat_heads(value, query.shape[-3])
    scale = 1 / sqrt(query.shape[-1]) if scale is None else scale
    if is_causal:
        if attn_mask is not None:
            raise RuntimeError("scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
        output = _causal_attention(query, key, value, scale, dropout_p)
    else:
        weights = _weights((query @ key.transpose(-2, -1)) * scale, attn_mask)
        output = dropout(weights, dropout_p) @ value
    # Heads that were split off by a view and a transpose are joined by a transpose and a view.
    keeps_order = query.ndim == 4 and not dropout_p and output.shape == query.shape
    return _core._lay_as(output, query) if keeps_order else output


def _weights(scores: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype == _core.bool:
        blind = ~mask.any(-1, keepdim=True)
        scores = _core.where(mask, scores, -inf)
    else:
        blind = (mask == -inf).all(-1, keepdim=True)
        scores = scores + mask
    # A row of -inf would give NaN, in the gradient too.
    return _core.where(blind, 0.0, _core.where(blind, 0.0, scores).softmax(-1))


def _causal_attention(query: Tensor, key: Tensor, value: Tensor, scale: float, dropout_p: float) -> Tensor:
    """Of some queries at a time: scores for what comes later are not computed, and the others stay in a cache."""
    length = query.shape[-2]
    block = 128 if length <= 1024 else 256
    outputs = []
    for begin in range(0, max(length, 1), block):
        end = min(begin + block, length)
        scores = (query[..., begin:end, :] @ key[..., :end, :].transpose(-2, -1)) * scale
        rows = _core.arange(begin, end, device=scores.device).unsqueeze(1)
        seen = rows >= _core.arange(scores.shape[-1], device=scores.device)
        weights = _core.where(seen, scores, -inf).softmax(-1)
        outputs.append(dropout(weights, dropout_p) @ value[..., :end, :])
    return outputs[0] if len(outputs) == 1 else _core.cat(outputs, -2)


def _repeat_heads(tensor: Tensor, heads: int) -> Tensor:
    own = tensor.shape[-3]
    if heads % own != 0:
        raise RuntimeError(
            f"scaled_dot_product_attention: {heads} query heads are no multiple of {own} key/value heads"
        )
    *batch, _, length, width = tensor.shape
    repeated = tensor.unsqueeze(-3).expand((*batch, own, heads // own, length, width))
    return repeated.reshape((*batch, heads, length, width))
