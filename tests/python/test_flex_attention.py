"""flex_attention against attention by hand, and which blocks its masks leave."""

from __future__ import annotations

from typing import Any

import pytest

import lamina
from lamina import Tensor
from lamina.autograd import gradcheck
from lamina.nn import functional as F
from lamina.nn.attention import flex_attention as flex


def _operands(dtype: lamina.dtype = lamina.float32) -> tuple[Tensor, Tensor, Tensor]:
    return tuple(lamina.randn(2, 4, 10, 6, dtype=dtype) for _ in range(3))  # type: ignore[return-value]


def _causal(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
    return q_idx >= kv_idx


def test_plain_and_causal() -> None:
    q, k, v = _operands()
    lamina.testing.assert_close(flex.flex_attention(q, k, v), F.scaled_dot_product_attention(q, k, v))
    mask = flex.create_block_mask(_causal, None, None, 10, 10, BLOCK_SIZE=4)
    causal = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    lamina.testing.assert_close(flex.flex_attention(q, k, v, block_mask=mask), causal)


def test_scores_are_changed_at_their_places() -> None:
    q, k, v = _operands()
    table = lamina.randn(4, 19)

    def relative(score: Tensor, b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        return score * (b + 1) + table[h, q_idx - kv_idx + 9]

    steps = lamina.arange(10)
    bias = table[:, steps[:, None] - steps + 9]
    scores = q @ k.mT * 0.5 * lamina.tensor([1.0, 2.0])[:, None, None, None] + bias
    lamina.testing.assert_close(flex.flex_attention(q, k, v, relative, scale=0.5), scores.softmax(-1) @ v)


def test_gradients_of_operands_and_of_what_a_function_holds() -> None:
    q, k, v = (x[:1, :2, :3].requires_grad_() for x in _operands(lamina.float64))
    slope = lamina.rand(2, dtype=lamina.float64, requires_grad=True)
    mask = flex.create_block_mask(_causal, None, None, 3, 3)

    def attention(q: Tensor, k: Tensor, v: Tensor, slope: Tensor) -> Any:
        return flex.flex_attention(q, k, v, lambda s, b, h, i, j: s + slope[h] * (j - i), mask)

    assert gradcheck(attention, (q, k, v, slope))


def test_shared_heads_and_half_precision() -> None:
    q, k, v = _operands()
    k, v = k[:, :2], v[:, :2]
    expected = F.scaled_dot_product_attention(q, k.repeat_interleave(2, 1), v.repeat_interleave(2, 1))
    lamina.testing.assert_close(flex.flex_attention(q, k, v, enable_gqa=True), expected)
    half = flex.flex_attention(q.bfloat16(), k.bfloat16(), v.bfloat16(), enable_gqa=True)
    lamina.testing.assert_close(half, expected.bfloat16(), rtol=0.05, atol=0.05)


def test_queries_that_see_nothing_give_0() -> None:
    q, k, v = _operands()
    mask = flex.create_block_mask(lambda b, h, q_idx, kv_idx: q_idx > kv_idx, None, None, 10, 10)
    result, lse = flex.flex_attention(q, k, v, block_mask=mask, return_lse=True)
    assert not result[:, :, 0].any()
    assert lse[:, :, 0].isneginf().all()
    lamina.testing.assert_close(lse[:, :, 1], (q[:, :, 1] * k[:, :, 0]).sum(-1) / 6**0.5)
    _, aux = flex.flex_attention(q, k, v, return_aux=flex.AuxRequest(max_scores=True))
    assert aux.lse is None
    lamina.testing.assert_close(aux.max_scores, (q @ k.mT).amax(-1) / 6**0.5)


def test_masks_are_joined() -> None:
    near = lambda b, h, q_idx, kv_idx: (q_idx - kv_idx).abs() < 2  # noqa: E731
    both = flex.create_mask(flex.and_masks(_causal, near), 1, None, 3, 3)
    assert both.int().tolist() == [[[[1, 0, 0], [1, 1, 0], [0, 1, 1]]]]
    either = flex.create_mask(flex.or_masks(_causal, near), None, 1, 3, 3)
    assert either.int().tolist() == [[[[1, 1, 0], [1, 1, 1], [1, 1, 1]]]]
    assert flex.create_mask(flex.noop_mask, 2, 3, 4, 5).all()
    scores = flex.create_mask(lambda s, b, h, i, j: lamina.where(i >= j, s, -lamina.inf), 1, 1, 3, 3)
    assert scores.equal(flex.create_mask(_causal, 1, 1, 3, 3))


def test_blocks_of_a_mask() -> None:
    mask = flex.create_block_mask(_causal, 2, None, 40, 40, BLOCK_SIZE=16)
    assert (mask.shape, mask.numel(), mask.BLOCK_SIZE, mask.seq_lengths) == ((2, 1, 40, 40), 3200, (16, 16), (40, 40))
    assert mask.kv_num_blocks.tolist() == [[[1, 1, 3]]] * 2
    assert mask.kv_indices[0, 0].tolist() == [[0, 1, 2], [1, 0, 2], [0, 1, 2]]
    assert mask.full_kv_num_blocks is not None
    assert mask.full_kv_num_blocks.tolist() == [[[0, 1, 0]]] * 2
    assert mask.to_dense()[1, 0].tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert mask.sparsity() == pytest.approx(4)
    assert repr(mask[1]) == "BlockMask(shape=(1, 1, 40, 40), sparsity=4.00%)"
    assert mask.to("cpu").shape == mask.shape
    listed = flex.BlockMask.from_kv_blocks(mask.kv_num_blocks, mask.kv_indices, BLOCK_SIZE=16)
    assert (listed.shape, listed.mask_mod) == ((2, 1, 48, 48), flex.noop_mask)


def test_what_does_not_fit() -> None:
    q, k, v = _operands()
    mask = flex.create_block_mask(_causal, None, None, 10, 10)
    with pytest.raises(NotImplementedError, match="query must be a 4D tensor"):
        flex.flex_attention(q[0], k, v)
    with pytest.raises(ValueError, match="enable_gqa=True"):
        flex.flex_attention(q, k[:, :2], v[:, :2])
    with pytest.raises(ValueError, match="multiple of kv heads"):
        flex.flex_attention(q, k[:, :3], v[:, :3], enable_gqa=True)
    with pytest.raises(ValueError, match="q_len=7 and kv_len=10"):
        flex.flex_attention(q[:, :, :7], k, v, block_mask=mask)
    with pytest.raises(AssertionError, match="mask_mod"):
        flex.create_block_mask(lambda score, b, h, q_idx, kv_idx: score, 1, 1, 2, 2)
    with pytest.raises(AssertionError, match="got one of 1"):
        flex.create_mask(lambda b: b, 1, 1, 2, 2)
    with pytest.raises(RuntimeError, match="callable"):
        flex.and_masks(_causal, lamina.ones(1))  # type: ignore[arg-type]


def test_masks_are_made_where_they_are_wanted() -> None:
    assert flex.create_mask(_causal, 1, 1, 2, 2, device="cpu").shape == (1, 1, 2, 2)
    for make in (flex.create_mask, flex.create_block_mask):
        with pytest.raises(RuntimeError, match="cuda"):
            make(_causal, 1, 1, 2, 2, device="cuda")
