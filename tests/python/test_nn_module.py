"""Module: attribute rules, registration, traversal, conversion, printing, copying, calling."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn


class Block(nn.Module):
    """Has one of everything that a module can hold."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(lamina.ones(2))
        self.tied = self.weight
        self.register_parameter("absent", None)
        self.running = nn.Buffer(lamina.zeros(1))
        self.scratch = nn.Buffer(lamina.zeros(1), persistent=False)
        self.register_buffer("nothing", None)
        self.shared = nn.Sequential(nn.Linear(2, 2))
        self.again = self.shared
        self.plain = 3

    def forward(self, X: lamina.Tensor) -> lamina.Tensor:
        return self.again(self.shared(X)) * self.weight + self.running


def names(pairs: Any) -> list[str]:
    return [name for name, _ in pairs]


def test_traversal_counts_shared_once() -> None:
    block = Block()
    assert names(block.named_parameters()) == ["weight", "shared.0.weight", "shared.0.bias"]
    assert names(block.named_parameters(recurse=False)) == ["weight"]
    assert names(block.named_parameters(prefix="net", remove_duplicate=False)) == [
        "net.weight", "net.tied", "net.shared.0.weight", "net.shared.0.bias", "net.again.0.weight", "net.again.0.bias",
    ]  # fmt: skip
    assert names(block.named_buffers()) == ["running", "scratch"]
    assert names(block.named_modules()) == ["", "shared", "shared.0"]
    assert names(block.named_modules(prefix="a", remove_duplicate=False)) == [
        "a", "a.shared", "a.shared.0", "a.again", "a.again.0",
    ]  # fmt: skip
    assert names(block.named_children()) == ["shared"]
    assert [len(list(part)) for part in (block.parameters(), block.buffers(), block.modules(), block.children())] == [
        3, 2, 3, 1,
    ]  # fmt: skip


def test_attributes_are_registered_and_plain_ones_are_not() -> None:
    block = Block()
    assert "weight" not in vars(block)
    assert vars(block)["plain"] == 3
    block.plain = nn.Linear(1, 1)
    assert "plain" in block._modules
    assert "plain" not in vars(block)
    block.plain = nn.Parameter(lamina.ones(1))
    assert names(block.named_parameters(recurse=False)) == ["weight", "plain"]
    assert "plain" not in block._modules
    del block.plain
    with pytest.raises(AttributeError, match="'Block' object has no attribute 'plain'"):
        _ = block.plain
    block.weight = None
    assert names(block.named_parameters(recurse=False)) == ["tied"]
    block.running = lamina.ones(3)
    assert block.get_buffer("running").tolist() == [1, 1, 1]
    block.scratch = nn.Buffer(lamina.ones(1))
    assert "scratch" in block.state_dict()
    block.shared = None
    assert block.shared is None
    assert names(block.named_children()) == ["again"]
    block.note = lamina.ones(1)  # a plain tensor is no parameter and no buffer
    assert "note" not in block.state_dict()


def test_dir_lists_registered_names_but_no_numbers() -> None:
    listed = dir(nn.Sequential(nn.Linear(1, 1)))
    assert "0" not in listed
    assert {"weight", "bias", "in_features", "forward"} <= set(dir(nn.Linear(1, 1)))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("weight", lamina.ones(2), "cannot assign 'Tensor' as parameter 'weight'"),
        ("weight", 3, "cannot assign 'int' as parameter"),
        ("weight", nn.Linear(1, 1), "cannot assign 'Linear' as parameter"),
        ("running", 3, "cannot assign 'int' as buffer 'running'"),
        ("shared", 3, "cannot assign 'int' as child module 'shared'"),
        ("shared", lamina.ones(1), "cannot assign 'Tensor' as child module"),
    ],
)
def test_wrong_assignments(name: str, value: object, message: str) -> None:
    block = Block()
    before = names(block.named_parameters())
    with pytest.raises(TypeError, match=message):
        setattr(block, name, value)
    assert names(block.named_parameters()) == before


