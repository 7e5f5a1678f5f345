"""In-place changes of tensors that show an element more than once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import lamina


def test_expanded_refuses() -> None:
    x = lamina.zeros(1, 2).expand(3, 2)
    with pytest.raises(RuntimeError, match="unsupported operation: more than one element of the written-to tensor"):
        x.add_(1)
    assert x.sum().item() == 0


def test_expanded_can_be_filled() -> None:
    base = lamina.zeros(2, 1, 3)
    wide = base.expand(2, 4, 3)
    assert wide.fill_(2) is wide
    assert wide.tolist() == [[[2.0] * 3] * 4] * 2
    wide[1].zero_()
    assert base.tolist() == [[[2.0] * 3], [[0.0] * 3]]


def test_filled_expanded_has_no_gradient() -> None:
    x = lamina.ones(3, requires_grad=True)
    y = x * 2
    y.expand(4, 3)[:, :2].fill_(5)
    y.sum().backward()
    assert y.tolist() == [5, 5, 2]
    assert x.grad.tolist() == [0, 0, 2]


def test_row_of_expanded_can_be_written() -> None:
    """Only what is written must not overlap itself; the other rows are the same memory."""
    x = lamina.zeros(2)
    wide = x.expand(3, 2)
    wide[0] = 1.5
    assert wide.tolist() == [[1.5, 1.5]] * 3
    assert x.tolist() == [1.5, 1.5]
    wide.T[1:, 2] += 1
    assert x.tolist() == [1.5, 2.5]
    with pytest.raises(RuntimeError, match="refers to a single memory location"):
        wide[:2] = 0


def test_row_of_expanded_gets_the_gradient_of_what_was_written() -> None:
    w = lamina.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x = w * 2
    x.expand(4, 3)[2, 1:] *= w[1:]
    x.sum().backward()
    assert w.grad.tolist() == [2.0, 8.0, 12.0]


@pytest.mark.parametrize(
    "copied",
    [
        lambda x: x.expand(3, 2).repeat(2, 1),
        lambda x: x.T.expand(2, 3).repeat(1, 2),
        lambda x: x.expand(3, 2).repeat_interleave(2, 0),
        lambda x: x[0, 0].expand(3, 2).tile(2, 2),
        lambda x: x[0, 0].expand(3, 2).ravel(),
        lambda x: x.repeat(1, 1),
        lambda x: lamina.chain_matmul(x),
    ],
)
@pytest.mark.filterwarnings("ignore:torch.chain_matmul is deprecated")
def test_copies_of_expanded_are_copies(copied: Callable[[lamina.Tensor], lamina.Tensor]) -> None:
    base = lamina.ones(1, 2)
    copies = copied(base)
    base.add_(1)
    assert copies.sum() == copies.numel()
    copies[0] += 1  # and one of them is not all of them
    assert base.tolist() == [[2, 2]]
    assert (copies == 2).sum() == copies[0].numel()


def test_repeated_once_is_contiguous() -> None:
    assert lamina.rand(2, 3).T.repeat(1, 1).stride() == (2, 1)


def test_nothing_does_not_overlap() -> None:
    x = lamina.zeros(1, 0).expand(3, 0)
    assert x.add_(1) is x
