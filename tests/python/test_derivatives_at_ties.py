"""Derivatives of the first three orders of smooth functions where operands are 0 or equal: there a function that is
composed of others with a kink, or that divides by its operand, may have the right value and slope, and no more."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import lamina
from lamina import Tensor
from lamina.autograd import gradgradcheck
from lamina.nn import functional as F

TIES = [0.0, 0.5, 0.5, 0.0, -1.0, 0.0]

ELEMENTWISE: dict[str, Callable[..., Tensor]] = {
    name: getattr(lamina, name)
    for name in (
        "asinh",
        "atan",
        "cosh",
        "erf",
        "erfc",
        "exp",
        "expm1",
        "i0",
        "sigmoid",
        "sinc",
        "sinh",
        "square",
        "tan",
    )
} | {
    name: getattr(lamina.special, name)
    for name in ("bessel_j0", "bessel_j1", "erfcx", "i1", "log_ndtr", "ndtr", "spherical_bessel_j0")
}
ELEMENTWISE |= {name: getattr(F, name) for name in ("gelu", "logsigmoid", "mish", "silu", "softplus", "tanhshrink")}
ELEMENTWISE |= {
    "gelu by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "cube": lambda x: x**3,
    "power of tensors": lambda x: x ** lamina.tensor([2.0, 3.0, 2.5, 4.0, 2.0, 5.0], dtype=x.dtype),
    "bce": lambda x: F.binary_cross_entropy_with_logits(x, lamina.full_like(x, 0.3), reduction="none"),
    "logaddexp": lambda x: lamina.logaddexp(x, x.flip(0)),
    "logaddexp2": lambda x: lamina.logaddexp2(x, x.flip(0)),
    "i1e": lambda x: lamina.special.i1e(x.square()),  # whose slope has a kink at 0
    "xlog1py": lambda x: lamina.special.xlog1py(x, x.flip(0).square()),
}
OF_ROWS: dict[str, Callable[..., Tensor]] = {
    "prod": lambda x: x.prod(0),
    "cumprod": lambda x: x.cumprod(0),
    "logsumexp": lambda x: x.logsumexp(0),
    "logcumsumexp": lambda x: x.logcumsumexp(0),
    "softmax": lambda x: x.softmax(0),
    "log_softmax": lambda x: x.log_softmax(0),
    "cross_entropy": lambda x: F.cross_entropy(x, lamina.tensor(1), label_smoothing=0.1),
    "var": lambda x: x.var(0),
    "layer_norm": lambda x: F.layer_norm(x[1:3], (2,), eps=0.3),
    "rms_norm": lambda x: F.rms_norm(x[3:4], (1,), eps=0.3),
    "det": lambda x: lamina.linalg.det(x[:4].reshape(2, 2) @ x[2:].reshape(2, 2)),
    "matrix_exp": lambda x: lamina.linalg.matrix_exp(x[:4].reshape(2, 2)),
    "outer": lambda x: lamina.outer(x, x).cumprod(1),
}


@pytest.mark.parametrize("name", [*ELEMENTWISE, *OF_ROWS])
def test_derivatives_of_smooth_functions(name: str) -> None:
    function: Any = ELEMENTWISE.get(name) or OF_ROWS[name]
    x = lamina.tensor(TIES, dtype=lamina.float64, requires_grad=True)

    def slopes(x: Tensor) -> Tensor:
        return lamina.autograd.grad(function(x).square().sum() + function(x).sum(), x, create_graph=True)[0]

    assert gradgradcheck(function, (x,), atol=1e-4)
    assert gradgradcheck(slopes, (x,), atol=1e-4)


def test_slope_of_entr_at_zero() -> None:
    x = lamina.tensor([0.0, 1.0], requires_grad=True)
    y = lamina.special.entr(x)
    assert y.tolist() == [0, 0]
    (slope,) = lamina.autograd.grad(y.sum(), x)
    assert slope.tolist() == [math.inf, -1]