@pytest.mark.parametrize("value", [nn.Linear(1, 1), nn.Parameter(lamina.ones(1)), nn.Buffer(lamina.ones(1))])
def test_assigning_before_init_says_what_to_call(value: Any) -> None:
    class Forgot(nn.Module):
        def __init__(self) -> None:
            self.part = value

    with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call.*super\(\).__init__\(\)"):
        Forgot()


def test_plain_attributes_before_init_are_fine_and_lookups_say_what_to_call() -> None:
    class Late(nn.Module):
        def __init__(self) -> None:
            self.plain = 1

    late = Late()
    assert late.plain == 1
    with pytest.raises(AttributeError, match=r"Call super\(\).__init__\(\) first"):
        _ = late.other
    with pytest.raises(AttributeError, match=r"cannot run before Module.__init__\(\) call"):
        late(1)


REGISTRATION: list[tuple[Any, type[Exception], str]] = [
    (lambda m: m.register_parameter("a.b", None), KeyError, 't contain "[.]"'),
    (lambda m: m.register_parameter("", None), KeyError, "t be empty string"),
    (lambda m: m.register_parameter(3, None), TypeError, "should be a string"),
    (lambda m: m.register_parameter("plain", None), KeyError, "already exists"),
    (lambda m: m.register_parameter("w", lamina.ones(1)), TypeError, "nn.Parameter or None required"),
    (lambda m: m.register_buffer("b", 3), TypeError, "cannot assign 'int' object to buffer 'b'"),
    (lambda m: m.register_buffer("weight", None), KeyError, "already exists"),
    (lambda m: m.add_module("weight", nn.ReLU()), KeyError, "already exists"),
    (lambda m: m.add_module("x", 3), TypeError, "int is not a Module subclass"),
    (lambda m: m.add_module("x.y", nn.ReLU()), KeyError, 't contain "[.]"'),
    (lambda m: m.register_module(None, nn.ReLU()), TypeError, "should be a string"),
]


