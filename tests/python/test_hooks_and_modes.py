"""Tensor hooks, and the modes that turn recording of gradients off and on."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import lamina


def _leaf(*values: float) -> Any:
    return lamina.tensor(values, requires_grad=True)


def test_no_grad() -> None:
    x = _leaf(1.0)
    with lamina.no_grad():
        assert not lamina.is_grad_enabled()
        y = x * 2
        with lamina.enable_grad():
            z = x * 2
    assert lamina.is_grad_enabled()
    assert not y.requires_grad
    assert z.requires_grad

    @lamina.no_grad()
    def silent() -> Any:
        return x * 2

    assert not silent().requires_grad
    with lamina.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    with pytest.raises(KeyError), lamina.no_grad():
        raise KeyError
    assert lamina.is_grad_enabled()


def test_set_grad_enabled_as_function() -> None:
    lamina.set_grad_enabled(False)
    try:
        assert not (_leaf(1.0) * 2).requires_grad
    finally:
        lamina.set_grad_enabled(True)


def test_inference_weights_serve_where_no_gradient_reads_them() -> None:
    with lamina.inference_mode():
        layer = lamina.nn.Linear(3, 2)
    x = lamina.ones(2, 3)
    assert layer(x).requires_grad
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        layer(x.requires_grad_())


def test_inference_mode() -> None:
    x = _leaf(1.0)
    with lamina.inference_mode():
        assert lamina.is_inference_mode_enabled()
        y = x * 2
    assert not lamina.is_inference_mode_enabled()
    assert not y.requires_grad
    assert y.is_inference()
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        x * y
    with pytest.raises(RuntimeError, match="Setting requires_grad=True on inference tensor outside InferenceMode"):
        y.requires_grad_()

    @lamina.inference_mode()
    def infer() -> Any:
        return x * 3

    assert infer().is_inference()


def test_hook_sees_and_replaces_the_gradient() -> None:
    x = _leaf(1.0, 2.0)
    seen = []
    y = x * 2
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: seen.append(g.tolist()))
    (y * 3).sum().backward()
    assert seen == [[3.0, 3.0], [30.0, 30.0]]
    assert x.grad.tolist() == [60.0, 60.0]


def test_hook_on_a_leaf_and_its_removal() -> None:
    x = _leaf(1.0, 2.0)
    handle = x.register_hook(lambda g: g + 1)
    x.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    handle.remove()
    x.grad = None
    x.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_hook_runs_once_on_the_whole_gradient() -> None:
    x = _leaf(3.0)
    y = x * 1
    calls = []
    y.register_hook(lambda g: calls.append(g.item()))
    (y * 2 + y * 5).sum().backward()
    assert calls == [7.0]


def test_hook_that_raises() -> None:
    x = _leaf(3.0)
    y = x * 2

    def fail(gradient: Any) -> None:
        raise KeyError("stop")

    y.register_hook(fail)
    with pytest.raises(KeyError, match="stop"):
        y.sum().backward()
    (x * 2).sum().backward()
    assert x.grad.item() == 2


def test_a_leaf_gets_its_gradient_as_soon_as_it_is_complete() -> None:
    order: list[str] = []

    def told(tensor: Any, name: str) -> Any:
        tensor.register_hook(lambda _: order.append(name))
        return tensor

    w, v, x = (told(lamina.tensor([2.0], requires_grad=True), name) for name in "wvx")
    first = told(x * w, "first")
    second = told(first * v, "second")
    w.register_post_accumulate_grad_hook(lambda _: order.append("w is done"))
    (second * w).sum().backward()
    assert order == ["second", "v", "first", "x", "w", "w is done"]


def test_hook_needs_gradient() -> None:
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        lamina.ones(1).register_hook(lambda g: g)


@pytest.mark.parametrize("kind", ["before", "tensor", "after"])
def test_hook_that_differentiates_the_same_graph(kind: str) -> None:
    """It frees what the operation saved: too early unless the operation's gradient has been computed."""
    x = lamina.ones(3, requires_grad=True)
    y = x * x
    z = y.sum()
    begun = False

    def hook(*_: Any) -> None:
        nonlocal begun
        if not begun:
            begun = True
            z.backward()

    register = {"before": y.grad_fn.register_prehook, "tensor": y.register_hook, "after": y.grad_fn.register_hook}
    register[kind](hook)
    if kind == "after":
        z.backward()
        assert x.grad.tolist() == [4.0] * 3
    else:
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            z.backward()
        assert x.grad.tolist() == [2.0] * 3


class _Witness:
    """Something a hook holds, to see when the hook dies."""

    def __call__(self, *gradients: Any) -> None:
        pass


@pytest.mark.parametrize("run", [False, True])
def test_hooks_and_metadata_die_with_the_last_tensor_that_leads_to_them(run: bool) -> None:
    def graph() -> tuple[lamina.Tensor, list[Any]]:
        witnesses = [_Witness() for _ in range(5)]
        x = lamina.ones(3, requires_grad=True)
        x.register_post_accumulate_grad_hook(witnesses[0])
        y = x * 2
        y.register_hook(witnesses[1])
        y.grad_fn.register_hook(witnesses[2])  # type: ignore[union-attr]
        y.grad_fn.metadata["witness"] = witnesses[3]  # type: ignore[union-attr]
        z = y.sin()
        z[:1].mul_(2)
        z.grad_fn.register_prehook(witnesses[4])  # type: ignore[union-attr]
        if run:
            z.tolist()
        return z, [weakref.ref(witness) for witness in witnesses]

    result, seen = graph()
    assert all(ref() is not None for ref in seen)
    result.sum().backward(retain_graph=True)
    assert all(ref() is not None for ref in seen)
    lamina.flush()  # until then .grad is pending, and reads what the leaf's graph holds
    del result
    assert [ref() for ref in seen] == [None] * 5


def test_a_hook_that_holds_its_own_node_is_collected_with_the_graph() -> None:
    def graph() -> tuple[lamina.Tensor, Any]:
        y = lamina.ones(3, requires_grad=True) * 2
        node, witness = y.grad_fn, _Witness()

        def hook(gradient: lamina.Tensor) -> None:
            assert node is not None, witness

        y.register_hook(hook)
        return y * 3, weakref.ref(witness)

    result, seen = graph()
    gc.collect()
    assert seen() is not None
    del result
    gc.collect()
    assert seen() is None


@pytest.mark.parametrize("computed", [False, True])
@pytest.mark.parametrize("on_tensor", [False, True])
def test_hooks_of_what_a_pending_result_read_go_with_that_result(on_tensor: bool, computed: bool) -> None:
    class Same(lamina.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: lamina.Tensor) -> lamina.Tensor:
            return x

        @staticmethod
        def backward(ctx: Any, gradient: lamina.Tensor) -> lamina.Tensor:  # type: ignore[override]
            return gradient

    def graph() -> tuple[lamina.Tensor, Any]:
        y = Same.apply(_leaf(1.0))
        if computed:
            y.tolist()
        node, witness = y.grad_fn, _Witness()

        def hook(*gradients: object) -> None:
            assert node is not None, witness

        (y if on_tensor else node).register_hook(hook)
        return y * 3, weakref.ref(witness)

    result, seen = graph()
    gc.collect()
    assert seen() is not None
    del result  # never computed
    gc.collect()
    assert seen() is None
