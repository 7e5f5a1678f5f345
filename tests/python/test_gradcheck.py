"""gradcheck accepts right gradients, rejects wrong ones with both numbers, and says what it cannot check."""

from __future__ import annotations

import re
from typing import Any

import pytest

import lamina
from lamina.autograd import GradcheckError, gradcheck, gradgradcheck


def _leaf(*shape: int) -> Any:
    count = max(lamina.zeros(*shape).numel(), 1)
    return (lamina.arange(count, dtype=lamina.float64).reshape(*shape) * 0.37 + 0.2).requires_grad_()


def test_right_gradients_pass() -> None:
    assert gradcheck(lambda x, y: (x * y).sin(), (_leaf(2, 3), _leaf(3)))
    assert gradcheck(lamina.exp, _leaf(2))
    assert gradcheck(lambda x, n, y: (x * n, y.sum()), (_leaf(2), 3, _leaf(2)))
    assert gradcheck(lambda x: x[:0], (_leaf(2),))
    assert gradcheck(lambda x: (x > 0, x * 2), (_leaf(2),))


def _wrong(x: Any) -> Any:
    return x * x.detach()


def test_wrong_gradient_shows_both_numbers() -> None:
    x = lamina.tensor([3.0, 5.0], dtype=lamina.float64, requires_grad=True)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(_wrong, (x,))
    text = str(caught.value)
    numbers = re.search(r"input 0 at element \(0, 0\): numerical (\S+), analytical (\S+)\n", text)
    assert numbers
    assert float(numbers[1]) == pytest.approx(6)
    assert float(numbers[2]) == 3
    assert "Jacobian mismatch for output 0" in text
    assert not gradcheck(_wrong, (x,), raise_exception=False)


def test_missing_gradient_is_found() -> None:
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 1 with respect to input 1"):
        gradcheck(lambda x, y: (x * y, x + y.detach()), (_leaf(2), _leaf(2)))


def test_detached_output_counts_as_zero_gradient() -> None:
    assert gradcheck(lambda x: lamina.ones(2, dtype=lamina.float64), (_leaf(2),))
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: x.detach() * 2, (_leaf(2),))


def test_nothing_to_check() -> None:
    with pytest.raises(ValueError, match="require gradient"):
        gradcheck(lamina.exp, (lamina.ones(2),))


def test_float32_is_warned_about() -> None:
    with pytest.warns(UserWarning, match="float64"):
        gradcheck(lambda x: x * 2, (lamina.ones(2, requires_grad=True),), eps=1e-2, atol=1e-2)


def test_wrong_dtype_of_a_gradient_cannot_happen() -> None:
    assert gradcheck(lambda x: x.float().double(), (_leaf(2),), check_grad_dtypes=True, eps=1e-2, atol=1e-2)


def test_gradients_that_differ_between_passes_are_found() -> None:
    calls: list[Any] = []

    def shift(gradient: Any) -> Any:
        calls.append(gradient)
        return gradient + 1e-3 * len(calls)

    def shifting(x: Any) -> Any:
        y = x * 1
        if y.requires_grad:
            y.register_hook(shift)
        return y

    with pytest.raises(GradcheckError, match="not reentrant"):
        gradcheck(shifting, (_leaf(2),))


def test_second_gradients() -> None:
    assert gradgradcheck(lambda x, y: (x.exp() * y, y * y), (_leaf(2), _leaf(2)))
    assert gradgradcheck(lambda x: x**3, _leaf(2), lamina.tensor([1.0, -2.0], dtype=lamina.float64))
    assert gradgradcheck(lambda x: x.sin(), _leaf(2), gen_non_contig_grad_outputs=True)


def test_wrong_second_gradient_is_found() -> None:
    def first_is_right(x: Any) -> Any:
        # The value and gradient of x², but the gradient is constant to the second derivative.
        frozen = x.detach()
        return frozen * frozen + 2 * frozen * (x - frozen)

    assert gradcheck(first_is_right, (_leaf(2),))
    with pytest.raises(GradcheckError):
        gradgradcheck(first_is_right, (_leaf(2),))
    assert not gradgradcheck(first_is_right, (_leaf(2),), raise_exception=False)


def test_forward_mode_is_checked() -> None:
    x = lamina.tensor([0.5, -1.5], dtype=lamina.float64, requires_grad=True)
    assert gradcheck(lambda t: (t.exp(), t.prod()), [x], check_forward_ad=True)
    assert gradcheck(lambda t: t.floor(), [x], check_forward_ad=True)
    assert gradgradcheck(lambda t: t.sin(), [x], check_fwd_over_rev=True)


def test_the_parts_of_complex_outputs_are_told_apart() -> None:
    def off(x: lamina.Tensor) -> lamina.Tensor:
        y = lamina.complex(x, 2 * x)
        y.register_hook(lambda g: g.real + 1.1j * g.imag)
        return y

    x = lamina.ones(2, dtype=lamina.float64, requires_grad=True)
    with pytest.raises(
        RuntimeError, match="While considering the imaginary part of complex outputs only, Jacobian mis"
    ):
        lamina.autograd.gradcheck(off, (x,))
