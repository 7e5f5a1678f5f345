"""Results found by looking at numbers: their gradient is what it should be, or an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import lamina


@pytest.mark.parametrize(
    "function",
    [
        lamina.unique,
        lambda x: lamina.unique(x, dim=0, return_counts=True)[0],
        lamina.unique_consecutive,
        lambda x: lamina.bincount(lamina.tensor([0, 1, 1]), weights=x),
    ],
)
def test_what_has_no_derivative_is_no_constant(function: Callable[[lamina.Tensor], lamina.Tensor]) -> None:
    x = lamina.tensor([1.0, 2.0, 2.0], requires_grad=True)
    result = function(x)
    assert result.requires_grad
    assert result.tolist() == function(x.detach()).tolist()
    with pytest.raises(NotImplementedError, match=r"the derivative for '.*' is not implemented"):
        (x.sum() + result.sum()).backward()
    with lamina.no_grad():
        assert not function(x).requires_grad


def test_nextafter_moves_with_its_first_operand() -> None:
    x, y = lamina.tensor([1.0, 2.0], requires_grad=True), lamina.tensor([[3.0], [0.0], [2.0]], requires_grad=True)
    lamina.nextafter(x, y).sum().backward()
    assert x.grad.tolist() == [3, 2]  # 0 where they are equal
    assert y.grad.tolist() == [[0], [0], [0]]
