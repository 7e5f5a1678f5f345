"""How modules find attributes and forward: the parts that are C, in every form that Python allows."""

from __future__ import annotations

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
