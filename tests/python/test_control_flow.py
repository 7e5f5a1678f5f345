"""cond and while_loop: Python's branches and loops, whose arguments are checked."""

from __future__ import annotations

import pytest

import lamina


def test_cond_takes_the_branch_of_a_number_or_of_one_element() -> None:
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    for pred in (True, 1, lamina.tensor(True), lamina.tensor([2.0])):
        assert lamina.cond(pred, lambda x: x + 1, lambda x: x - 1, (x,)).tolist() == [2, 3]
    below = lamina.cond(x.sum() < 0, lambda x: x + 1, lambda x: x * x, (x,))
    assert lamina.autograd.grad(below.sum(), x)[0].tolist() == [2, 4]
    assert lamina.cond(False, lambda: 1, lambda: 2) == 2


def test_cond_refuses_other_arguments() -> None:
    x, branch = lamina.ones(2), lamina.sin
    with pytest.raises(RuntimeError, match="single-element tensor"):
        lamina.cond(x > 0, branch, branch, (x,))
    with pytest.raises(RuntimeError, match="bool or tensor, but got a"):
        lamina.cond("a", branch, branch, (x,))
    with pytest.raises(RuntimeError, match="callable"):
        lamina.cond(True, branch, 1, (x,))
    for operands in (x, (3,)):
        with pytest.raises(RuntimeError, match="tuple of possibly nested"):
            lamina.cond(True, branch, branch, operands)


def test_while_loop_carries_tensors_and_numbers() -> None:
    count, x = lamina.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (0, lamina.ones(2)))
    assert (count, x.tolist()) == (3, [8, 8])
    i, x = lamina.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x + i), (lamina.tensor(0), lamina.zeros(1)))
    assert (i.item(), x.item()) == (3, 3)


def test_while_loop_refuses_what_changes_shape_or_is_no_answer() -> None:
    start = (lamina.tensor(0), lamina.ones(2))
    with pytest.raises(RuntimeError, match="same number of outputs but got 1 and 2"):
        lamina.while_loop(lambda i, x: i < 3, lambda i, x: i + 1, start)
    with pytest.raises(RuntimeError, match="same metadata"):
        lamina.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x[:1]), start)
    with pytest.raises(RuntimeError, match="boolean scalar tensor"):
        lamina.while_loop(lambda i, x: x > 0, lambda i, x: (i + 1, x), start)
    with pytest.raises(RuntimeError, match="callable"):
        lamina.while_loop(1, lambda i, x: (i + 1, x), start)
    with pytest.raises(RuntimeError, match="carried_inputs"):
        lamina.while_loop(lambda i: i < 3, lambda i: i + 1, 3)
