"""Where PyTorch's rounding or its word on empty batches decides what nn.functional gives."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import Any

import pytest

import lamina
from lamina.nn import functional as F


def test_batch_norm_learns_nothing_from_an_empty_batch() -> None:
    mean, var, weight = lamina.full((3,), 5.0), lamina.ones(3), lamina.ones(3, requires_grad=True)
    y = F.batch_norm(lamina.zeros(0, 3, 2), mean, var, weight, training=True)
    y.sum().backward()
    assert tuple(y.shape) == (0, 3, 2)
    assert mean.tolist() == [5, 5, 5]
    assert var.tolist() == [1, 1, 1]
    assert weight.grad is not None
    assert weight.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("mode", "old", "new", "dtype", "first"),
    [  # where PyTorch's 1 begins: exact arithmetic would say half of `new`
        ("nearest", 2, 82, lamina.float32, 42),
        ("nearest", 2, 82, lamina.float64, 41),
        ("nearest-exact", 2, 49, lamina.float32, 24),
        ("nearest-exact", 2, 41, lamina.float32, 20),
        ("nearest-exact", 2, 61, lamina.float32, 31),
    ],
)
def test_nearest_rounds_as_pytorch(mode: str, old: int, new: int, dtype: lamina.dtype, first: int) -> None:
    line = lamina.arange(old, dtype=dtype).reshape(1, 1, old)
    assert F.interpolate(line, new, mode=mode)[0, 0].tolist() == [0.0] * first + [1.0] * (new - first)


def test_multi_margin_loss_has_its_targets_shape() -> None:
    losses = [
        F.multi_margin_loss(lamina.ones(3), target, reduction="none")
        for target in (lamina.tensor([0]), lamina.tensor(0))
    ]
    assert [tuple(loss.shape) for loss in losses] == [(1,), ()]


@pytest.mark.parametrize("dtype", [lamina.float16, lamina.bfloat16], ids=str)
def test_narrow_types_are_rounded_once(dtype: lamina.dtype) -> None:
    x = lamina.linspace(-3, 3, 64).to(dtype).reshape(4, 16)
    functions: list[Any] = [F.silu, F.mish, F.hardswish, F.selu]
    for function in (*functions, F.gelu, F.softplus, F.logsigmoid, F.elu, F.celu, F.glu):
        assert lamina.equal(function(x), function(x.float()).to(dtype))
    for inplace in functions:
        y = x.clone()
        assert inplace(y, inplace=True) is y
        assert lamina.equal(y, inplace(x))
    weight = lamina.linspace(0.5, 2, 16)
    expected = F.layer_norm(x.float(), (16,), weight).to(dtype)
    assert lamina.equal(F.layer_norm(x, (16,), weight), expected)
    assert lamina.equal(F.group_norm(x, 4, weight), F.group_norm(x.float(), 4, weight).to(dtype))


def test_what_repeats_is_a_copy_and_what_is_expanded_is_written_once() -> None:
    x = lamina.arange(3.0).reshape(1, 3)
    for copies in (x.repeat(2, 1), x.tile(2, 1), x.repeat_interleave(2, 0)):
        copies[0, 0] = 7
        assert copies.tolist() == [[7, 1, 2], [0, 1, 2]]
    F.threshold(x.expand(2, 3), 1.5, -1.0, inplace=True)
    assert x.tolist() == [[-1, -1, 2]]


def test_out_is_taken_where_pytorch_takes_it() -> None:
    x = lamina.linspace(-2, 2, 16).reshape(1, 1, 4, 4)
    functions: list[Any] = [F.gelu, F.softplus, F.logsigmoid, F.hardshrink, F.softshrink]
    for function in (*functions, partial(F.avg_pool2d, kernel_size=2)):
        out = lamina.empty(0)
        assert function(x, out=out) is out
        assert lamina.equal(out, function(x))
    line = lamina.ones(1, 6).expand(6, 6)
    with pytest.raises(RuntimeError, match="unsupported operation"):
        F.softplus(line, out=line)


def test_cosine_similarity_promotes_and_counts_have_a_gradient() -> None:
    twelve = lamina.tensor(12.0)
    assert F.cosine_similarity(twelve.to(lamina.int8), twelve, dim=-1).item() == 1
    x = lamina.ones(3, 2, requires_grad=True)
    F.pdist(x, 0).sum().backward()
    assert x.grad is not None
    assert not x.grad.any()


def test_integers_sizes_and_targets_that_pytorch_refuses() -> None:
    whole = lamina.ones(1, 1, 4, 4, dtype=lamina.int64)
    for call in (lambda: F.mse_loss(whole, whole), lambda: F.adaptive_avg_pool2d(whole, 2)):
        with pytest.raises(NotImplementedError, match="not implemented for 'Long'"):
            call()
    with pytest.raises(TypeError, match=r"'output_size' .* must be tuple of ints, not NoneType"):
        F.adaptive_avg_pool1d(lamina.ones(1, 1, 4), None)  # type: ignore[arg-type]
    assert F.adaptive_avg_pool2d(lamina.ones(2, 0, 4, 4), 2).shape == (2, 0, 2, 2)
    for factor in (1e20, -1e20):
        with pytest.raises(RuntimeError):
            F.interpolate(lamina.ones(1, 1, 2), scale_factor=factor, mode="linear")
    with pytest.raises(RuntimeError, match="0D or 1D target tensor expected"):
        F.nll_loss(lamina.ones(3, 2), lamina.zeros(3, 2, dtype=lamina.int64))
    with pytest.raises(RuntimeError, match="num_classes should be positive"):
        F.one_hot(lamina.tensor([1]), -2)
    with pytest.raises(RuntimeError, match="both arguments to linear need to be at least 1D, but they are 0D and 2D"):
        F.linear(lamina.tensor(1.0), lamina.ones(2, 1))
    with pytest.raises(RuntimeError, match='Padding mode "reflect" doesn\'t take in value argument'):
        F.pad(lamina.ones(1, 4), (1, 1), "reflect", 1.0)


def test_grid_sample_shows_zeros_where_places_are_no_numbers() -> None:
    grid = lamina.tensor([[[[float("nan"), 0.0], [float("inf"), 0.0], [0.0, 0.0]]]])
    for padding in ("zeros", "border", "reflection"):
        looked = F.grid_sample(lamina.ones(1, 1, 4, 4), grid, padding_mode=padding, align_corners=False)
        assert looked[0, 0, 0, ::2].tolist() == [0, 1]


def test_no_batch_and_padding_of_attention() -> None:
    attention = lamina.nn.MultiheadAttention(4, 2)
    output, weights = attention(*[lamina.zeros(3, 0, 4)] * 3)
    assert output.shape == (3, 0, 4)
    assert weights.shape == (0, 3, 3)
    with pytest.raises(AssertionError, match=r"Expected key_padded_mask.shape\[1\] to be 3, but got 4"):
        attention(*[lamina.zeros(3, 2, 4)] * 3, lamina.zeros(2, 4, dtype=lamina.bool))


def test_volumes_positions_are_what_the_gradient_reads() -> None:
    for pool in (partial(F.max_pool3d, kernel_size=2), partial(F.adaptive_max_pool3d, output_size=3)):
        x = lamina.rand(1, 1, 4, 4, 4, requires_grad=True)
        output, positions = pool(x, return_indices=True)
        assert lamina.equal(x.flatten().take(positions), output)
        positions.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            output.sum().backward()


def test_unit_size_grids_warn() -> None:
    with pytest.warns(UserWarning, match="See the documentation of affine_grid for details"):
        F.affine_grid(lamina.zeros(1, 2, 3), (1, 1, 2, 1), align_corners=True)


def test_instance_norm_says_which_channels_it_ignores() -> None:
    with pytest.warns(UserWarning, match="input's size at dim=1 does not match num_features"):
        lamina.nn.InstanceNorm1d(4)(lamina.rand(2, 3, 5))
    with pytest.raises(ValueError, match="expected input's size at dim=0 to match num_features"):
        lamina.nn.InstanceNorm1d(4, affine=True)(lamina.rand(3, 5))


def test_old_names_warn() -> None:
    w = lamina.ones(4, requires_grad=True)
    w.sum().backward()
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        assert lamina.nn.utils.clip_grad_norm([w], 1.0).item() == 2


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)], ids=str)
def test_nothing_of_integers(shape: tuple[int, ...]) -> None:
    nothing = lamina.zeros(shape, dtype=lamina.int64)
    for found in (nothing.softmax(0), nothing.softmax(-1), nothing.log_softmax(0)):
        assert tuple(found.shape) == shape
        assert found.dtype == lamina.int64
    assert nothing.median().item() == nothing.nanmedian().item() == -(2**63)
    assert nothing.int().median().item() == -(2**31)


def test_same_padding_refuses_strides_first() -> None:
    with pytest.raises(ValueError, match="padding='same' is not supported for strided convolutions"):
        lamina.nn.Conv2d(1, 1, 3, padding="same", stride=(1, 1, 3))


def test_whole_numbers_are_rounded_and_bounded_after_each_axis() -> None:
    image = lamina.tensor([[0, 255, 0, 255], [255, 0, 255, 0], [0, 255, 255, 0]], dtype=lamina.uint8)[None, None]
    wide = F.interpolate(image, (3, 9), mode="bicubic")
    assert lamina.equal(F.interpolate(image, (7, 9), mode="bicubic"), F.interpolate(wide, (7, 9), mode="bicubic"))


def test_the_nearest_element_does_not_move_with_the_grid() -> None:
    grid = lamina.tensor([[[[0.3, inf]]]], requires_grad=True)
    F.grid_sample(lamina.ones(1, 1, 2, 2), grid, "nearest", align_corners=False).sum().backward()
    assert grid.grad is not None
    assert grid.grad.tolist() == [[[[0, 0]]]]


def test_a_tensor_says_how_many_windows() -> None:
    x = lamina.arange(4.0).reshape(1, 1, 4)
    assert F.adaptive_avg_pool1d(x, lamina.tensor(2)).tolist() == [[[0.5, 2.5]]]
    assert F.adaptive_max_pool1d(x, lamina.tensor(2)).tolist() == [[[1.0, 3.0]]]
