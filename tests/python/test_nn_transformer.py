"""Transformer layers against their formula in terms of their parts; masks; what PyTorch refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn
from lamina.autograd import gradcheck


def x(*shape: int) -> lamina.Tensor:
    return lamina.tensor(np.random.default_rng(sum(shape)).standard_normal(shape))


def equal(a: lamina.Tensor, b: lamina.Tensor) -> None:
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_layers_are_made_of_their_parts(norm_first: bool, batch_first: bool) -> None:
    options: dict[str, Any] = {"norm_first": norm_first, "batch_first": batch_first, "dtype": lamina.float64}
    encoder, decoder = nn.TransformerEncoderLayer(4, 2, 6, **options), nn.TransformerDecoderLayer(4, 2, 6, **options)
    source, target = (x(2, 5, 4), x(2, 3, 4)) if batch_first else (x(5, 2, 4), x(3, 2, 4))
    encoder.eval()
    decoder.eval()

    def heads(attention: nn.Module, a: lamina.Tensor, b: lamina.Tensor) -> lamina.Tensor:
        return attention(a, b, b)[0]  # type: ignore[no-any-return]

    def wide(layer: Any, a: lamina.Tensor) -> lamina.Tensor:
        return layer.linear2(layer.linear1(a).relu())  # type: ignore[no-any-return]

    e, d = encoder, decoder
    if norm_first:
        a = source + heads(e.self_attn, e.norm1(source), e.norm1(source))
        memory = a + wide(e, e.norm2(a))
        b = target + heads(d.self_attn, d.norm1(target), d.norm1(target))
        b = b + heads(d.multihead_attn, d.norm2(b), memory)
        expected = b + wide(d, d.norm3(b))
    else:
        a = e.norm1(source + heads(e.self_attn, source, source))
        memory = e.norm2(a + wide(e, a))
        b = d.norm1(target + heads(d.self_attn, target, target))
        b = d.norm2(b + heads(d.multihead_attn, b, memory))
        expected = d.norm3(b + wide(d, b))
    equal(encoder(source), memory)
    equal(decoder(target, memory), expected)


def test_a_causal_mask_hides_what_comes_later() -> None:
    net = nn.Transformer(4, 2, 1, 1, 6, 0.0, "gelu", dtype=lamina.float64)
    mask = nn.Transformer.generate_square_subsequent_mask(3, dtype=lamina.float64)
    source, target = x(5, 2, 4), x(3, 2, 4)
    changed = target.clone()
    changed[2] += 1
    before, after = net(source, target, tgt_mask=mask), net(source, changed, tgt_mask=mask)
    equal(before[:2], after[:2])
    assert not np.allclose(before[2].detach().numpy(), after[2].detach().numpy())
    equal(net(source[:, 0], target[:, 0], tgt_mask=mask), before[:, 0])
    equal(net(source, target, tgt_mask=mask * 0, tgt_is_causal=True), before)  # the hint is believed


def test_padding_is_not_looked_at() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 6, 0.0, dtype=lamina.float64)
    net = nn.TransformerEncoder(layer, 2, nn.LayerNorm(4, dtype=lamina.float64))
    padding = lamina.tensor([[False, False, True], [False, False, False]])
    equal(net(x(3, 2, 4), src_key_padding_mask=padding)[:2, 0], net(x(3, 2, 4)[:2, 0]))
    assert {id(p) for p in net.layers[0].parameters()}.isdisjoint(id(p) for p in net.layers[1].parameters())
    all_hidden = nn.MultiheadAttention(4, 2)(*[x(3, 2, 4).float()] * 3, padding | True, need_weights=False)[0]
    assert all_hidden.abs().sum() == 0


def test_gradients() -> None:
    net = nn.Transformer(2, 1, 1, 1, 2, 0.0, dtype=lamina.float64)
    assert gradcheck(lambda a, b, *_: net(a, b), [x(2, 1, 2).requires_grad_(), x(2, 1, 2).requires_grad_() * 2])


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: nn.TransformerEncoderLayer(4, 2, activation="abs"), RuntimeError, "should be relu/gelu, not abs"),
        (lambda: nn.Transformer(5, 2), AssertionError, "divisible by num_heads"),
        (lambda: nn.Transformer(4, 2)(x(3, 2, 4), x(3, 1, 4)), RuntimeError, "batch number"),
        (lambda: nn.Transformer(4, 2)(x(3, 2, 4), x(3, 2, 5)), RuntimeError, "feature number"),
        (lambda: nn.TransformerEncoderLayer(4, 2)(x(3, 2, 4), is_causal=True), RuntimeError, "Need attn_mask"),
    ],
)
def test_errors(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()
