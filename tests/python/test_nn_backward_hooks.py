"""Full backward hooks of modules: what they see, what they replace, and when they run."""

from __future__ import annotations

import copy
from collections import namedtuple
from typing import Any

import pytest

import lamina
from lamina import nn
from lamina.nn.modules.module import register_module_full_backward_hook, register_module_full_backward_pre_hook

Pair = namedtuple("Pair", ["first", "second"])


class TwoByTwo(nn.Module):
    def forward(self, a: Any, b: Any, note: str = "") -> Pair:
        return Pair(a * b, b * 3)


def leaves(*values: float) -> list[lamina.Tensor]:
    return [lamina.tensor([value], requires_grad=True) for value in values]


def test_gradients_of_arguments_and_results() -> None:
    seen: list[Any] = []
    net = TwoByTwo()
    net.register_full_backward_hook(lambda m, into, out: seen.append((m, into, out)))
    net.register_full_backward_pre_hook(lambda m, out: seen.append(out))
    a, b = leaves(2.0, 5.0)
    result = net(a, b, "text")
    assert isinstance(result, Pair)
    (result.first * 10 + result.second).sum().backward()
    (first, (module, into, out)) = seen
    assert [g.item() for g in first] == [10, 1]
    assert module is net
    assert [g.item() for g in into[:2]] == [50, 23]
    assert into[2] is None
    assert [g.item() for g in out] == [10, 1]


def test_what_a_pass_does_not_come_to_gets_zeros() -> None:
    seen: list[Any] = []
    net = TwoByTwo()
    net.register_full_backward_hook(lambda m, into, out: seen.append((into, out)))
    a, b = leaves(2.0, 5.0)
    net(a, b).second.backward()
    ((into, out),) = seen
    assert into[0].tolist() == [0]
    assert into[1].item() == 3
    assert a.grad.tolist() == [0]
    assert out[0] is None
    net(a.detach(), b.detach())
    assert len(seen) == 1


def test_tensors_without_a_gradient_get_zeros_of_their_type() -> None:
    class Picks(nn.Module):
        def forward(self, x: lamina.Tensor, places: lamina.Tensor, factor: lamina.Tensor, note: str) -> lamina.Tensor:
            assert not factor.requires_grad
            return x[places] * factor

    seen: list[Any] = []
    net = Picks()
    net.register_full_backward_hook(lambda m, into, out: seen.extend(into))
    net(*leaves(3.0), lamina.tensor([0, 0]), lamina.tensor([1.0, 2.0]), "text").sum().backward()
    x, places, factor, note = seen
    assert x.tolist() == [3]
    assert (places.dtype, places.tolist()) == (lamina.int64, [0, 0])
    assert factor.tolist() == [0, 0]
    assert note is None


def test_hooks_replace_gradients() -> None:
    net = nn.Linear(2, 1, bias=False)
    net.register_full_backward_pre_hook(lambda m, out: (out[0] * 10,))
    net.register_full_backward_hook(lambda m, into, out: (into[0] + 1,))
    net.register_full_backward_hook(lambda m, into, out: (into[0] * 2,))
    x = lamina.tensor([[1.0, 2.0]], requires_grad=True)
    net(x).sum().backward()
    assert net.weight.grad is not None
    assert net.weight.grad.tolist() == [[10.0, 20.0]]
    assert x.grad is not None
    assert lamina.allclose(x.grad, (net.weight.detach() * 10 + 1) * 2)


def test_every_pass_calls_them_anew() -> None:
    seen: list[float] = []
    net = TwoByTwo()
    net.register_full_backward_hook(lambda m, into, out: seen.append(into[1].item()))
    a, b = leaves(2.0, 5.0)
    result = net(a, b)
    result.first.backward(retain_graph=True)
    result.second.backward(retain_graph=True)
    (result.first + result.second).backward()
    assert seen == [2, 3, 5]


def test_gradients_that_have_gradients() -> None:
    net = nn.Sigmoid()
    net.register_full_backward_hook(lambda m, into, out: (into[0] * 2,))
    (x,) = leaves(0.5)
    (first,) = lamina.autograd.grad(net(x).sum(), x, create_graph=True)
    (second,) = lamina.autograd.grad(first.sum(), x)
    s = lamina.sigmoid(x.detach())
    assert lamina.allclose(first.detach(), 2 * s * (1 - s))
    assert lamina.allclose(second, 2 * s * (1 - s) * (1 - 2 * s))


def test_without_a_gradient_for_the_arguments() -> None:
    seen: list[Any] = []
    net = nn.Linear(2, 3)
    handle = net.register_full_backward_hook(lambda m, into, out: seen.append((into, out[0].shape)))
    net(lamina.rand(1, 2)).sum().backward()
    assert seen == [((None,), (1, 3))]
    handle.remove()
    net.register_full_backward_hook(lambda m, into, out: (lamina.ones(1, 2),))
    with pytest.raises(RuntimeError, match="where no input requires gradient"):
        net(lamina.rand(1, 2)).sum().backward()