@pytest.mark.parametrize(("register", "error", "message"), REGISTRATION)
def test_registration_errors(register: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        register(Block())


def test_a_parameter_is_a_leaf() -> None:
    computed = nn.Parameter(lamina.ones(1)) * 2
    module = nn.Module()
    with pytest.raises(TypeError):
        module.register_parameter("w", computed)


def test_get_by_path() -> None:
    block = Block()
    assert block.get_submodule("") is block
    assert block.get_submodule("shared.0") is block.shared[0]
    assert block.get_parameter("shared.0.weight") is block.shared[0].weight
    assert block.get_buffer("running") is block.running
    block.set_submodule("shared.0", nn.Linear(2, 3))
    assert block.again[0].out_features == 3
    block.set_submodule("new", nn.ReLU())
    assert isinstance(block.new, nn.ReLU)
    for path, message in (("shared.1", "Sequential has no attribute `1`"), ("weight", "`weight` is not an nn.Module")):
        with pytest.raises(AttributeError, match=message):
            block.get_submodule(path)
    with pytest.raises(AttributeError, match=r"`running` is not an nn\.Parameter"):
        block.get_parameter("running")
    with pytest.raises(AttributeError, match="`weight` is not a buffer"):
        block.get_buffer("weight")
    with pytest.raises(AttributeError, match="has no attribute `gone`"):
        block.set_submodule("gone", nn.ReLU(), strict=True)
    with pytest.raises(ValueError, match=r"`module` is not an nn\.Module, found <class 'int'>"):
        block.set_submodule("training", 3)  # type: ignore[arg-type]


def test_print() -> None:
    net = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Sequential(nn.Dropout(0.1), nn.LazyLinear(10, bias=False)))
    assert repr(net) == (
        "Sequential(\n"
        "  (0): Linear(in_features=20, out_features=256, bias=True)\n"
        "  (1): ReLU()\n"
        "  (2): Sequential(\n"
        "    (0): Dropout(p=0.1, inplace=False)\n"
        "    (1): LazyLinear(in_features=0, out_features=10, bias=False)\n"
        "  )\n"
        ")"
    )

    class Verbose(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Identity()

        def extra_repr(self) -> str:
            return "two\nlines"

    assert repr(Verbose()) == "Verbose(\n  two\n  lines\n  (inner): Identity()\n)"
    assert repr(nn.Module()) == "Module()"


def test_call_needs_forward() -> None:
    with pytest.raises(NotImplementedError, match='Module \\[Module\\] is missing the required "forward"'):
        nn.Module()(1)
    with pytest.raises(TypeError):
        nn.Module(1)  # type: ignore[call-arg]


def test_call_passes_any_arguments_and_results_through() -> None:
    class Echo(nn.Module):
        def forward(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return {"args": args, **kwargs}

    assert Echo()(1, "two", three=[3]) == {"args": (1, "two"), "three": [3]}


def test_train_and_eval_reach_everything() -> None:
    block = Block()
    assert block.eval() is block
    assert not any(module.training for module in block.modules())
    assert all(module.training for module in block.train().modules())
    with pytest.raises(ValueError, match="expected to be boolean"):
        block.train(3)  # type: ignore[arg-type]


def test_apply_visits_children_first() -> None:
    seen: list[str] = []
    block = Block()
    assert block.apply(lambda module: seen.append(type(module).__name__)) is block
    assert seen == ["Linear", "Sequential", "Block"]


def test_requires_grad_and_zero_grad() -> None:
    block = Block()
    block(lamina.ones(1, 2)).sum().backward()
    gradients = [parameter.grad for parameter in block.parameters()]
    assert all(gradient is not None for gradient in gradients)
    block.zero_grad(set_to_none=False)
    assert all(p.grad is g and not g.any() for p, g in zip(block.parameters(), gradients))
    block.zero_grad()
    assert all(parameter.grad is None for parameter in block.parameters())
    assert not any(p.requires_grad for p in block.requires_grad_(False).parameters())
    lazy = nn.LazyLinear(2).requires_grad_(False)
    lazy(lamina.ones(1, 3))
    assert not lazy.weight.requires_grad


def test_zero_grad_asks_the_module_for_its_parameters() -> None:
    class Frozen(nn.Linear):
        def named_modules(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
            return iter(())

    net = nn.Sequential(nn.Linear(2, 2), Frozen(2, 2))
    net(lamina.ones(1, 2)).sum().backward()
    net.zero_grad()
    assert net[0].weight.grad is None
    assert net[1].weight.grad is not None
    shared = nn.Sequential(net[0], net[0])
    shared(lamina.ones(1, 2)).sum().backward()
    shared.zero_grad()
    assert all(parameter.grad is None for parameter in shared.parameters())


def test_conversions_keep_the_parameter_objects() -> None:
    block = Block()
    block.register_buffer("count", lamina.zeros(1, dtype=lamina.int64))
    block(lamina.ones(1, 2)).sum().backward()
    parameters = list(block.parameters())
    assert block.double() is block
    assert list(block.parameters()) == parameters or all(a is b for a, b in zip(block.parameters(), parameters))
    assert {p.dtype for p in parameters} == {lamina.float64}
    assert {p.grad.dtype for p in parameters} == {lamina.float64}
    assert (block.running.dtype, block.count.dtype) == (lamina.float64, lamina.int64)
    assert block(lamina.ones(1, 2, dtype=lamina.float64)).dtype == lamina.float64
    block.to(lamina.float32)
    assert {p.dtype for p in parameters} == {lamina.float32}
    assert {p.dtype for p in block.half().parameters()} == {lamina.float16}
    assert block(lamina.ones(1, 2, dtype=lamina.float16)).dtype == lamina.float16
    assert {p.dtype for p in block.bfloat16().parameters()} == {lamina.bfloat16}
    block.to(lamina.ones(1, dtype=lamina.float64))
    assert {p.dtype for p in parameters} == {lamina.float64}
    block.to(device="cpu", dtype=lamina.float32).to("cpu").cpu()
    assert {p.dtype for p in parameters} == {lamina.float32}
    assert all(p.is_leaf and p.requires_grad for p in parameters)
    with pytest.raises(TypeError, match="only accepts floating point"):
        block.to(lamina.int64)
    with pytest.raises(RuntimeError):
        block.to("cuda")


def test_tied_weights_stay_tied_through_copies_and_training() -> None:
    block = Block()
    for twin in (copy.deepcopy(block), pickle.loads(pickle.dumps(block))):
        assert twin.tied is twin.weight
        assert twin.again is twin.shared
        assert twin.weight is not block.weight
        assert names(twin.named_parameters()) == names(block.named_parameters())
        np.testing.assert_array_equal(twin.shared[0].weight.detach().numpy(), block.shared[0].weight.detach().numpy())
        with lamina.no_grad():
            twin.weight += 1
        assert twin.tied.tolist() == [2, 2]
        assert block.weight.tolist() == [1, 1]
        assert (twin.plain, twin.nothing, twin.absent) == (3, None, None)


def test_a_layer_used_twice_adds_its_gradients_up() -> None:
    layer = nn.Linear(3, 3, bias=False)
    net = nn.Sequential(layer, layer)
    assert len(list(net.parameters())) == 1
    x = lamina.rand(2, 3)
    net(x).sum().backward()
    w, ones = layer.weight.detach().numpy(), np.ones((2, 3), np.float32)
    hidden = x.numpy() @ w.T
    np.testing.assert_allclose(layer.weight.grad.numpy(), ones.T @ hidden + (ones @ w).T @ x.numpy(), rtol=1e-5)


def test_errors_name_the_module_path() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(4, 4)), nn.Sequential(nn.Linear(5, 4))])

        def forward(self, X: lamina.Tensor) -> lamina.Tensor:
            for block in self.blocks:
                X = block(X)
            return X

    net = Net()
    with pytest.raises(RuntimeError, match=r"expected 5 input features, got 4.*Net\.blocks\.1\.0"):
        net(lamina.ones(2, 4))
    net.renamed = net.blocks
    with pytest.raises(RuntimeError, match=r"renamed\.1\.0"):
        net(lamina.ones(2, 4))


