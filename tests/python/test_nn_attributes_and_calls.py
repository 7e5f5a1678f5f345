"""How modules find attributes and forward: the parts that are C, in every form that Python allows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import lamina
from lamina import nn


def test_subclass_with_getattr_of_its_own() -> None:
    """The idiom of wrappers: what the module does not have is looked up in what it wraps."""

    class Wrapper(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def __getattr__(self, name: str) -> object:
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self.inner, name)

    class Deeper(Wrapper):
        pass

    for kind in (Wrapper, Deeper):
        net = kind(nn.Linear(3, 4))
        assert net.in_features == 3
        assert net.weight is net.inner.weight
        with pytest.raises(AttributeError, match="'Linear' object has no attribute 'absent'"):
            _ = net.absent


def test_getattr_given_to_a_class_later_is_used() -> None:
    class Net(nn.Module):
        pass

    class Below(Net):
        pass

    net = Below()
    assert not hasattr(net, "anything")
    Net.__getattr__ = lambda self, name: name.upper()
    assert net.anything == "ANYTHING"
    del Net.__getattr__
    assert not hasattr(net, "anything")


def test_class_can_be_changed_to_one_without_the_mixin() -> None:
    class Mixin:
        pass

    class Mixed(Mixin, nn.Linear):
        pass

    net = Mixed(2, 3)
    net.__class__ = nn.Linear
    assert net(lamina.ones(1, 2)).shape == (1, 3)


def test_forward_as_an_attribute_of_the_instance() -> None:
    net = nn.Linear(2, 3)
    net.forward = lambda X, scale=1: X * scale
    assert net(lamina.ones(1), scale=3).item() == 3


def test_forward_that_is_no_plain_function() -> None:
    class Static(nn.Module):
        @staticmethod
        def forward(X: lamina.Tensor) -> lamina.Tensor:
            return X + 1

    assert Static()(lamina.ones(1)).item() == 2


def test_call_with_more_arguments_than_most() -> None:
    class Sum(nn.Module):
        def forward(self, *args: int, **kwargs: int) -> int:
            return sum(args) + sum(kwargs.values())

    assert Sum()(*range(9), a=1, b=2) == 39
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'"):
        nn.Identity()(1, wrong=2)


def test_members_are_found_anew_after_every_kind_of_change() -> None:
    """What a look-up has found once is remembered, as long as nothing that it went through has changed."""

    class Net(nn.Linear):
        pass

    net, other = Net(2, 3), Net(2, 3)
    first, second = net.weight, nn.Parameter(lamina.ones(3, 2))
    for _ in range(2):
        assert net.weight is first
    net._parameters["weight"] = second
    assert net.weight is second
    del net._parameters["weight"]
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'weight'"):
        _ = net.weight
    net.weight = first
    assert net.weight is first
    net.__dict__["_parameters"] = {"weight": second}
    assert net.weight is second
    net.__dict__["weight"] = "its own"
    assert net.weight == "its own"
    del net.__dict__["weight"]
    assert net.weight is second
    Net.weight = property(lambda self: "the class's")
    assert net.weight == "the class's"
    del Net.weight
    assert net.weight is second
    net.__dict__ = other.__dict__
    assert net.weight is other.weight

    class Renamed(nn.Linear):
        weight = "another class's"

    assert other.weight is net.weight
    other.__class__ = Renamed
    assert other.weight == "another class's"
    assert net.weight is not first


def test_members_are_found_anew_by_whichever_method_a_dict_changes() -> None:
    changes: list[Callable[[dict[str, object]], object]] = [
        lambda members: members.update(tag=1),
        lambda members: members.__setitem__("tag", 1),
        lambda members: members.__ior__({"tag": 1}),
        lambda members: (members.pop("tag"), members.setdefault("tag", 1)),
        lambda members: (members.__delitem__("tag"), members.setdefault("tag", 1)),
        lambda members: (members.popitem(), members.setdefault("tag", 1)),
    ]
    for change in changes:
        net = nn.Identity()
        net.tag = 0
        assert [net.tag, net.tag] == [0, 0]
        change(vars(net))
        assert net.tag == 1
    vars(net).clear()
    with pytest.raises(AttributeError, match="tag"):
        _ = net.tag


def test_members_that_change_again_and_again() -> None:
    """Python takes short cuts in code that has run a few times, and gives dicts the addresses of those before."""

    class Net(nn.Identity):
        __setattr__ = object.__setattr__

    net = Net()
    for turn in range(200):
        net.count = turn
        assert net.count == turn
        fresh = Net()
        fresh.count = -turn
        assert fresh.count == -turn


def test_forward_and_hooks_that_change_between_calls() -> None:
    net, x = nn.Identity(), lamina.ones(1)

    def called() -> float:
        return float(net(x).item())

    assert [called(), called()] == [1, 1]
    net.forward = lambda X: X * 3
    assert called() == 3
    del net.forward
    assert called() == 1
    net._forward_hooks[0] = lambda module, args, output: output * 5
    assert called() == 5
    net._forward_hooks = type(net._forward_hooks)()
    assert called() == 1
    net.register_forward_pre_hook(lambda module, args: (args[0] * 7,))
    assert called() == 7


def test_forwards_without_a_frame_do_what_is_written() -> None:
    x = lamina.randn(5, 3)
    linear, bare, relu = nn.Linear(3, 4), nn.Linear(3, 4, bias=False), nn.ReLU()
    for module in (linear, bare, relu, nn.Sequential(linear, relu), nn.Sequential()):
        assert module(x).equal(module.forward(x))
        assert module(input=x).equal(module(x))
        with pytest.raises(TypeError, match="forward\\(\\) takes 2 positional arguments but 3 were given"):
            module(x, x)
    inplace = nn.ReLU(inplace=True)
    y = x.clone()
    assert inplace(y) is y
    assert y.equal(relu(x))
    relu.inplace = 1
    assert relu(y) is y
    del relu.inplace
    with pytest.raises(AttributeError, match="'ReLU' object has no attribute 'inplace'"):
        relu(x)


def test_forwards_without_a_frame_see_what_changes() -> None:
    class Doubled(nn.Linear):
        def forward(self, input: lamina.Tensor) -> lamina.Tensor:
            return super().forward(input) * 2

    class Below(nn.Linear):
        pass

    x, net, other = lamina.ones(1, 2), Below(2, 1), Doubled(2, 1)
    for parameter in net.parameters():
        nn.init.ones_(parameter)
    first = net(x).item()
    other.load_state_dict(net.state_dict())
    assert other(x).item() == 2 * first
    Below.forward = Doubled.forward  # whose super() is another class's
    with pytest.raises(TypeError, match="instance or subtype of type"):
        net(x)
    del Below.forward
    assert net(x).item() == first
    nn.utils.parametrize.register_parametrization(net, "weight", nn.Identity())
    assert net(x).item() == first
    original = nn.Linear.forward
    nn.Linear.forward = lambda self, input: original(self, input) + 1
    try:
        assert Below.forward is nn.Linear.forward
        assert (net(x).item(), other(x).item()) == (first + 1, 2 * (first + 1))
    finally:
        nn.Linear.forward = original
    assert net(x).item() == first


def test_modules_that_hold_themselves_end_in_an_error() -> None:
    net = nn.Sequential(nn.Identity())
    net.append(net)
    with pytest.raises(RecursionError, match="maximum recursion depth exceeded"):
        net(lamina.ones(1))
    del net._modules["1"]


def test_call_that_a_class_defines_or_is_given() -> None:
    class Twice(nn.Identity):
        def __call__(self, X: lamina.Tensor) -> lamina.Tensor:
            return super().__call__(X) * 2

    class Below(Twice):
        pass

    class Plain(nn.Identity):
        pass

    net, x = nn.Sequential(Below(), Plain()), lamina.ones(1)
    assert (Below()(x).item(), net(x).item()) == (2, 2)
    Plain.__call__ = lambda self, X: X * 10
    assert (Plain()(x).item(), net(x).item()) == (10, 20)
    del Plain.__call__
    assert (Plain()(x).item(), net(x).item()) == (1, 2)
    original = nn.Module.__call__
    nn.Module.__call__ = lambda self, X: original(self, X) + 100
    try:
        assert Plain()(x).item() == 101
    finally:
        nn.Module.__call__ = original
    assert (Plain()(x).item(), net(x).item()) == (1, 2)


def test_modules_that_are_more_than_modules() -> None:
    class Names(nn.Module, dict):  # type: ignore[type-arg]
        def forward(self, X: lamina.Tensor) -> lamina.Tensor:
            return X * self["scale"]

    net = Names()
    net["scale"] = 4
    assert net(lamina.ones(1)).item() == 4
