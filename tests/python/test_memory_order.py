"""Strides: memory formats, and the order in memory that results of operations take over from their operands."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lamina
from lamina import Tensor, nn
from lamina.nn import functional as F

Strides = tuple[int, ...]
LAST = lamina.channels_last


def _image() -> Tensor:
    return lamina.arange(2.0 * 4 * 6 * 6).reshape(2, 4, 6, 6)


def _row_major(sizes: Sequence[int], order: Sequence[int]) -> Strides:
    """Strides of a dense tensor whose axes are, from the farthest to the nearest, those of `order`."""
    strides, step = [0] * len(sizes), 1
    for axis in reversed(order):
        strides[axis] = step
        step *= sizes[axis]
    return tuple(strides)


def _elementwise(sizes: Sequence[int], operands: Sequence[Strides]) -> Strides:
    """The rule in its words, for dense operands of this shape without axes of size 1: the first one decides."""
    return operands[0]


@st.composite
def _chains(draw: st.DrawFn) -> tuple[list[int], list[tuple[Any, ...]]]:
    rank = draw(st.integers(1, 4))
    sizes = draw(st.lists(st.integers(2, 4), min_size=rank, max_size=rank))
    number = st.integers(0, 100)
    step = st.one_of(
        st.tuples(st.just("permute"), number, st.permutations(range(rank))),
        st.tuples(st.sampled_from(["neg", "clone", "like", "contiguous", "cast", "in place", "outer"]), number),
        st.tuples(st.just("add"), number, number),
    )
    return sizes, draw(st.lists(step, max_size=8))


def _strides(x: Tensor) -> Strides:
    return tuple(x.stride())


@given(_chains())
def test_chains_follow_the_rule(chain: tuple[list[int], list[tuple[Any, ...]]]) -> None:
    """Values equal NumPy's, strides the rule's, and what NumPy sees lies at these strides."""
    sizes, steps = chain
    array = np.arange(float(np.prod(sizes)), dtype=np.float32).reshape(sizes)
    tensors, arrays = [lamina.tensor(array)], [array]
    expected = [_row_major(sizes, range(len(sizes)))]
    for name, number, *rest in steps:
        i = number % len(tensors)
        x, y, old = tensors[i], arrays[i], expected[i]
        if name == "permute":
            x, y, new = x.permute(*rest[0]), y.transpose(rest[0]), tuple(old[axis] for axis in rest[0])
        elif name == "add":
            j = rest[0] % len(tensors)
            if tensors[j].shape != x.shape:
                continue
            x, y, new = x + tensors[j], y + arrays[j], _elementwise(x.shape, [old, expected[j]])
        elif name == "contiguous":
            x, new = x.contiguous(), _row_major(x.shape, range(x.dim()))
        elif name == "in place":
            x.add_(0)
            new = old
        elif name == "outer":  # a number or a row that is broadcast says less than the tensor
            x, y, new = 1 - x, 1 - y, old
        else:
            call: Callable[[Tensor], Tensor] = {
                "neg": lambda t: -t,
                "clone": lambda t: t.clone(),
                "like": lambda t: lamina.zeros_like(t),
                "cast": lambda t: t.double().float(),
            }[name]
            x, new = call(x), old
            y = -y if name == "neg" else np.zeros_like(y) if name == "like" else y
        tensors.append(x)
        arrays.append(y)
        expected.append(new)
    for x, y, strides in zip(tensors, arrays, expected):
        assert _strides(x) == strides
        assert x.is_contiguous() == (strides == _row_major(x.shape, range(x.dim())))
        seen = x.numpy()
        assert seen.strides == tuple(4 * step for step in strides)
        np.testing.assert_array_equal(seen, y)


# Recorded with PyTorch 2.13: sizes and strides of operands, and of their sum.
_MIXED = [
    (((2, 3, 4, 5), (60, 1, 15, 3)), ((2, 3, 4, 5), (60, 20, 5, 1)), (60, 1, 15, 3)),
    (((2, 3, 4, 5), (60, 20, 5, 1)), ((2, 3, 4, 5), (60, 1, 15, 3)), (60, 20, 5, 1)),
    (((5,), (1,)), ((2, 3, 4, 5), (60, 1, 15, 3)), (60, 1, 15, 3)),
    (((), ()), ((3, 4), (1, 3)), (1, 3)),
    (((4, 1, 1), (1, 1, 1)), ((4, 2, 3), (1, 12, 4)), (1, 12, 4)),
    (((2, 1, 3, 3), (9, 1, 3, 1)), ((2, 1, 3, 3), (9, 9, 3, 1)), (9, 9, 3, 1)),
    (((2, 3, 1, 1), (3, 1, 3, 3)), ((2, 3, 1, 1), (3, 1, 1, 1)), (3, 1, 1, 1)),
]


@pytest.mark.parametrize(("first", "second", "strides"), _MIXED)
def test_mixed_operands(first: Any, second: Any, strides: Strides) -> None:
    x, y = lamina.empty_strided(*first), lamina.empty_strided(*second)
    assert (_strides(x), _strides(y)) == (first[1], second[1])
    assert _strides(x + y) == strides
    assert _strides(lamina.where(x > y, x, y)) == strides


def test_a_result_in_another_order_is_no_view() -> None:
    x = lamina.rand(3, 4, requires_grad=True).t()
    y = x * 2
    assert (_strides(y), y._is_view(), y._base, y.is_leaf) == ((1, 4), False, None, False)
    y.add_(1)
    y[0] = 0
    assert (_strides(y), y._version, x._version) == ((1, 4), 2, 0)
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        y.view(12)
    flat = y.detach().as_strided((12,), (1,))
    flat[1] = 7
    assert y[1, 0] == 7


def test_gradients_lie_as_their_leaf() -> None:
    for x in (lamina.rand(2, 3, 4, 5).contiguous(memory_format=LAST), lamina.rand(4, 3).t().clone()):
        x.requires_grad_()
        (x.contiguous() * 2).sum().backward()
        assert x.grad is not None
        assert _strides(x.grad) == _strides(x)
        assert (x.grad == 2).all()
    y = lamina.rand(2, 3, 4, 5, requires_grad=True)
    y.contiguous(memory_format=LAST).square().sum().backward()
    assert y.grad is not None
    assert y.grad.is_contiguous()


def test_matrices_of_linalg_and_positions_lie_column_by_column() -> None:
    A, B = lamina.eye(3).expand(2, 3, 3) + 0.1, lamina.ones(2, 3, 4)
    assert lamina.linalg.inv(A).stride() == (9, 1, 3)
    assert lamina.linalg.solve(A, B).stride() == (12, 1, 3)
    assert lamina.linalg.solve(A[0], B[0, :, 0]).is_contiguous()
    assert [part.stride() for part in lamina.linalg.svd(B)] == [(9, 1, 3), (3, 1), (16, 1, 4)]
    assert B.nonzero().stride() == (1, 24)
    assert [positions.stride() for positions in B.nonzero(as_tuple=True)] == [(1,)] * 3


def test_a_volume_without_a_batch_is_pooled_in_its_order() -> None:
    volume = lamina.arange(360.0).reshape(1, 3, 4, 6, 5).contiguous(memory_format=lamina.channels_last_3d)[0]
    largest, positions = F.max_pool3d(volume, 2, return_indices=True)
    assert largest.stride() == positions.stride() == (1, 18, 6, 3)
    assert F.max_pool3d(volume.contiguous(), 2).is_contiguous()


def test_attention_gives_the_order_of_its_queries() -> None:
    heads = lamina.ones(2, 3, 20).view(2, 3, 4, 5).transpose(1, 2)
    found = F.scaled_dot_product_attention(heads, heads, heads, is_causal=True)
    assert found.transpose(1, 2).view(2, 3, 20).equal(lamina.ones(2, 3, 20))
    assert F.scaled_dot_product_attention(*[heads.contiguous()] * 3).is_contiguous()


def test_formats() -> None:
    x = _image()
    y = x.contiguous(memory_format=LAST)
    assert (_strides(y), y.is_contiguous(), y.is_contiguous(memory_format=LAST)) == ((144, 1, 24, 4), False, True)
    assert not x.is_contiguous(memory_format=LAST)
    assert y.contiguous(memory_format=LAST) is y
    assert y.to(memory_format=lamina.preserve_format) is y
    for z in (x.to(memory_format=LAST), lamina.empty(2, 4, 6, 6, memory_format=LAST), lamina.rand_like(y), y.double()):
        assert _strides(z) == _strides(y)
    for z in (
        y.clone(memory_format=lamina.contiguous_format),
        lamina.ones_like(y, memory_format=lamina.contiguous_format),
    ):
        assert z.is_contiguous()
    assert lamina.zeros(1, 2, 3, 4, 5).to(memory_format=lamina.channels_last_3d).stride() == (120, 1, 40, 10, 2)
    assert str(LAST) == "torch.channels_last"
    with pytest.raises(RuntimeError, match="required rank 4 tensor to use channels_last format"):
        lamina.zeros(2, 3).contiguous(memory_format=LAST)
    with pytest.raises(RuntimeError, match="unsupported memory format Preserve"):
        lamina.empty(2, memory_format=lamina.preserve_format)


def test_empty_permuted() -> None:
    assert lamina.empty_permuted((2, 3, 4), (0, 2, 1)).stride() == (12, 1, 3)
    with pytest.raises(RuntimeError, match="Duplicate dim"):
        lamina.empty_permuted((2, 3), (0, 0))
    with pytest.raises(RuntimeError, match="does not match the length of the physical_layout"):
        lamina.empty_permuted((2, 3), (0,))
    with pytest.raises(RuntimeError, match="Dimension out of range"):
        lamina.empty_permuted((2, 3), (0, 2))


def test_memory_is_shared_in_that_order() -> None:
    y = _image().contiguous(memory_format=LAST)
    view, array = y.permute(0, 2, 3, 1), y.numpy()
    assert array.strides == (576, 4, 96, 16)
    array[0, 1, 0, 0] = -5
    assert (view.is_contiguous(), view.view(-1)[1].item(), y[0, 1, 0, 0].item()) == (True, -5, -5)
    y.mul_(2)
    assert array[0, 1, 0, 0] == -10
    assert lamina.from_numpy(np.asfortranarray(np.ones((2, 3)))).stride() == (1, 2)
    assert lamina.tensor(np.asfortranarray(np.ones((2, 3)))).stride() == (1, 2)


def test_copies_and_files_keep_the_order(tmp_path: Any) -> None:
    y = _image().contiguous(memory_format=LAST)
    lamina.save({"y": y, "part": y[:, 1]}, tmp_path / "y")
    loaded = lamina.load(tmp_path / "y")
    assert _strides(loaded["part"]) == (144, 24, 4)
    assert (loaded["part"] == y[:, 1]).all()
    for z in (copy.deepcopy(y), pickle.loads(pickle.dumps(y)), loaded["y"]):
        assert (_strides(z), (z == y).all().item()) == (_strides(y), True)
    loaded["y"][0, 1] = 0
    assert loaded["part"][0].sum() == 0


def test_modules_convert_what_has_the_axes() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).to(memory_format=LAST)
    assert net[0].weight.stride() == (27, 1, 9, 3)
    assert net[0].bias.stride() == (1,)
    assert net(lamina.rand(2, 3, 6, 6)).is_contiguous(memory_format=LAST)


def test_resizing_takes_the_elements_as_they_lie() -> None:
    y = lamina.arange(24.0).reshape(1, 2, 3, 4).contiguous(memory_format=LAST)
    assert y.clone().resize_(4).tolist() == [0, 12, 1, 13]
    assert lamina.zeros(4).resize_as_(y, memory_format=lamina.preserve_format).stride() == y.stride()


# Recorded with PyTorch 2.13: does the layer give channels last for channels last?
_KEEPING: dict[str, Callable[[Tensor], Tensor]] = {
    "conv2d": lambda x: F.conv2d(x, lamina.ones(3, 4, 2, 2), lamina.ones(3)),
    "conv_transpose2d": lambda x: F.conv_transpose2d(x, lamina.ones(4, 3, 2, 2)),
    "weight": lambda x: F.conv2d(x.contiguous(), lamina.ones(3, 4, 2, 2).contiguous(memory_format=LAST)),
    "max_pool2d": lambda x: F.max_pool2d(x, 2),
    "avg_pool2d": lambda x: F.avg_pool2d(x, 2),
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, 4),
    "adaptive_max_pool2d": lambda x: F.adaptive_max_pool2d(x, 4),
    "max_unpool2d": lambda x: F.max_unpool2d(*F.max_pool2d_with_indices(x, 2), 2),
    "batch_norm": lambda x: F.batch_norm(x, None, None, lamina.ones(4), lamina.ones(4), True),
    "batch_norm of statistics": lambda x: F.batch_norm(x, lamina.ones(4), lamina.ones(4)),
    "group_norm": lambda x: F.group_norm(x, 2, lamina.ones(4), lamina.ones(4)),
    "local_response_norm": lambda x: F.local_response_norm(x, 2),
    "interpolate": lambda x: F.interpolate(x, scale_factor=2),
    "interpolate bilinear": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    "pixel_unshuffle": lambda x: F.pixel_unshuffle(x, 2),
    "channel_shuffle": lambda x: F.channel_shuffle(x, 2),
    "pad": lambda x: F.pad(x, (1, 1)),
    "pad reflect": lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"),
    "dropout": lambda x: F.dropout(x, 0.5),
    "gelu": F.gelu,
    "cat": lambda x: lamina.cat([x, x], 1),
    "flip": lambda x: x.flip(0),
    "sort": lambda x: x.sort(1).values,
}
_MAKING_CONTIGUOUS: dict[str, Callable[[Tensor], Tensor]] = {
    "layer_norm": lambda x: F.layer_norm(x, (6,)),
    "instance_norm": lambda x: F.instance_norm(x),
    "pad circular": lambda x: F.pad(x, (1, 1, 1, 1), mode="circular"),
    "softmax": lambda x: x.softmax(1),
    "cumsum": lambda x: x.cumsum(1),
    "sum": lambda x: x.sum(0, keepdim=True),
    "masked_fill": lambda x: x.masked_fill(x > 5, 0),
    "tril": lambda x: x.tril(),
    "cat of both": lambda x: lamina.cat([x, x.contiguous()]),
    "logsigmoid": F.logsigmoid,
    "view_copy": lambda x: lamina.permute_copy(x, (0, 2, 1, 3)),
    "reshape": lambda x: x.reshape(2, 2, 72),
}


@pytest.mark.parametrize("name", [*_KEEPING, *_MAKING_CONTIGUOUS])
def test_layers(name: str) -> None:
    x = _image()
    call = (_KEEPING | _MAKING_CONTIGUOUS)[name]
    lamina.manual_seed(0)
    plain = call(x)
    lamina.manual_seed(0)
    y = call(x.contiguous(memory_format=LAST))
    assert (y == plain).all()
    assert y.is_contiguous(memory_format=LAST) == (name in _KEEPING)
    assert y.is_contiguous() == (name not in _KEEPING)
    if name != "weight":
        assert plain.is_contiguous()


def test_weights_of_convolutions_take_a_format() -> None:
    net = nn.Sequential(nn.Conv2d(4, 4, 3), nn.ModuleList([nn.ConvTranspose3d(2, 2, 2)]))
    flat, deep = net[0].weight, net[1][0].weight
    before = flat.detach().clone()
    assert nn.utils.convert_conv2d_weight_memory_format(net, lamina.channels_last) is net
    assert net[0].weight is flat
    assert flat.is_contiguous(memory_format=lamina.channels_last)
    assert deep.is_contiguous()
    assert lamina.equal(flat, before)
    assert net[0](lamina.ones(1, 4, 8, 8)).is_contiguous(memory_format=lamina.channels_last)
    nn.utils.convert_conv3d_weight_memory_format(net, lamina.channels_last_3d)
    assert deep.is_contiguous(memory_format=lamina.channels_last_3d)
