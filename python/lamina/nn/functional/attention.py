"""Attention with several heads."""

from __future__ import annotations

from math import inf, sqrt

from ... import _core
from ..._core import Tensor
from ..._warning import warn_caller
from .padding import pad
from .products import linear, scaled_dot_product_attention
from .regularization import dropout

__all__ = ["multi_head_attention_forward"]


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What MultiheadAttention computes: query (L, N, E), key and value (S, N, ·), or without N, to (L, N, E).

    The second result, unless `need_weights` is off, is where each query looks: (N, L, S), or with a head axis unless
    `average_attn_weights`. A mask that is bool says where *not* to look; one of numbers is added to the scores:
    `attn_mask` (L, S) or (N · heads, L, S), `key_padding_mask` (N, S). (Vaswani et al., 2017)
    """
    batched = _check_ranks(query, key, value, key_padding_mask, attn_mask, num_heads)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    head = _head_width(width, embed_dim_to_check, num_heads)
    separate = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    q, k, v = _projected((query, key, value), in_proj_weight, separate, in_proj_bias)
    mask, padding = _masks(attn_mask, key_padding_mask, query.dtype)
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError(f"bias cannot be added to static {'value' if static_k is None else 'key'}.")
        k = _core.cat([k, bias_k.expand(1, batch, width)])
        v = _core.cat([v, bias_v.expand(1, batch, width)])
    q, k, v = (x.reshape(x.shape[0], batch * num_heads, head).transpose(0, 1) for x in (q, k, v))
    k = k if static_k is None else _given("static_k", static_k, batch * num_heads, head)
    v = v if static_v is None else _given("static_v", static_v, batch * num_heads, head)
    if add_zero_attn:
        zeros = k.new_zeros(batch * num_heads, 1, head)
        k, v = _core.cat([k, zeros], 1), _core.cat([v, zeros], 1)
    added = (bias_k is not None and bias_v is not None) + bool(add_zero_attn)
    mask = _joined(mask, padding, added, batch, num_heads, k.shape[1])
    dropped = dropout_p if training else 0.0
    found = None
    if need_weights:
        scores = (q * sqrt(1.0 / head)) @ k.transpose(1, 2)
        seen = dropout((scores if mask is None else scores + mask).softmax(-1), dropped)
        mixed = seen @ v
        found = seen.reshape(batch, num_heads, length, k.shape[1])
        found = found.mean(1) if average_attn_weights else found
        found = found if batched else found.squeeze(0)
    else:  # where a query that may look nowhere gets zeros, not NaN
        hinted = is_causal and padding is None  # the hint stands for the mask
        mixed = scaled_dot_product_attention(q, k, v, None if hinted else mask, dropped, is_causal=hinted)
    mixed = mixed.transpose(0, 1).reshape(length * batch, width)
    output = linear(mixed, out_proj_weight, out_proj_bias).reshape(length, batch, out_proj_weight.shape[0])
    return output if batched else output.squeeze(1), found


def _head_width(width: int, expected: int, heads: int) -> int:
    if width != expected:
        raise AssertionError(f"was expecting embedding dimension of {expected}, but got {width}")
    if width % heads:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {heads}")
    return width // heads


def _projected(
    inputs: tuple[Tensor, Tensor, Tensor],
    together: Tensor | None,
    separate: tuple[Tensor | None, ...] | None,
    bias: Tensor | None,
) -> tuple[Tensor, ...]:
    """Query, key and value, each by its third of the weight `together`, or by its own of the `separate` ones."""
    _, key, value = inputs
    if separate is None:
        if key.shape != value.shape:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        assert together is not None
        separate = together.chunk(3)
    elif key.shape[:2] != value.shape[:2]:
        raise AssertionError(f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}")
    biases: tuple[Tensor | None, ...] = (None, None, None) if bias is None else bias.chunk(3)
    return tuple(linear(x, w, b) for x, w, b in zip(inputs, separate, biases))  # type: ignore[arg-type]


def _masks(mask: Tensor | None, padding: Tensor | None, dtype: _core.dtype) -> tuple[Tensor | None, Tensor | None]:
    """Both as numbers to add: the mask (1 or N · heads, L, S), and the padding (N, S)."""
    if mask is not None and padding is not None and mask.dtype != padding.dtype:
        warn_caller(
            "Support for mismatched key_padding_mask and attn_mask is deprecated. Use same type for both instead."
        )
    padding = None if padding is None else _additive("key_padding_mask", padding, dtype)
    mask = None if mask is None else _additive("attn_mask", mask, dtype)
    return mask.unsqueeze(0) if mask is not None and mask.ndim == 2 else mask, padding


def _joined(
    mask: Tensor | None, padding: Tensor | None, added: int, batch: int, heads: int, keys: int
) -> Tensor | None:
    """One mask of both, for `keys` keys, of which the last `added` ones may always be looked at."""
    mask = pad(mask, (0, added)) if added and mask is not None else mask
    if padding is None:
        return mask
    padding = pad(padding, (0, added)) if added else padding
    for axis, size in enumerate((batch, keys)):
        if padding.shape[axis] != size:
            raise AssertionError(f"Expected key_padded_mask.shape[{axis}] to be {size}, but got {padding.shape[axis]}")
    spread = padding.reshape(batch, 1, 1, keys).expand(batch, heads, 1, keys).reshape(batch * heads, 1, keys)
    return spread if mask is None else mask + spread


def _check_ranks(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None, heads: int
) -> bool:
    """Whether there is a batch axis. AssertionError for ranks that do not belong together."""
    if query.ndim not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D query tensor"
        )
    batched = query.ndim == 3
    kind = "batched (3-D)" if batched else "unbatched (2-D)"
    if key.ndim != query.ndim or value.ndim != query.ndim:
        raise AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {query.ndim}-D but found {key.ndim}-D and "
            f"{value.ndim}-D tensors respectively"
        )
    if padding is not None and padding.ndim != query.ndim - 1:
        raise AssertionError(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {query.ndim - 1}-D but found "
            f"{padding.ndim}-D tensor instead"
        )
    if mask is not None:
        if mask.ndim not in (2, 3):
            raise AssertionError(
                f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.ndim}-D tensor "
                "instead"
            )
        rows = (query.shape[0], key.shape[0])
        expected = rows if mask.ndim == 2 else ((query.shape[1] if batched else 1) * heads, *rows)
        if tuple(mask.shape) != expected:
            if mask.ndim == 3 and not batched:
                raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {mask.shape}")
            raise RuntimeError(
                f"The shape of the {mask.ndim}D attn_mask is {mask.shape}, but should be {tuple(expected)}."
            )
    return batched


def _given(name: str, tensor: Tensor, batch: int, width: int) -> Tensor:
    """Keys or values (N heads, S, head) in place of the projected ones. AssertionError for another shape."""
    for axis, size in ((0, batch), (2, width)):
        if tensor.shape[axis] != size:
            raise AssertionError(f"expecting {name}.size({axis}) of {size}, but got {tensor.shape[axis]}")
    return tensor


def _additive(name: str, mask: Tensor, dtype: _core.dtype) -> Tensor:
    if mask.dtype == _core.bool:
        return mask.new_zeros(mask.shape, dtype=dtype).masked_fill(mask, -inf)
    if not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if mask.dtype != dtype:
        raise RuntimeError(f"Input dtypes must be the same, got: mask {mask.dtype}, query {dtype}")
    return mask
