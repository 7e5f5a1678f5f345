"""Nodes of the gradient graph: identity, edges, hooks on them, and anomaly detection."""

from __future__ import annotations

import warnings
import weakref
from typing import Any

import pytest

import lamina
from lamina import nn
from lamina.autograd.graph import (
    Node,
    allow_mutation_on_saved_tensors,
    get_gradient_edge,
    register_multi_grad_hook,
)


def _leaf(*values: float) -> Any:
    return lamina.tensor(values, requires_grad=True)


def test_nodes() -> None:
    x, w = _leaf(1.0), lamina.ones(1)
    y = x * w
    node = y.grad_fn
    assert isinstance(node, Node)
    assert node is y.grad_fn
    assert (type(node).__name__, node.name()) == ("MulBackward0", "MulBackward0")
    (accumulate, number), (nothing, _) = node.next_functions
    assert (accumulate.name(), number, nothing) == ("AccumulateGrad", 0, None)
    assert accumulate.variable is x
    assert not hasattr(node, "variable")
    node.metadata["note"] = 1
    del node
    assert y.grad_fn.metadata == {"note": 1}
    with pytest.raises(TypeError):
        Node()


def test_hooks_around_a_node() -> None:
    x = _leaf(2.0, 3.0)
    y = x * 2
    order: list[Any] = []
    y.grad_fn.register_prehook(lambda grads: order.append(grads[0].tolist()) or (grads[0] * 10,))
    last = y.grad_fn.register_hook(
        lambda made, given: order.append((made[0].tolist(), given[0].tolist())) or (made[0] + 1, made[1])
    )
    y.sum().backward(retain_graph=True)
    assert order == [[1, 1], ([20, 20], [10, 10])]
    assert x.grad.tolist() == [21, 21]
    last.remove()
    last.remove()
    y.sum().backward()
    assert x.grad.tolist() == [41, 41]


def test_hooks_around_accumulation() -> None:
    x = _leaf(1.0)
    order: list[str] = []
    node = x.view_as(x).grad_fn.next_functions[0][0]
    x.register_hook(lambda g: order.append("tensor"))
    node.register_prehook(lambda grads: order.append("before"))
    node.register_hook(lambda made, given: order.append(f"after {made} {given[0].item()}"))
    x.register_post_accumulate_grad_hook(lambda t: order.append(f"accumulated {t is x} {t.grad.item()}"))
    (x * 3).backward()
    assert order == ["tensor", "before", "accumulated True 3.0", "after () 3.0"]
    order.clear()
    lamina.autograd.grad(x * 3, x)
    assert order == ["tensor"]
    with pytest.raises(RuntimeError, match="non-leaf"):
        (x * 2).register_post_accumulate_grad_hook(print)
    x.register_post_accumulate_grad_hook(lambda t: t)  # type: ignore[arg-type, return-value]
    with pytest.raises(RuntimeError, match="should return None"):
        (x * 3).backward()


def test_optimizer_in_the_backward_pass() -> None:
    net = nn.Linear(2, 1)
    for p in net.parameters():

        def step(parameter: Any) -> None:
            with lamina.no_grad():
                parameter -= 0.5 * parameter.grad
            parameter.grad = None

        p.register_post_accumulate_grad_hook(step)
    bias = net.bias.item()
    net(lamina.ones(1, 2)).sum().backward()
    assert net.bias.item() == pytest.approx(bias - 0.5)
    assert net.bias.grad is None


def test_edges() -> None:
    x = _leaf(1.0, 2.0)
    y = x.exp()
    out = (y * y).sum()
    for tensor in (x, y):
        wanted = lamina.autograd.grad(out, tensor, retain_graph=True)[0]
        assert lamina.equal(lamina.autograd.grad(out, get_gradient_edge(tensor), retain_graph=True)[0], wanted)
    with pytest.raises(RuntimeError, match="does not require gradients"):
        get_gradient_edge(lamina.ones(1))