def test_failed_calls_leave_the_scope() -> None:
    from lamina import _core

    class Fails(nn.Module):
        def forward(self) -> None:
            raise KeyError("lost")

    with pytest.raises(KeyError):
        nn.Sequential(Fails()).get_submodule("0")()
    assert _core.current_scope_path() == ""


def test_multiple_inheritance() -> None:
    class Mixin:
        def greet(self) -> str:
            return "hello"

    class Both(nn.Linear, Mixin):
        pass

    assert Both(2, 3).greet() == "hello"
    assert Both(2, 3)(lamina.ones(1, 2)).shape == (1, 3)


class _WithSlots(nn.Linear):
    __slots__ = ("places", "unused")

    def __init__(self) -> None:
        super().__init__(2, 2)
        self.places = [1]


def test_copies_of_a_module_with_slots_have_what_is_in_them() -> None:
    module = _WithSlots()
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert twin.places == [1]
        assert twin.places is not module.places
        assert lamina.equal(twin.weight, module.weight)
        assert not hasattr(twin, "unused")
    assert copy.copy(module).places is module.places


def test_modules_have_a_signature() -> None:
    class Own(nn.Module):
        def __call__(self, x: Any) -> Any:
            return x

    assert str(inspect.signature(nn.Linear(2, 2))) == "(*args, **kwargs)"
    assert str(inspect.signature(nn.Linear(2, 2).__call__)) == "(*args, **kwargs)"
    assert list(inspect.signature(Own()).parameters) == ["x"]
    assert next(iter(inspect.signature(nn.Linear).parameters)) == "in_features"
