"""Detached tensors and histories: what keeps one of its own, what is given one, and what loses it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import lamina
from lamina import nn

_WEIGHTS = [1.0, 10.0, 100.0]
_Change = Callable[[lamina.Tensor, lamina.Tensor, lamina.Tensor], lamina.Tensor | None]


def _slopes(change: _Change) -> list[float] | None:
    """The gradient by p of x = (2 p).detach() after the change, or of what that returns."""
    p = lamina.tensor([1.0, 2.0, 3.0], requires_grad=True)
    base = p * 2
    x = base.detach()
    result = change(x, base, p)
    result = x if result is None else result
    loss = (result * lamina.tensor(_WEIGHTS)[: result.numel()]).sum()
    (found,) = lamina.autograd.grad(loss, [p], allow_unused=True)
    return None if found is None else found.tolist()  # type: ignore[no-any-return]


def _between(x: lamina.Tensor, base: lamina.Tensor, p: lamina.Tensor) -> None:
    x[0] = p[0]
    base += 1
    x[1] = p[1]


def _between_with_history(x: lamina.Tensor, base: lamina.Tensor, p: lamina.Tensor) -> None:
    x.mul_(p)
    base *= p
    x[1:].add_(p[1:])


def _other_alias(x: lamina.Tensor, base: lamina.Tensor, p: lamina.Tensor) -> None:
    x[0] = p[0]
    base.detach()[1] = p[1]
    x[2] = p[2]


def _without_gradients(x: lamina.Tensor, base: lamina.Tensor, p: lamina.Tensor) -> None:
    x[0] = p[0]
    with lamina.no_grad():
        x[1] = 5.0
    base += 1
    x[2] = p[2]


def _view_looked_at_last(x: lamina.Tensor, base: lamina.Tensor, p: lamina.Tensor) -> lamina.Tensor:
    view = x[:2]
    x[0] = p[0]
    base += 1
    return view


def _overwritten(x: lamina.Tensor, base: lamina.Tensor, p: lamina.Tensor) -> None:
    x[0] = p[0]
    base += 1
    x.copy_(lamina.ones(3))
    x[2] = p[2]


def _detached_again(x: lamina.Tensor, base: lamina.Tensor, p: lamina.Tensor) -> None:
    x[0] = p[0]
    x.detach_()
    base += 1
    x[1] = p[1]


@pytest.mark.parametrize(
    ("change", "slopes"),
    [
        (_between, [1, 10, 0]),
        (_between_with_history, [2, 4 * 10 + 10, 6 * 100 + 100]),
        (_other_alias, [1, 0, 100]),
        (_without_gradients, [1, 0, 100]),
        (_view_looked_at_last, [1, 0, 0]),
        (_overwritten, [0, 0, 100]),
        (_detached_again, [0, 10, 0]),
    ],
)
def test_what_changes_the_base_leaves_a_detached_tensors_history(change: _Change, slopes: list[float]) -> None:
    assert _slopes(change) == slopes


def _given(x: lamina.Tensor, numbers: Callable[[], lamina.Tensor]) -> None:
    x.data = numbers()


def test_data_brings_no_history_and_takes_none() -> None:
    p = lamina.tensor([1.0, 2.0, 3.0], requires_grad=True)
    kept = lamina.zeros(3)
    _given(kept, lambda: p * 2)
    assert not kept.requires_grad
    assert kept.tolist() == [2, 4, 6]
    y = p * 2
    _given(y, lambda: p * 3)
    y[0] = p[2]
    assert y.tolist() == [3, 6, 9]
    assert lamina.autograd.grad((y * lamina.tensor(_WEIGHTS)).sum(), p)[0].tolist() == [0, 20, 201]
    z = p * 2
    _given(z, lambda: lamina.ones(3))
    assert z.tolist() == [1, 1, 1]
    assert lamina.autograd.grad((z * lamina.tensor(_WEIGHTS)).sum(), p)[0].tolist() == [2, 20, 200]
    _given(p, lambda: p * 2)
    assert p.is_leaf
    assert p.requires_grad


def test_parts_given_after_data_join_the_history() -> None:
    def change(x: lamina.Tensor, base: lamina.Tensor, p: lamina.Tensor) -> None:
        x[0] = p[0]
        numbers = lamina.zeros(3)
        x.data = numbers
        view = x[1:]
        view.mul_(2.0)
        view.add_(p[1:])

    assert _slopes(change) == [1, 10, 100]


def test_views_of_what_was_detached_in_place_still_require_a_gradient_of_nothing() -> None:
    p = lamina.tensor([1.0, 2.0, 3.0], requires_grad=True)
    base = p * 2
    view, seen = base[:2], base[1:]
    base += 1
    assert seen.tolist() == [5, 7]
    base.detach_()
    assert not base.requires_grad
    assert view.requires_grad
    assert view.tolist() == [3, 5]
    assert lamina.autograd.grad(view.sum(), p, allow_unused=True) == (None,)
    view.sum().backward()
    assert p.grad is None
    assert base.grad is None
    assert lamina.autograd.grad(seen.sum(), p)[0].tolist() == [0, 2, 2]
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad is being used"):
        view.mul_(3)
    with lamina.no_grad():
        view.mul_(3)
    assert base.tolist() == [9, 15, 7]
    base *= p
    assert lamina.autograd.grad(view.sum(), p)[0].tolist() == [9, 15, 0]


def test_a_run_on_shapes_leaves_no_history() -> None:
    class Writes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.LazyLinear(3)
            self.last = lamina.zeros(3).detach()

        def forward(self, x: lamina.Tensor) -> lamina.Tensor:
            y = self.linear(x)
            self.last[0] = y[0, 0]
            return y

    net = Writes()
    last = net.last
    nn.resolve(net, (2, 4))
    assert not last.requires_grad
    last[1] = 1.0
    assert not last.requires_grad
    assert last.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "overwrite",
    [
        lambda y, z: y.copy_(z),
        lambda y, z: y.view(3, 1).copy_(z.reshape(3, 1)),
        lambda y, z: y.__setitem__(..., z),
        lambda y, z: y.__setitem__(slice(None), z),
        lambda y, z: y.view(3, 1).__setitem__(..., z.reshape(3, 1)),
    ],
)
@pytest.mark.parametrize("looked_at", [False, True])
def test_what_is_overwritten_as_a_whole_gets_zeros(
    overwrite: Callable[[lamina.Tensor, lamina.Tensor], object], looked_at: bool
) -> None:
    x, z = (lamina.tensor([1.0, 2.0, 3.0], requires_grad=True) for _ in range(2))
    y = x * 2
    assert not looked_at or y.sum() == 12
    overwrite(y, z)
    (y * lamina.tensor(_WEIGHTS)).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
    assert z.grad.tolist() == _WEIGHTS  # type: ignore[union-attr]


def test_what_goes_into_what_overwrites_it_gets_more_than_zeros() -> None:
    x = lamina.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y.copy_(y + x)
    y[...] = y + 1
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0, 3.0]  # type: ignore[union-attr]
