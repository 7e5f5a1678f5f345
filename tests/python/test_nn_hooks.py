"""Hooks around a module's call, of one module and of all."""

from __future__ import annotations

import copy
import pickle
import weakref
from collections import OrderedDict
from typing import Any

import pytest

import lamina
from lamina import nn
from lamina.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from lamina.utils.hooks import RemovableHandle


class Scale(nn.Module):
    def forward(self, X: Any, factor: float = 2.0) -> Any:
        return X * factor


def test_order_and_arguments() -> None:
    seen: list[Any] = []
    module = Scale()
    module.register_forward_hook(lambda m, args, out: seen.append(("after", args, out)))
    module.register_forward_pre_hook(lambda m, args: seen.append(("before", args)))
    module.register_forward_pre_hook(lambda m, args: seen.append("first"), prepend=True)
    module.register_forward_hook(lambda m, args, out: seen.append("last"))
    module.register_forward_hook(
        lambda m, args, kwargs, out: seen.append(("kwargs", args, kwargs, out)), with_kwargs=True, prepend=True
    )
    assert module(3.0, factor=4.0) == 12
    assert seen == ["first", ("before", (3.0,)), ("kwargs", (3.0,), {"factor": 4.0}, 12), ("after", (3.0,), 12), "last"]


def test_hooks_replace_arguments_and_output() -> None:
    module = Scale()
    module.register_forward_pre_hook(lambda m, args: args[0] + 1)
    module.register_forward_pre_hook(lambda m, args, kwargs: ((args[0] * 10,), {"factor": 3.0}), with_kwargs=True)
    module.register_forward_hook(lambda m, args, out: -out)
    assert module(1.0) == -60


def test_wrong_result_of_a_hook_with_kwargs() -> None:
    module = Scale()
    module.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="must return None or a tuple of"):
        module(1.0)


def test_removal() -> None:
    seen: list[int] = []
    module = Scale()
    first = module.register_forward_hook(lambda m, args, out: seen.append(1))
    with module.register_forward_pre_hook(lambda m, args: seen.append(0)):
        module(1.0)
    module(1.0)
    assert seen == [0, 1, 1]
    first.remove()
    first.remove()
    module(1.0)
    assert seen == [0, 1, 1]
    assert not module._forward_hooks
    assert not module._forward_pre_hooks


def test_a_hook_may_remove_itself_while_running() -> None:
    module, seen = Scale(), []

    def once(m: nn.Module, args: Any) -> None:
        seen.append(1)
        handle.remove()

    handle = module.register_forward_pre_hook(once)
    module(1.0)
    module(1.0)
    assert seen == [1]


def test_always_called_hooks_see_failures() -> None:
    class Fails(nn.Module):
        def forward(self, X: Any) -> Any:
            raise KeyError("lost")

    seen: list[Any] = []
    module = Fails()
    module.register_forward_hook(lambda m, args, out: seen.append("never"))
    module.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)

    def broken(m: nn.Module, args: Any, out: Any) -> None:
        raise ValueError("the hook's own")

    module.register_forward_hook(broken, always_call=True)
    with pytest.warns(UserWarning, match="the hook's own"), pytest.raises(KeyError, match="lost"):
        module(1)
    assert seen == [None]


def test_global_hooks_see_every_module() -> None:
    seen: list[str] = []
    net = nn.Sequential(Scale(), Scale())
    before = register_module_forward_pre_hook(lambda m, args: seen.append("<" + type(m).__name__))
    after = register_module_forward_hook(lambda m, args, kwargs, out: seen.append(">"), with_kwargs=True)
    try:
        assert net(1.0) == 4
    finally:
        before.remove()
        after.remove()
    assert seen == ["<Sequential", "<Scale", ">", "<Scale", ">", ">"]
    net(1.0)
    assert len(seen) == 6


def test_copies_have_hooks_of_their_own() -> None:
    module = Scale()
    handle = module.register_forward_hook(lambda m, args, out: out + 1)
    twin = copy.deepcopy(module)
    handle.remove()
    assert module(1.0) == 2
    assert twin(1.0) == 3


def test_hooks_see_tensors_with_gradients() -> None:
    kept: list[lamina.Tensor] = []
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    net[0].register_forward_hook(lambda m, args, out: kept.append(out))
    net(lamina.rand(2, 3)).sum().backward()
    assert kept[0].shape == (2, 4)
    assert kept[0].grad_fn is not None


def test_registration_hooks_see_and_replace() -> None:
    seen: list[str] = []
    with (
        register_module_parameter_registration_hook(lambda m, name, p: seen.append(name)),
        register_module_buffer_registration_hook(lambda m, name, b: b + 1),
        register_module_module_registration_hook(lambda m, name, child: nn.ReLU()),
    ):
        net = nn.Module()
        net.linear = nn.Linear(1, 1)
        net.register_buffer("count", lamina.zeros(()))
        net.count = lamina.ones(())
    assert seen == ["weight", "bias"]
    assert net.count.item() == 2
    assert isinstance(net.linear, nn.ReLU)


def test_a_handle_knows_its_dict_and_keeps_nothing_alive() -> None:
    module = Scale()
    handle = module.register_forward_hook(lambda m, args, out: None)
    assert handle.hooks_dict_ref() is module._forward_hooks
    twin = pickle.loads(pickle.dumps(handle.__getstate__()[1:]))
    assert twin == (handle.id, ({}, {}))
    del module
    assert handle.hooks_dict_ref() is None
    handle.remove()


def test_a_load_hook_does_not_keep_its_module_alive() -> None:
    module = nn.Linear(1, 1)
    module.register_load_state_dict_pre_hook(print)
    gone = weakref.ref(module)
    del module
    assert gone() is None


def test_replacing_the_dict_of_global_hooks() -> None:
    registry: Any = nn.modules.module
    before, seen = registry._global_forward_hooks, []
    registry._global_forward_hooks = OrderedDict()
    try:
        register_module_forward_hook(lambda m, args, out: seen.append(out))
        Scale()(1.0)
    finally:
        registry._global_forward_hooks = before
    Scale()(2.0)
    assert seen == [2.0]


def test_the_handles_type_by_pytorchs_name_for_it() -> None:
    assert type(nn.ReLU().register_forward_hook(lambda module, args, output: None)) is RemovableHandle


def test_a_module_has_dicts_of_hooks_from_when_somebody_asks() -> None:
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    module = Scale()
    assert not any(name in vars(module) for name in names)
    assert module(1.0) == 2
    for name in names:
        hooks = getattr(module, name)
        assert type(hooks) is OrderedDict
        assert vars(module)[name] is getattr(module, name) is hooks
    assert module(1.0) == 2
    module._forward_hooks[0] = lambda module, args, out: out + 1
    assert module(1.0) == 3
    assert copy.deepcopy(module)(1.0) == 3
    del module._forward_hooks
    assert module(1.0) == 2


def test_a_module_without_init_has_no_hooks() -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            pass

    with pytest.raises(AttributeError, match="super"):
        assert Bare()._forward_hooks
    with pytest.raises(AttributeError):
        Bare().register_forward_hook(print)
