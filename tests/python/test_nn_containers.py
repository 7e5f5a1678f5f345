"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest

import lamina
from lamina import nn


def kinds(modules: Any) -> list[str]:
    return [type(module).__name__ for module in modules]


def test_sequential_runs_in_order() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = lamina.rand(5, 3)
    assert net(x).tolist() == net[2](net[1](net[0](x))).tolist()
    assert nn.Sequential()(x) is x


def test_sequential_named() -> None:
    net = nn.Sequential(OrderedDict(first=nn.Linear(2, 2), act=nn.ReLU(), last=nn.Tanh()))
    assert net.act is net[1]
    assert list(net[1:]._modules) == ["act", "last"]
    net[1] = nn.Sigmoid()
    assert isinstance(net.act, nn.Sigmoid)
    del net[0]
    assert list(net._modules) == ["0", "1"]


def test_sequential_is_a_sequence() -> None:
    net = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid())
    assert len(net) == 3
    assert kinds(net) == ["ReLU", "Tanh", "Sigmoid"]
    assert net[-1] is net[2]
    assert kinds(net[:2]) == ["ReLU", "Tanh"]
    assert net.append(nn.Identity()) is net
    assert isinstance(net.pop(-1), nn.Identity)
    assert kinds(net.extend([nn.GELU()])) == ["ReLU", "Tanh", "Sigmoid", "GELU"]
    assert kinds(net.insert(1, nn.Identity())) == ["ReLU", "Identity", "Tanh", "Sigmoid", "GELU"]
    del net[1:3]
    assert kinds(net) == ["ReLU", "Sigmoid", "GELU"]
    assert list(net._modules) == ["0", "1", "2"]
    assert kinds(net + nn.Sequential(nn.Tanh())) == ["ReLU", "Sigmoid", "GELU", "Tanh"]
    assert len(2 * net) == len(net * 2) == 6
    net *= 2
    net += nn.Sequential(nn.Tanh())
    assert kinds(net) == ["ReLU", "Sigmoid", "GELU"] * 2 + ["Tanh"]
    assert net[0] is net[3]


def test_sequential_subclass_slices_to_itself() -> None:
    class Stack(nn.Sequential):
        pass

    assert type(Stack(nn.ReLU(), nn.Tanh())[:1]) is Stack


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: nn.Sequential(3), TypeError, "int is not a Module subclass"),
    (lambda: nn.Sequential(nn.ReLU), TypeError, r"activation\.ReLU is not a Module subclass; call the class"),
    (lambda: nn.Sequential(nn.ReLU())[1], IndexError, "index 1 is out of range"),
    (lambda: nn.Sequential()[0], IndexError, "out of range"),
    (lambda: nn.Sequential(nn.ReLU())["0"], TypeError, "cannot be interpreted as an integer"),
    (lambda: nn.Sequential().insert(5, nn.ReLU()), IndexError, "out of range: 5"),
    (lambda: nn.Sequential().insert(0, [nn.ReLU()]), AssertionError, "module should be of type"),
    (lambda: nn.Sequential() + nn.ModuleList(), ValueError, "only objects of Sequential class"),
    (lambda: nn.Sequential() * 1.5, TypeError, "unsupported operand"),
    (lambda: nn.Sequential() * 0, ValueError, "Non-positive multiplication factor 0"),
    (lambda: nn.ModuleList(3), TypeError, "called with an iterable, but got int"),
    (lambda: nn.ModuleList([3]), TypeError, "int is not a Module subclass"),
    (lambda: nn.ModuleList()(1), NotImplementedError, "ModuleList"),
    (lambda: nn.ModuleDict({"a": 3}), TypeError, "int is not a Module subclass"),
    (lambda: nn.ModuleDict({"keys": nn.ReLU()}), KeyError, "already exists"),
    (lambda: nn.ModuleDict({})["a"], KeyError, "a"),
    (lambda: nn.ModuleDict(3), TypeError, "key/value pairs, but got int"),
    (lambda: nn.ModuleDict([3]), TypeError, "element #0 should be Iterable"),
    (lambda: nn.ModuleDict([(1, 2, 3)]), ValueError, "length 3; 2 is required"),
    (lambda: nn.ParameterList(3), TypeError, "called with an iterable, but got int"),
    (lambda: nn.ParameterList()[0], IndexError, "index 0 is out of range"),
    (lambda: nn.ParameterList()(1), RuntimeError, "should not be called"),
    (lambda: nn.ParameterDict()(1), RuntimeError, "should not be called"),
    (lambda: nn.ParameterDict({1: lamina.ones(1)}), TypeError, "keys are strings"),
    (lambda: nn.ParameterDict().popitem(), KeyError, "empty"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS)