def test_edges_as_outputs() -> None:
    x = _leaf(2.0)
    y = x.exp()
    out = (y * y).sum()
    wanted = lamina.autograd.grad(out, x, retain_graph=True)[0]
    assert lamina.equal(lamina.autograd.grad(get_gradient_edge(out), x, retain_graph=True)[0], wanted)
    weighted = lamina.autograd.grad([out, get_gradient_edge(y)], x, [None, lamina.tensor([3.0])], retain_graph=True)[0]
    assert lamina.equal(weighted, wanted + 3 * y)
    lamina.autograd.backward(get_gradient_edge(out))
    assert lamina.equal(x.grad, wanted)


def test_backward_into_a_tensor_that_is_no_leaf() -> None:
    x = _leaf(1.0)
    y = x * 2
    for _ in range(2):
        (y * 3).backward(inputs=[y, x], retain_graph=True)
    assert (y.grad.item(), x.grad.item()) == (6, 12)


def test_retain_grad_follows_the_tensor() -> None:
    x = _leaf(1.0)
    y = x * 2
    y.retain_grad()
    seen: list[float] = []
    y.register_hook(lambda g: seen.append(g.item()))
    y.mul_(5)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    assert y.grad.item() == 2  # of y as it is now, accumulated
    assert seen == [5, 5]  # the hook stays with the value it was registered on


def test_no_grad_changes_numbers_but_not_history() -> None:
    x = _leaf(3.0)
    y = x * 2
    with lamina.no_grad():
        y.add_(1)
    assert y.item() == 7
    y.sum().backward()
    assert x.grad.item() == 2


@pytest.mark.parametrize("mode", ["all", "any"])
def test_multi_grad_hook(mode: str) -> None:
    x, y, z = _leaf(1.0), _leaf(2.0), _leaf(3.0)
    calls: list[Any] = []
    handle = register_multi_grad_hook((x, y, z), calls.append, mode=mode)
    (x * y).backward()
    (x * 1).backward()
    if mode == "all":
        assert [[g and g.item() for g in call] for call in calls] == [[2, 1, None], [1, None, None]]
    else:
        assert len(calls) == 2
    handle.remove()
    (x * y).backward()
    assert len(calls) == 2
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        register_multi_grad_hook((lamina.ones(1),), print)
    with pytest.raises(ValueError, match="mode"):
        register_multi_grad_hook((x,), print, mode="some")


def test_anomaly_names_the_module_and_the_line() -> None:
    class Broken(nn.Module):
        def forward(self, x: Any) -> Any:
            return x.sqrt()  # the line to find

    net = nn.Sequential(nn.Linear(2, 2, bias=False), Broken())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with lamina.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan values"):
            (net(lamina.zeros(1, 2)) * 0).sum().backward()
    assert "the line to find" in str(caught[-1].message)
    assert "SqrtBackward0 (in Sequential.1)" in str(caught[-1].message)
    assert not lamina.is_anomaly_enabled()
    with lamina.autograd.set_detect_anomaly(True, check_nan=False):
        (net(lamina.zeros(1, 2)) * 0).sum().backward()


def test_mutation_of_saved_tensors() -> None:
    x = _leaf(3.0)
    with allow_mutation_on_saved_tensors():
        y = x * 1
        out = y**2
        y.zero_()
        out.backward()
        with pytest.raises(RuntimeError, match="nested"), allow_mutation_on_saved_tensors():
            pass
    assert x.grad.item() == 6
    y = x * 1
    out = y**2
    y.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()


def test_variable_of_a_leaf_that_is_dying() -> None:
    x = _leaf(1.0, 2.0)
    accumulate = (x * 2).grad_fn.next_functions[0][0]
    seen = []
    watcher = weakref.ref(x, lambda _: seen.append(accumulate.variable))
    del x
    assert watcher() is None
    assert [leaf.tolist() for leaf in seen] == [[1.0, 2.0]]
    assert accumulate.variable.requires_grad


@pytest.mark.parametrize("cut", [lambda x: x.unbind(), lambda x: x.split([1, 2]), lambda x: x.chunk(3)])
def test_parts_of_a_tensor_have_one_node(cut: Any) -> None:
    x = lamina.arange(6.0).reshape(3, 2).requires_grad_()
    parts = cut(x * 1)
    node = parts[0].grad_fn
    assert all(part.grad_fn is node and part.output_nr == i for i, part in enumerate(parts))
    seen: list[Any] = []
    parts[0].register_hook(lambda gradient: seen.append(gradient))
    handle = parts[0].register_hook(lambda gradient: seen.append("removed"))
    handle.remove()
    node.register_prehook(lambda gradients: seen.append([g is None for g in gradients]))
    (parts[-1] ** 2).sum().backward()
    assert seen == [None, [True] * (len(parts) - 1) + [False]]
    rows = parts[-1].numel() // 2
    expected = lamina.zeros(3, 2)
    expected[3 - rows :] = 2 * x.detach()[3 - rows :]
    assert lamina.equal(x.grad, expected)


