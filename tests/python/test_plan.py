"""plan(): what was fused into which step, and why not more."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina import nn


def test_nothing_is_pending() -> None:
    lamina.flush()
    x = lamina.ones(2)
    assert x.sum().item() == 2
    lamina.flush()
    assert lamina.plan() == "nothing is pending\n"
    assert lamina.tensor([1.0]).plan() == "this tensor has its numbers\n"


def test_steps_name_operations_and_modules() -> None:
    net = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10))
    x = lamina.rand(2, 20)
    lamina.flush()
    with lamina.no_grad():
        y = net(x)
    before = lamina.plan_stats()["flushes"]
    text = y.plan()
    assert lamina.plan_stats()["flushes"] == before
    assert text == lamina.plan()
    assert text.startswith("2 steps for 5 recorded values")
    assert "computes matmul (Sequential.0), add (Sequential.0), relu (Sequential.1)" in text
    assert "not fused" not in text


def test_short_steps_side_by_side() -> None:
    net = nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.ReLU()) for _ in range(8)])
    x = lamina.rand(32, 64)
    lamina.flush()
    with lamina.no_grad():
        assert "steps 0 to 7 side by side on up to 4 threads" in net(x).plan()


def test_refusals_have_reasons() -> None:
    x, w = lamina.rand(4, 4), lamina.rand(4, 4)
    lamina.flush()
    product = x @ w
    kept = product.relu()  # product is looked at itself
    spread = (x * 2).sum(0) + 1
    turned = (x * 3).t() + w
    text = lamina.plan()
    assert "matmul is looked at from outside" in text
    assert "mul is read through a permute" in text
    assert "only another look at memory: permute" in text
    del kept, spread, turned
    assert "not computed, for nobody looks" in lamina.plan()


def test_products_say_what_they_do_as_they_store_and_what_not() -> None:
    x, w, column = lamina.rand(4, 4), lamina.rand(4, 4), lamina.rand(4, 1)
    lamina.flush()
    gradient = x @ w
    stepped = w - gradient * 0.1
    assert "is scaled, which products do only for" in lamina.plan()  # w is a factor
    del gradient, stepped
    gradient = x @ x
    stepped = w - gradient * 0.1
    assert "matmul 4x4x4, and update\n    computes matmul, mul, sub" in lamina.plan()
    del gradient, stepped
    for other, reason in (
        (lambda: column, "meets an operand of another shape or order"),
        (lambda: x.exp(), "is made before the other operand"),
    ):
        total = x @ w + other()
        assert reason in lamina.plan()
        del total
    text = (x @ w + w).plan()
    assert "matmul 4x4x4 + addend" in text
    assert "not fused" not in text


def test_common_values_are_computed_once() -> None:
    x = lamina.rand(8)
    lamina.flush()
    y = (x.exp() + 1) * (x.exp() + 1)
    assert lamina.plan().count("exp") - lamina.plan().count("expand") == 2  # in the kernel's note and in the list
    array = x.numpy()
    assert abs(y.numpy() - (lamina.tensor(array).exp().numpy() + 1) ** 2).max() < 1e-5


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_parts_of_a_stack_are_made_where_they_belong(dim: int) -> None:
    x = lamina.arange(6.0).reshape(2, 3)
    lamina.flush()
    parts = [x * 2 + 1, x.exp()]
    stacked = lamina.stack(parts, dim)
    kept = parts[1].unsqueeze(0)  # somebody else looks at this one
    del parts
    assert stacked.plan().count("copy") == 1
    np.testing.assert_allclose(stacked.numpy(), np.stack([x.numpy() * 2 + 1, np.exp(x.numpy())], dim), 1e-6)
    np.testing.assert_allclose(kept.numpy()[0], np.exp(x.numpy()), 1e-6)
    alone = lamina.stack([x * 2, x.exp()], dim)
    assert "copy" not in alone.plan()
