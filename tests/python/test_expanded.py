"""In-place changes of tensors that show an element more than once."""

from __future__ import annotations

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