def test_errors(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_module_list() -> None:
    layers = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    layers.append(nn.Sigmoid()).extend([nn.GELU()])
    layers.insert(0, nn.Identity())
    assert kinds(layers) == ["Identity", "ReLU", "Tanh", "Sigmoid", "GELU"]
    assert kinds(layers[1:3]) == ["ReLU", "Tanh"]
    assert isinstance(layers[1:3], nn.ModuleList)
    layers[0] = nn.Softsign()
    assert isinstance(layers.pop(0), nn.Softsign)
    layers += [nn.Mish()]
    del layers[0]
    assert kinds(layers + nn.ModuleList([nn.ELU()])) == ["Tanh", "Sigmoid", "GELU", "Mish", "ELU"]
    assert list(layers._modules) == ["0", "1", "2", "3"]
    assert isinstance(layers[-1], nn.Mish)


def test_module_list_prints_equal_neighbors_once() -> None:
    layers = nn.ModuleList([nn.Linear(2, 2), nn.ReLU(), nn.ReLU(), nn.Sequential(nn.Tanh()), nn.Sequential(nn.Tanh())])
    assert repr(layers) == (
        "ModuleList(\n"
        "  (0): Linear(in_features=2, out_features=2, bias=True)\n"
        "  (1-2): 2 x ReLU()\n"
        "  (3-4): 2 x Sequential(\n"
        "    (0): Tanh()\n"
        "  )\n"
        ")"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_module_dict() -> None:
    table = nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()})
    table.update([("c", nn.GELU())])
    table.update(nn.ModuleDict({"d": nn.ELU()}))
    assert list(table) == list(table.keys()) == ["b", "a", "c", "d"]
    assert kinds(table.values()) == [type(module).__name__ for _, module in table.items()]
    assert "a" in table
    assert len(table) == 4
    assert isinstance(table.pop("a"), nn.Tanh)
    del table["b"]
    table["c"] = nn.Mish()
    assert repr(table) == "ModuleDict(\n  (c): Mish()\n  (d): ELU(alpha=1.0)\n)"
    table.clear()
    assert len(table) == 0


def test_parameter_list() -> None:
    weights = nn.ParameterList([lamina.ones(2), nn.Parameter(lamina.zeros(1))])
    weights.append("note").extend([lamina.ones(3)])
    weights += [lamina.zeros(2, 2)]
    assert [type(value).__name__ for value in weights] == ["Parameter", "Parameter", "str", "Parameter", "Parameter"]
    assert [name for name, _ in weights.named_parameters()] == ["0", "1", "3", "4"]
    weights[0] = lamina.full((4,), 2.0)
    assert weights[0].tolist() == [2, 2, 2, 2]
    assert weights[-1] is weights[4]
    assert len(weights[3:]) == 2
    assert repr(weights[:3]) == (
        "ParameterList(\n"
        "    (0): Parameter containing: [torch.float32 of size 4]\n"
        "    (1): Parameter containing: [torch.float32 of size 1]\n"
        "    (2): Object of type: str\n"
        ")"
    )


def test_parameter_dict() -> None:
    table = nn.ParameterDict({"b": lamina.ones(2), "a": lamina.zeros(1)})
    assert list(table) == ["a", "b"]  # a plain dict is sorted
    assert (
        repr(table).splitlines()[1] == "    (a): Parameter containing: [torch.FloatTensor of size 1]"
    )  # unlike a list's
    table.update(OrderedDict([("d", lamina.ones(1)), ("c", 3)]))
    assert list(table.keys()) == ["a", "b", "d", "c"]
    assert list(reversed(table)) == ["c", "d", "b", "a"]
    assert [name for name, _ in table.named_parameters()] == ["a", "b", "d"]
    assert isinstance(table["b"], nn.Parameter)
    assert table.get("z", 5) == 5
    assert table.setdefault("e", lamina.ones(1)) is table["e"]
    assert table.pop("c") == 3
    assert table.popitem()[0] == "e"
    assert [value.shape for value in table.values()] == [(1,), (2,), (1,)]
    assert table.copy()["a"] is table["a"]
    merged = table | nn.ParameterDict({"z": lamina.ones(1)})
    assert list(merged) == ["a", "b", "d", "z"]
    table |= merged
    assert len(table) == 4
    assert list(table.fromkeys(["q"], lamina.ones(1))) == ["q"]
    del table["a"]
    assert "a" not in table
    table.clear()
    assert not list(table.parameters())
