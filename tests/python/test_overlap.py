"""What in-place operations read must lie apart from what they write: csrc/bindings/out_argument.cpp."""

from __future__ import annotations

import pytest

import lamina


@pytest.mark.parametrize("write", ["index_add_", "index_copy_", "scatter_", "scatter_add_", "put_", "index_put_"])
def test_what_is_read_must_lie_apart_from_where_indices_write(write: str) -> None:
    x, index = lamina.rand(6), lamina.tensor([2, 1, 0])

    def call(to: lamina.Tensor, index: lamina.Tensor, source: lamina.Tensor) -> None:
        if write == "index_put_":
            to.index_put_((index,), source)
        elif write == "put_":
            to.put_(index, source)
        else:
            getattr(to, write)(0, index, source)

    for to, places, source in ((x, index, x[:3]), (index, index, index.clone()), (index, index.clone(), index)):
        before = to.tolist()
        with pytest.raises(RuntimeError, match="unsupported operation: some elements of the input tensor"):
            call(to, places, source)
        assert to.tolist() == before
    call(x[:3], index, x[3:].clone())


def test_what_is_read_may_be_what_is_written_but_not_a_part_of_it() -> None:
    x = lamina.arange(9.0).view(3, 3)
    x.copy_(x)
    x.hypot_(x)
    with pytest.raises(RuntimeError, match="unsupported operation"):
        x.copy_(x.T)
    with pytest.raises(RuntimeError, match="unsupported operation"):
        x.view(9)[1:].lerp_(x.view(9)[:-1], 0.5)
    x[1:].copy_(x[:2].clone())


@pytest.mark.filterwarnings("ignore:Use of .* on expanded tensors is deprecated")
def test_fills_of_expanded_tensors_reach_what_they_show() -> None:
    base = lamina.zeros(1, 3)
    x = base.expand(2, 3)
    x.index_fill_(0, lamina.tensor([1]), 6.0)
    x.index_fill_(-1, lamina.tensor([0]), 7.0)
    assert base.tolist() == [[7, 6, 6]]
    x.masked_fill_(lamina.tensor([[False, True, False], [False, False, False]]), lamina.tensor(5.0))
    x.index_fill_(0, lamina.tensor([], dtype=lamina.int64), 8.0)
    assert x.tolist() == [[7, 5, 6], [7, 5, 6]]
    with pytest.warns(UserWarning, match="Use of masked_fill_ on expanded tensors is deprecated"):
        lamina.zeros(1).expand(3).masked_fill_(lamina.tensor(True), 1.0)
