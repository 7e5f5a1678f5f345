"""Hooks on what gradients read: autograd.graph.saved_tensors_hooks and its relatives."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

import lamina
from lamina.autograd.graph import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks
from lamina.utils.checkpoint import checkpoint


def _leaf(*values: float) -> Any:
    return lamina.tensor(values, requires_grad=True)


def test_what_is_packed_is_what_the_gradient_reads() -> None:
    packed: list[list[float]] = []

    def pack(x: Any) -> Any:
        assert not x.requires_grad
        assert not lamina.is_grad_enabled()
        packed.append(x.tolist())
        return x * 10

    a, b = _leaf(1.0, 2.0), lamina.tensor([3.0, 5.0])
    with saved_tensors_hooks(pack, lambda x: x):
        y = a * b  # reads b only: b wants no gradient
        z = y.exp()  # reads its result
        w = z + 1  # reads nothing
    assert packed == [[3.0, 5.0], z.tolist()]
    w.sum().backward()
    assert a.grad.tolist() == pytest.approx([100 * g for g in (z * b).tolist()])


def test_second_gradients_go_through_what_was_unpacked() -> None:
    a = _leaf(2.0)
    with saved_tensors_hooks(lambda x: x.tolist(), lamina.tensor):
        y = a**3
    (g,) = lamina.autograd.grad(y, a, create_graph=True)
    g.backward()
    assert g.item() == 12
    assert a.grad.item() == 12


def test_the_innermost_hooks_count_and_what_they_kept_is_freed() -> None:
    class Kept:
        def __init__(self, x: Any) -> None:
            self.x = x

    kept: list[Any] = []

    def pack(x: Any) -> Kept:
        box = Kept(x)
        kept.append(weakref.ref(box))
        return box

    def never(x: Any) -> Any:
        raise AssertionError("the outer hook")

    a = _leaf(0.5)
    with saved_tensors_hooks(never, never), saved_tensors_hooks(pack, lambda box: box.x):
        y = a.sin()
    y.sum().backward()
    gc.collect()
    assert a.grad is not None
    assert [box() for box in kept] == [None]


def test_functions_save_through_hooks() -> None:
    class Square(lamina.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            result = x * x
            ctx.save_for_backward(x, result)
            return result

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            x, result = ctx.saved_tensors
            assert result.grad_fn is not None
            assert result.item() == 90
            return gradient * 2 * x

    a = _leaf(3.0)
    with saved_tensors_hooks(lambda x: x * 10, lambda x: x):
        y = Square.apply(a)
    y.backward()
    assert a.grad.item() == 60


def test_checkpointed_parts_are_not_packed() -> None:
    count = 0

    def pack(x: Any) -> Any:
        nonlocal count
        count += 1
        return x

    a = _leaf(0.3)
    with saved_tensors_hooks(pack, lambda x: x):
        y = checkpoint(lambda x: x.sin().exp(), a, use_reentrant=False)
        assert count == 0
    y.backward()
    with save_on_cpu():
        z = _leaf(0.3)
        z.sin().exp().backward()
    assert a.grad.item() == pytest.approx(z.grad.item())


def test_saved_attributes_and_hooks_on_one_place() -> None:
    a = _leaf(2.0)
    y = a * a
    assert y.grad_fn._saved_self.item() == 2
    assert y.grad_fn._saved_other.item() == 2
    y.grad_fn._raw_saved_self.register_hooks(lambda x: 2 * x, lambda x: x)
    assert y.grad_fn._saved_self.item() == 4
    with pytest.raises(RuntimeError, match="already been set"):
        y.grad_fn._raw_saved_self.register_hooks(lambda x: x, lambda x: x)
    with pytest.raises(AttributeError, match="_saved_result"):
        _ = y.grad_fn._saved_result
    y.backward()
    assert a.grad.item() == 6
    with pytest.raises(RuntimeError, match="already been freed"):
        _ = y.grad_fn._saved_self
    with pytest.raises(RuntimeError, match="forbidden"):
        lamina.autograd.SavedTensor()


def test_bad_hooks() -> None:
    a = _leaf(1.0, 2.0)
    with saved_tensors_hooks(lambda x: x.add_(1), lambda x: x), pytest.raises(RuntimeError, match="in place"):
        a.sin()
    with saved_tensors_hooks(lambda x: x, lambda x: 1):  # type: ignore[arg-type, return-value]
        y = a.sin()
    with pytest.raises(TypeError, match="expected to be a Tensor"):
        y.sum().backward()
    with saved_tensors_hooks(lambda x: x, lambda x: x[:1]):
        y = a.sin()
    with pytest.raises(RuntimeError, match="another shape"):
        y.sum().backward()


def test_numbers_in_a_gradient_are_nobodys_tensors() -> None:
    a = _leaf(2.0, 3.0)
    total = (a**3).sum()
    with saved_tensors_hooks(lambda x: 2 * x, lambda x: x):
        (g,) = lamina.autograd.grad(total, a, create_graph=True)
        g.sum().backward()
    # g and a are saved by the product and by the power, the exponents are not.
    assert a.grad.tolist() == [4 * 6 * 2, 4 * 6 * 3]


def test_hooks_can_be_forbidden() -> None:
    hooks, none = saved_tensors_hooks(lambda x: x, lambda x: x), disable_saved_tensors_hooks("not here")
    with none, pytest.raises(RuntimeError, match="not here"), hooks:
        pass
    with hooks, pytest.raises(RuntimeError, match="not here"), none:
        pass
    with hooks:
        pass
    with none:  # in this thread
        entered = []
        thread = threading.Thread(target=lambda: entered.append(hooks.__enter__() is None))
        thread.start()
        thread.join()
    assert entered == [True]
