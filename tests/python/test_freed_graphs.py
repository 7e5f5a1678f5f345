"""A pass for chosen gradients that comes to what an earlier one has freed: refused if it must go through it."""

from __future__ import annotations

from typing import Any

import pytest

import lamina
from lamina.autograd import grad

TWICE = "Trying to backward through the graph a second time"


def _freed_from(w: Any) -> Any:
    """A tensor whose path to `w` is freed."""
    h = (lamina.ones(2, 3) @ w).tanh()
    grad(h.sum(), [w])
    return h


@pytest.fixture
def weights() -> tuple[Any, Any]:
    return lamina.full((3, 3), 0.3, requires_grad=True), lamina.full((3, 3), 0.2, requires_grad=True)


def test_sums_that_go_on_from_a_freed_one_are_refused(weights: tuple[Any, Any]) -> None:
    w, _ = weights
    x = lamina.ones(2, 3)
    x = x.add((x * 2) @ w)
    grad(x.sum(), [w])
    x = x.add((x * 2) @ w)
    with pytest.raises(RuntimeError, match=TWICE):
        grad(x.sum(), [w])
    with pytest.raises(RuntimeError, match=TWICE):
        x.sum().backward()
    assert w.grad is None


def test_other_leaves_are_reached_past_it(weights: tuple[Any, Any]) -> None:
    w, v = weights
    h = _freed_from(w)
    (expected,) = grad((h.detach() @ v).sum(), [v])
    (g,) = grad((h @ v).sum(), [v], retain_graph=True)
    assert g.tolist() == expected.tolist()
    with pytest.raises(RuntimeError, match=TWICE):
        grad((h @ v).sum(), [v, w])
    (h @ v).sum().backward(inputs=[v])
    assert v.grad.tolist() == expected.tolist()
    with pytest.raises(RuntimeError, match=TWICE):
        (h @ v).sum().backward(inputs=[w])


def test_what_is_not_in_it_is_unused(weights: tuple[Any, Any]) -> None:
    w, v = weights
    assert grad((_freed_from(w) * 2).sum(), [v], allow_unused=True) == (None,)
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        grad((_freed_from(w) * 2).sum(), [v])


def test_values_within_it(weights: tuple[Any, Any]) -> None:
    w, _ = weights
    inner = lamina.ones(2, 3) @ w
    outer = inner.tanh()
    grad(outer.sum(), [w])
    with pytest.raises(RuntimeError, match=TWICE):
        grad((outer * 2).sum(), [inner])
    (g,) = grad((outer * 2).sum(), [outer])  # it ends where the freed part begins
    assert g.tolist() == [[2.0] * 3] * 2


def test_an_updated_leaf_is_the_same_leaf(weights: tuple[Any, Any]) -> None:
    w, _ = weights
    h = _freed_from(w)
    with lamina.no_grad():
        w.sub_(0.1)
    with pytest.raises(RuntimeError, match=TWICE):
        grad((h * w.sum()).sum(), [w])


def test_a_freed_part_behind_another(weights: tuple[Any, Any]) -> None:
    w, v = weights
    h = (_freed_from(w) * v.sum()).exp()
    grad(h.sum(), [v])
    u = lamina.ones(1, requires_grad=True)
    for leaf in (v, w):
        with pytest.raises(RuntimeError, match=TWICE):
            grad((h * u).sum(), [leaf])
    (g,) = grad((h * u).sum(), [u])
    assert g.item() == pytest.approx(h.sum().item(), rel=1e-6)


def test_a_hook_that_raises_leaves_the_freed_part_known(weights: tuple[Any, Any]) -> None:
    w, _ = weights
    inner = lamina.ones(2, 3) @ w
    outer = inner.tanh().exp()

    def refuse(_: Any) -> None:
        raise ValueError("no")

    handle = inner.register_hook(refuse)
    with pytest.raises(ValueError, match="no"):
        grad(outer.sum(), [w])
    handle.remove()
    with pytest.raises(RuntimeError, match=TWICE):
        grad(outer.mul(1).sum(), [w])


def test_a_long_row_of_freed_parts(weights: tuple[Any, Any]) -> None:
    w, v = weights
    x = w.sum()
    for _ in range(20_000):
        before, x = x, (x * 0.1).tanh()
        grad(x, [before])
    (g,) = grad(x * v.sum(), [v])
    assert g.shape == v.shape
    with pytest.raises(RuntimeError, match=TWICE):
        grad(x * v.sum(), [w])
    del x, before  # without recursion


def test_more_freed_parts_than_are_kept_are_not_passed(weights: tuple[Any, Any]) -> None:
    w, v = weights
    kept = []
    for _ in range(2**16):
        h = w.exp()
        grad(h, [w], lamina.ones(3, 3))
        kept.append(h)
    with pytest.raises(RuntimeError, match=TWICE):
        grad((kept[-1] * v).sum(), [v])
    (g,) = grad((kept[0] * v).sum(), [v])
    assert g.tolist() == kept[0].tolist()
    del kept, h
    assert grad((_freed_from(w) @ v).sum(), [v])[0].shape == (3, 3)