def test_second_gradients_through_parts() -> None:
    x = lamina.arange(1.0, 7.0, dtype=lamina.float64).reshape(2, 3).requires_grad_()

    def products(x: Any) -> Any:
        first, _, last = x.unbind(1)
        top, bottom = x.split(1)
        return first * last + (top * bottom).sum()

    assert lamina.autograd.gradcheck(products, (x,), check_batched_grad=True)
    assert lamina.autograd.gradgradcheck(products, (x,))


def test_a_node_can_be_called() -> None:
    x = _leaf(3.0)
    y = x**2
    assert y.grad_fn(lamina.tensor([10.0])).tolist() == [60.0]
    with pytest.raises(TypeError, match="expected 1 arguments, got 2 instead"):
        y.grad_fn(x, x)
    with pytest.raises(RuntimeError, match="shape"):
        y.grad_fn(lamina.ones(2))


def test_gradients_of_a_batch_of_weights() -> None:
    x = lamina.arange(1.0, 4.0, requires_grad=True)
    y = (x.exp() * x).cumsum(0)
    weights = lamina.arange(6.0).reshape(2, 3)
    (batched,) = lamina.autograd.grad(y, x, weights, retain_graph=True, is_grads_batched=True)
    single = [lamina.autograd.grad(y, x, weight, retain_graph=True)[0] for weight in weights]
    assert lamina.allclose(batched, lamina.stack(single))
    with pytest.raises(RuntimeError, match="is_grads_batched=True"):
        lamina.autograd.grad(y, x, lamina.ones(3), is_grads_batched=True)
    unused = lamina.ones(2, requires_grad=True)
    _, zeros = lamina.autograd.grad(y, [x, unused], weights, is_grads_batched=True, materialize_grads=True)
    assert zeros.tolist() == [0, 0]
    assert not zeros.requires_grad


def test_a_hook_keeps_the_type() -> None:
    x = lamina.ones(2, requires_grad=True)
    x.register_hook(lambda gradient: gradient.double())
    with pytest.raises(RuntimeError, match="changed the type of value"):
        x.sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("name", ["var_mean", "std_mean", "aminmax"])
def test_results_computed_together_have_one_node(name: str) -> None:
    function = getattr(lamina, name)
    x = lamina.tensor([1.0, 5.0, 3.0], dtype=lamina.float64, requires_grad=True)
    first, second = function(x)
    node = first.grad_fn
    assert second.grad_fn is node
    assert (first.output_nr, second.output_nr) == (0, 1)
    node.register_prehook(lambda gradients: tuple(None if g is None else 2 * g for g in gradients))
    second.backward()
    (twice,) = lamina.autograd.grad(function(x)[1], x)
    assert lamina.equal(x.grad, 2 * twice)
    assert lamina.autograd.gradcheck(function, (x,))
    assert lamina.autograd.gradgradcheck(function, (x,))
    rows = lamina.stack([x.detach(), x.detach() * 2])
    single = [lamina.func.grad(lambda row: sum(function(row)))(row) for row in rows]
    assert lamina.allclose(
        lamina.func.vmap(lamina.func.grad(lambda row: sum(function(row))))(rows), lamina.stack(single)
    )


@pytest.mark.parametrize("retained", [False, True])
def test_backward_to_a_tensor_in_the_middle_retains_its_gradient(retained: bool) -> None:
    x = lamina.ones(1, requires_grad=True)
    y = x * 2
    if retained:
        y.retain_grad()
    loss = (y * y).sum()
    loss.backward(inputs=[y], retain_graph=True)
    assert y.retains_grad
    assert y.grad == 4
    assert x.grad is None
    loss.backward(inputs=[y, x], retain_graph=True)
    loss.backward()
    assert y.grad == 12
    assert x.grad == 16
