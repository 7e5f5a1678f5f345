"""``out=``, in-place forms of views, views at any strides, and ``_base``."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

import lamina


def test_out_takes_the_result_and_is_returned() -> None:
    x, out = lamina.arange(6.0).reshape(2, 3), lamina.zeros(2, 3)
    assert lamina.add(x, 1, out=out) is out
    assert out.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert lamina.hypot(x, x, out=out) is out  # composed in Python
    assert lamina.cumsum(x, 0, out=x).tolist() == [[0, 1, 2], [3, 5, 7]]
    base = lamina.zeros(3, 2)
    lamina.mul(x, 2, out=base.t())
    assert base[0].tolist() == [0, 6]


def test_out_of_several() -> None:
    values, indices = lamina.empty(0), lamina.empty(0, dtype=lamina.int64)
    result = lamina.max(lamina.tensor([[1.0, 5.0], [7.0, 2.0]]), 1, out=(values, indices))
    assert result.values is values
    assert values.tolist() == [5, 7]
    assert indices.tolist() == [1, 0]


def test_out_of_another_shape_is_resized() -> None:
    out = lamina.ones(3)
    with pytest.warns(UserWarning, match="was resized"):
        lamina.ceil(lamina.tensor([[1.5]]), out=out)
    assert out.tolist() == [[2]]


def test_out_refuses() -> None:
    x: Any = lamina.ones(2, requires_grad=True)
    for call, error, message in (
        (lambda: lamina.add(x, 1, out=lamina.ones(2)), RuntimeError, "don't support automatic differentiation"),
        (lambda: lamina.add(x.detach(), 1, out=lamina.ones(2).int()), RuntimeError, "can't be cast"),
        (lambda: lamina.add(x.detach(), 1, out=3), TypeError, "argument 'out' must be Tensor"),
        (lambda: lamina.max(x.detach(), 0, out=lamina.ones(2)), TypeError, "tuple of Tensors"),
        (lambda: x.detach().add(1, out=lamina.ones(2)), TypeError, "unexpected keyword argument 'out'"),
    ):
        with pytest.raises(error, match=message):
            call()


def test_views_in_place() -> None:
    x = lamina.arange(6.0).clone().resize_(2, 3)
    alias = x.detach()
    assert x.t_() is x
    assert (x.shape, x.stride()) == ((3, 2), (1, 3))
    x[0, 1] = 10
    assert alias[1, 0] == 10
    assert x.unsqueeze_(0).shape == (1, 3, 2)
    assert x.transpose_(1, 2).squeeze_(0).tolist() == alias.tolist()
    with pytest.raises(RuntimeError, match="leaf Variable"):
        lamina.ones(2, 2, requires_grad=True).t_()


def test_a_view_at_any_strides_shares_memory() -> None:
    x = lamina.arange(6.0).clone()
    part = x[2:]
    windows = part.unfold(0, 2, 1)
    windows[1, 0] = 30
    assert x.tolist() == [0, 1, 2, 30, 4, 5]
    assert windows[0, 1] == 30
    assert part.as_strided((2,), (2,)).tolist() == [2, 4]
    assert part.as_strided((2,), (2,), 0).tolist() == [0, 2]
    part.as_strided((2,), (1,), 0).zero_()
    assert x[:2].tolist() == [0, 0]
    with pytest.raises(RuntimeError, match="out of bounds for storage of size 24"):
        x.as_strided((7,), (1,))


def test_base_of_a_view() -> None:
    x = lamina.zeros(3, 4)
    assert x._base is None
    assert x.t()[0]._base is x
    assert x.diagonal()._base is x
    row = x[1]
    assert row.untyped_storage().data_ptr() == x.data_ptr() != row.data_ptr()
    assert row.untyped_storage().nbytes() == len(x.untyped_storage()) == 48
    del x
    gc.collect()
    base = row._base
    assert base is not None
    assert row._base is base
    base.fill_(2)
    assert row.tolist() == [2, 2, 2, 2]


def test_bits_as_another_type() -> None:
    x = lamina.tensor([1.0, -2.0])
    bits = x.view(lamina.int32)
    assert bits.tolist() == [0x3F800000, -0x40000000]
    bits[0] = 0
    assert x.tolist() == [0, -2]
    assert x.view(dtype=lamina.int32).tolist() == bits.tolist()


def test_bytes_as_elements_of_another_size() -> None:
    x = lamina.arange(6, dtype=lamina.int16).view(2, 3)
    low = x.view(lamina.uint8)
    assert (low.shape, low.dtype, low.is_contiguous()) == ((2, 6), lamina.uint8, True)
    low[1, 0] = 7
    assert x.tolist() == [[0, 1, 2], [7, 4, 5]]
    x[0, 0] = 258
    assert low[0].tolist() == [2, 1, 1, 0, 2, 0]
    assert low.view(dtype=lamina.int16).equal(x)
    part = lamina.arange(8, dtype=lamina.int16).view(2, 4).view(lamina.uint8)[1:, 4:]
    assert part.view(lamina.int32).tolist() == [[6 + (7 << 16)]]
    assert lamina.arange(3).view(lamina.uint8).shape == (24,)
    assert lamina.zeros(0).view(lamina.uint8).shape == (0,)
    assert lamina.zeros(2, 3, device="meta").view(lamina.uint8).shape == (2, 12)
    assert lamina.ones(2, dtype=lamina.bfloat16).view(lamina.uint8).tolist() == [128, 63, 128, 63]
    assert lamina.tensor([1, 0], dtype=lamina.uint8).view(lamina.bool).tolist() == [True, False]
    assert not lamina.ones(2, requires_grad=True).view(lamina.uint8).requires_grad


@pytest.mark.parametrize(
    ("view", "text"),
    [
        (lambda x: x.view(lamina.int64), r"self.size\(-1\) must be divisible by 2 to view Float as Long .* got 3"),
        (lambda x: x[:, 1:].view(lamina.int64), r"self.storage_offset\(\) must be divisible by 2 .* got 1"),
        (lambda x: x[:, :2].view(lamina.int64), r"self.stride\(0\) must be divisible by 2 .* got 3"),
        (lambda x: x.t().view(lamina.int16), r"self.stride\(-1\) must be 1 to view Float as Short .* got 3"),
        (lambda x: x[0, 0].view(lamina.int16), r"self.dim\(\) cannot be 0 to view Float as Short"),
    ],
)
def test_bytes_that_make_no_whole_elements(view: Callable[[lamina.Tensor], object], text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        view(lamina.zeros(2, 3))