@pytest.mark.parametrize("result", [(), (lamina.ones(1), lamina.ones(1))])
def test_wrong_number_of_gradients(result: Any) -> None:
    (x,) = leaves(1.0)
    net = nn.Sigmoid()
    with (
        net.register_full_backward_hook(lambda m, into, out: result),
        pytest.raises(RuntimeError, match=f"number of grad_input, got {len(result)}, but expected 1"),
    ):
        net(x).backward()
    with (
        net.register_full_backward_pre_hook(lambda m, out: result),
        pytest.raises(RuntimeError, match=f"number of grad_output, got {len(result)}, but expected 1"),
    ):
        net(x).backward()


def test_watched_tensors_refuse_to_be_changed_in_place() -> None:
    class Adds(nn.Module):
        def forward(self, x: lamina.Tensor, in_place: bool) -> lamina.Tensor:
            self.seen = x
            if in_place:
                x += 1
            return x.clone()

    net = Adds()
    net.register_full_backward_hook(lambda m, into, out: None)
    (x,) = leaves(1.0)
    with pytest.raises(RuntimeError, match="Output 0 of BackwardHookFunctionBackward is a view and is being modified"):
        net(x.clone(), True)
    result = net(x, False)
    with pytest.raises(RuntimeError, match="BackwardHookFunctionBackward is a view and is being modified inplace"):
        result += 1
    base = x.clone()
    net(base, False)
    base[0] *= 1
    with pytest.raises(RuntimeError, match="is a view and its base or another view"):
        net.seen + 2


def test_a_result_without_tensors_is_warned_of() -> None:
    net = nn.Identity()
    net.register_full_backward_hook(lambda m, into, out: None)
    with pytest.warns(UserWarning, match="should be a Tensor or a tuple of Tensors"):
        net({"x": leaves(1.0)[0]})


def test_full_and_other_hooks_do_not_mix() -> None:
    net = nn.Identity()
    net.register_full_backward_hook(lambda *args: None)
    with pytest.raises(RuntimeError, match="on a single Module"):
        net.register_backward_hook(lambda *args: None)


def test_hooks_on_every_module_come_first() -> None:
    seen: list[str] = []
    net = nn.Sigmoid()
    net.register_full_backward_hook(lambda m, into, out: seen.append("own"))
    net.register_full_backward_hook(lambda m, into, out: seen.append("own first"), prepend=True)
    with (
        register_module_full_backward_hook(lambda m, into, out: seen.append("all")),
        register_module_full_backward_pre_hook(lambda m, out: seen.append("before all")),
    ):
        net(*leaves(1.0)).backward()
    assert seen == ["before all", "all", "own first", "own"]
    copy.deepcopy(net)(*leaves(1.0)).backward()
    assert seen[4:] == ["own first", "own"]


def test_hooks_on_results_come_before_those_of_the_module() -> None:
    seen: list[float] = []
    net = nn.Linear(1, 1, bias=False)
    net.register_full_backward_hook(lambda m, into, out: seen.append(out[0].item()))
    x = lamina.tensor([[1.0]], requires_grad=True)
    y = net(x)
    y.retain_grad()
    y.register_hook(lambda gradient: gradient * 3)
    y.sum().backward()
    assert seen == [3.0]
    assert y.grad.tolist() == [[3.0]]
    assert net.weight.grad.tolist() == [[3.0]]  # type: ignore[union-attr]
    assert lamina.equal(x.grad, 3 * net.weight.detach())  # type: ignore[arg-type]


def test_hooks_on_arguments_inside_come_before_those_of_the_module() -> None:
    class Doubles(nn.Module):
        def forward(self, x: lamina.Tensor) -> lamina.Tensor:
            x.register_hook(lambda gradient: gradient * 3)
            return x * 2

    seen: list[float] = []
    net = Doubles()
    net.register_full_backward_hook(lambda m, into, out: seen.append(into[0].item()))
    x = lamina.tensor(1.0, requires_grad=True)
    net(x).backward()
    assert seen == [6.0]
    assert x.grad == 6


def test_results_that_a_pass_does_not_come_to_pass_zeros_on() -> None:
    seen: list[Any] = []
    net = TwoByTwo()
    net.register_full_backward_pre_hook(lambda m, out: seen.append(out))
    a, b = leaves(2.0, 5.0)
    net(a, b).second.backward()
    assert seen[0][0] is None
    assert a.grad == 0
    assert b.grad == 3


def test_transforms_pass_through_watched_tensors() -> None:
    net = TwoByTwo()
    net.register_full_backward_hook(lambda m, into, out: None)
    a, b = leaves(2.0, 5.0)
    tangent = lamina.tensor([1.0])
    assert lamina.func.jvp(lambda a: net(a, b).first, (a,), (tangent,))[1].item() == 5
    assert lamina.func.vmap(lambda a: net(a, b).first)(lamina.ones(3)).tolist() == [[5.0]] * 3
    mapped = lamina.func.vmap(lamina.func.grad(lambda a: net(a, b).first.sum()))
    assert mapped(lamina.ones(3)).tolist() == [5.0] * 3
