"""lamina.autograd.functional against finite differences, closed forms and its own other ways."""

from __future__ import annotations

from typing import Any

import pytest

import lamina
from lamina.autograd import functional as F
from lamina.autograd import gradcheck


def _random(*shape: int) -> Any:
    return lamina.randn(shape, dtype=lamina.float64)


def _two(x: Any, y: Any) -> Any:
    return (x[:, None] * y).sin(), x.sum() * y.sum()


@pytest.mark.parametrize(
    "options", [{}, {"vectorize": True}, {"strategy": "forward-mode"}, {"strategy": "forward-mode", "vectorize": True}]
)
def test_jacobian(options: dict[str, Any]) -> None:
    lamina.manual_seed(0)
    x, y = _random(2), _random(3)
    table = F.jacobian(_two, (x, y), **options)
    slope = (x[:, None] * y).cos()
    for i in range(2):
        assert lamina.allclose(table[0][0][i, :, i], slope[i] * y)
        assert lamina.allclose(table[0][1][i], (slope[i] * x[i]).diag())
    assert lamina.allclose(table[1][0], y.sum().expand(2))
    assert not table[0][0].requires_grad
    assert F.jacobian(lambda x: x.sum(), x, **options).shape == (2,)
    assert F.jacobian(lambda x: lamina.ones(3, dtype=x.dtype), x, **options).tolist() == [[0, 0]] * 3
    assert F.jacobian(lambda x: x * 2, x[:0], **options).shape == (0, 0)


def test_hessian() -> None:
    x, y = _random(2), _random(2)
    blocks = F.hessian(lambda x, y: (x**2 * y).sum(), (x, y))
    assert lamina.allclose(blocks[0][0], (2 * y).diag())
    assert lamina.allclose(blocks[0][1], (2 * x).diag())
    for options in ({"vectorize": True}, {"outer_jacobian_strategy": "forward-mode", "vectorize": True}):
        again = F.hessian(lambda x, y: (x**2 * y).sum(), (x, y), **options)
        assert lamina.allclose(again[0][1], blocks[0][1])


def test_products() -> None:
    lamina.manual_seed(1)
    x, v, u = _random(3), _random(3), _random(3)
    jacobian = F.jacobian(lambda x: x.exp() * x.sum(), x)
    value, product = F.vjp(lambda x: x.exp() * x.sum(), x, u)
    assert lamina.allclose(value, x.exp() * x.sum())
    assert lamina.allclose(product, u @ jacobian)
    assert lamina.allclose(F.jvp(lambda x: x.exp() * x.sum(), x, v)[1], jacobian @ v)
    second = F.hessian(lambda x: x.exp().prod(), x)
    assert lamina.allclose(F.hvp(lambda x: x.exp().prod(), x, v)[1], second @ v)
    assert lamina.allclose(F.vhp(lambda x: x.exp().prod(), x, v)[1], v @ second)


@pytest.mark.parametrize("product", [F.vjp, F.jvp])
def test_create_graph(product: Any) -> None:
    x, v = _random(3).requires_grad_(), _random(3).requires_grad_()
    assert gradcheck(lambda x, v: product(lambda x: x.exp() * x.sum(), x, v, create_graph=True), (x, v))
    with lamina.no_grad():
        assert product(lamina.exp, x, v)[1].grad_fn is None
        assert product(lamina.exp, x, v, create_graph=True)[1].grad_fn is not None


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: F.vjp(lamina.exp, (x, 2), x), TypeError, "inputs given to vjp must be either a Tensor"),
        (lambda x: F.jvp(lambda x: (x, "a"), x, x), TypeError, "outputs of the user-provided function given to jvp"),
        (lambda x: F.vjp(lamina.exp, x), RuntimeError, "vector v can only be None"),
        (lambda x: F.vjp(lamina.exp, x, (x, x)), RuntimeError, "should contain a single Tensor"),
        (lambda x: F.jvp(lamina.exp, x, x[:1]), RuntimeError, "v has invalid size"),
        (lambda x: F.hessian(lamina.exp, x), RuntimeError, "should contain a single element"),
        (lambda x: F.vhp(lambda x: (x.sum(),), x, x), RuntimeError, "should return a single Tensor"),
        (lambda x: F.jacobian(lamina.exp, x, strict=True, vectorize=True), RuntimeError, "not supported together"),
        (lambda x: F.jacobian(lamina.exp, x, strategy="sideways"), AssertionError, "forward-mode"),
        (
            lambda x: F.vjp(lambda x: x.detach(), x, x, strict=True),
            RuntimeError,
            "Output 0 .* does not require gradients",
        ),
        (
            lambda x: F.jvp(lambda x: x.detach().requires_grad_() * 1, x, x, strict=True),
            RuntimeError,
            "independent of input 0",
        ),
        (
            lambda x: F.hvp(lambda x: (3 * x).sum(), x, x, strict=True),
            RuntimeError,
            "with respect to input 0 is independent",
        ),
    ],
)
def test_wrong_use(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call(_random(3))
