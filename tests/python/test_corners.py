"""Calls at the edges of what functions take: 0-d and empty tensors, no axes, bool, mixed types."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import lamina

SCALAR = lamina.tensor(1.5)
FLAGS = lamina.tensor([True, False])
X = lamina.tensor([[0.5, 0.0], [-2.0, 3.0]])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: SCALAR.unbind(), IndexError, "Dimension specified as 0 but tensor has no dimensions"),
        (lambda: SCALAR.size(0), IndexError, "Dimension specified as 0 but tensor has no dimensions"),
        (lambda: SCALAR.stride(-1), IndexError, "Dimension specified as -1"),
        (lambda: SCALAR.norm(dtype=lamina.bool), RuntimeError, "should be floating point"),
        (lambda: X.norm(dtype=lamina.int32), RuntimeError, "should be floating point"),
        (
            lambda: lamina.zeros(3).scatter_add(0, lamina.tensor([0, 1, 2]), SCALAR),
            RuntimeError,
            r"expected index \[3\] to be no larger than src \[1\]",
        ),
        (lambda: FLAGS.bernoulli(), NotImplementedError, "not implemented for 'Bool'"),
        (lambda: lamina.bernoulli(lamina.tensor([1])), NotImplementedError, "not implemented for 'Long'"),
        (lambda: lamina.zeros(2).bernoulli_(FLAGS), NotImplementedError, "not implemented for 'Bool'"),
        (lambda: lamina.zeros(3).bernoulli_(lamina.zeros(0)), RuntimeError, r"must match the size|broadcast"),
        (lambda: lamina.einsum(X, [0, 52], [0]), ValueError, "valid range"),
        (lambda: lamina.zeros(0, 3).index_select(0, lamina.tensor([0])), RuntimeError, "axis dim should be positive"),
        (lambda: lamina.flip(), TypeError, r'flip\(\) missing 2 required positional arguments: "input", "dims"'),  # type: ignore[call-arg]
        (lambda: X.select(0), TypeError, r'select\(\) missing 1 required positional arguments: "index"'),  # type: ignore[call-arg]
    ],
)
def test_refused(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: X.any(dim=()), [[True, False], [True, True]]),
        (lambda: X.all(dim=[], keepdim=True), [[True, False], [True, True]]),
        (lambda: X.byte().any(dim=()), [[0, 0], [1, 1]]),
        (lambda: lamina.tensor([0.5, 0.2]).prod(dtype=lamina.bool), True),
        (lambda: lamina.tensor([0.5, -0.5]).sum(dtype=lamina.bool), True),
        (lambda: FLAGS.square(), [1, 0]),
        (lambda: lamina.zeros(0, 3, dtype=lamina.int64) // 0, []),
        (lambda: lamina.zeros(3).scatter(0, lamina.tensor([1]), SCALAR), [0, 1.5, 0]),
        (lambda: lamina.hypot(FLAGS, lamina.tensor([0.0, 2.0])), [1, 2]),
        (lambda: lamina.bitwise_right_shift(-1, lamina.tensor([1, 4], dtype=lamina.uint8)), [127, 15]),
        (lambda: lamina.bernoulli(lamina.zeros(2), 1.0), [1, 1]),
        (lambda: lamina.zeros(2, 3).bernoulli_(lamina.tensor([1.0, 0.0, 1.0])), [[1, 0, 1], [1, 0, 1]]),
        (lambda: lamina.bernoulli(lamina.ones(2), out=lamina.zeros(2, dtype=lamina.int16)), [1, 1]),
        (lambda: lamina.tensor([1, 2]).lgamma(), [0, 0]),
        (lambda: lamina.mvlgamma(lamina.tensor([math.inf]), 2), [math.inf]),
        (lambda: lamina.equal(lamina.tensor([1]), lamina.tensor([1.0])), True),
        (lambda: lamina.equal(lamina.tensor([0.1]), lamina.tensor([0.1], dtype=lamina.float64)), False),
        (lambda: lamina.einsum(X, [0, 1], X, [1, 2], [0, 2]), (X @ X).tolist()),
        (lambda: lamina.einsum(X, [..., 1], [..., 1]), X.tolist()),
        (lambda: lamina.einsum(X, [0, 0]), 3.5),
        (lambda: SCALAR.adjoint(), 1.5),
        (lambda: X.index_reduce(0, lamina.tensor([], dtype=lamina.int64), lamina.zeros(0, 2), "prod"), X.tolist()),
        (lambda: lamina.tensor([2.0]).logit(eps=1.0), [-math.inf]),
    ],
)
def test_given(call: Callable[[], Any], wanted: Any) -> None:
    result = call()
    assert (result.tolist() if isinstance(result, lamina.Tensor) else result) == wanted


def test_half_of_an_addition_in_double_precision() -> None:
    x, y = lamina.tensor([0.1]), lamina.tensor([0.2], dtype=lamina.float64)
    assert lamina.logaddexp2(x, y).item() == pytest.approx(math.log2(2 ** x.item() + 2**0.2), abs=1e-14)


@pytest.mark.parametrize("mode", ["floor", "trunc"])
def test_rounded_quotients_have_a_gradient_of_zero_even_by_zero(mode: str) -> None:
    x = lamina.tensor([1.0, -1.0, 3.0], requires_grad=True)
    y = lamina.tensor([0.0, 2.0, 2.0], requires_grad=True)
    quotient = x.div(y, rounding_mode=mode)
    assert quotient.tolist() == [math.inf, -1.0 if mode == "floor" else -0.0, 1.0]
    quotient[1:].sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert x.grad.tolist() == y.grad.tolist() == [0, 0, 0]


def test_reductions_by_index_round_half_precision_once() -> None:
    x = lamina.tensor([0.1, 0.2, 3.3, 0.7]).half()
    places = lamina.tensor([0, 0, 0, 0])
    mean = lamina.zeros(1).half().index_reduce(0, places, x, "mean", include_self=False)
    assert mean.item() == x.float().mean().half().item()


def test_random_integers_of_the_whole_range() -> None:
    low, high = -(2**63), 2**63 - 1
    numbers = lamina.randint(low, high, (4000,), generator=lamina.Generator().manual_seed(1)).double()
    assert abs(numbers.mean().item()) < 5 * 2**64 / math.sqrt(12 * 4000)
    assert numbers.min() < low * 0.99
    assert numbers.max() > high * 0.99
    upper = lamina.randint(-(2**62) - 2**61, high, (4000,), generator=lamina.Generator().manual_seed(1))
    assert upper.min() >= -(2**62) - 2**61


def test_linear_algebra_by_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamina._warning._told", set())
    x = lamina.tensor([[2.0, 1.0], [1.0, 3.0]])
    assert x.det().item() == pytest.approx(5)
    assert (x.inverse() @ x - lamina.eye(2)).abs().max() < 1e-6
    assert lamina.equal(x.matrix_power(2), x @ x)
    with pytest.warns(UserWarning, match="torch.cholesky is deprecated"):
        assert x.cholesky().shape == (2, 2)
    assert x.slogdet().logabsdet.item() == pytest.approx(x.logdet().item()) == pytest.approx(math.log(5))


def test_roots_and_hardswish_of_infinity_are_what_pytorch_says() -> None:
    infinite = lamina.tensor([-math.inf, math.inf], requires_grad=True)
    assert [math.isnan(x) for x in (infinite**0.5).tolist()] == [True, False]
    assert [math.isnan(x) for x in (infinite**-0.5).tolist()] == [True, False]
    assert infinite.pow(lamina.tensor(0.5)).tolist() == [math.inf, math.inf]
    y = lamina.nn.functional.hardswish(infinite)
    assert [math.isnan(x) for x in y.tolist()] == [True, False]
    y.sum().backward()
    assert infinite.grad.tolist() == [0, 1]  # type: ignore[union-attr]


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_interpolation_saves_nothing(mode: str) -> None:
    x = lamina.ones(1, 1, 4, 4, requires_grad=True)
    y = lamina.nn.functional.interpolate(x, size=(6, 6), mode=mode).sum()
    y.backward()
    y.backward()
    assert x.grad.sum().item() == pytest.approx(72)  # type: ignore[union-attr]


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_what_inference_mode_has_resized_before_is_differentiated(mode: str) -> None:
    x = lamina.ones(1, 1, 4, 5, requires_grad=True)
    with lamina.inference_mode():
        lamina.nn.functional.interpolate(x, size=(7, 9), mode=mode)
    lamina.nn.functional.interpolate(x, size=(7, 9), mode=mode).sum().backward()
    assert x.grad is not None
    assert x.grad.sum().item() == pytest.approx(63)


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 3)], ids=str)
def test_gradients_of_products_that_hold_zeros(zeros: tuple[int, ...]) -> None:
    numbers = [0.0 if place in zeros else number for place, number in enumerate([1.5, -2.0, 0.5, 3.0])]
    x = lamina.tensor([numbers, numbers[::-1]], dtype=lamina.float64, requires_grad=True)
    for function in (lambda x: x.prod(), lambda x: x.prod(1), lambda x: x.cumprod(1), lambda x: x.cumprod(0)):
        assert lamina.autograd.gradgradcheck(function, (x,))

        def slopes(x: lamina.Tensor, function: Any = function) -> lamina.Tensor:
            return lamina.autograd.grad(function(x).square().sum(), x, create_graph=True)[0]

        assert lamina.autograd.gradgradcheck(slopes, (x,))


def test_second_gradient_of_a_power_of_zero_is_a_number() -> None:
    x = lamina.tensor([0.0, 2.0], requires_grad=True)
    exponents = lamina.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 3.0]])
    (slope,) = lamina.autograd.grad((x**exponents).sum(), x, create_graph=True)
    (curvature,) = lamina.autograd.grad(slope.sum(), x)
    assert curvature.tolist() == [2, 12]
