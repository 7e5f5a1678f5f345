"""The main example, run as a user runs it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import lamina
from lamina import nn

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_digits.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_digits", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_trains_saves_and_loads(example: ModuleType, capsys: Any, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    accuracy = example.main(["--save", str(path)])
    printed = capsys.readouterr().out
    assert accuracy >= 0.97
    epochs = re.findall(r"^epoch +(\d+)/25  loss (\d\.\d+)  accuracy (\d\.\d+)  held out (\d\.\d+)", printed, re.M)
    assert [int(number) for number, *_ in epochs] == list(range(1, 26))
    assert float(epochs[-1][1]) < float(epochs[0][1])
    assert "loaded into a fresh net: " + f"{accuracy:.4f}" in printed
    fresh = example.make_net()
    fresh.load_state_dict(lamina.load(path))
    images, targets = lamina.datasets.load_digits()
    assert example.accuracy(fresh, images / 16, targets) >= 0.98


def test_options(example: ModuleType, capsys: Any) -> None:
    first = example.main(["--epochs", "1", "--batch-size", "64", "--lr", "0.001", "--seed", "5"])
    second = example.main(["--epochs", "1", "--batch-size", "64", "--lr", "0.001", "--seed", "5"])
    assert first == second
    assert "epoch   1/1" in capsys.readouterr().out


def test_the_net_is_lazy_and_nested(example: ModuleType) -> None:
    net = example.make_net()
    assert sum(isinstance(module, nn.LazyLinear) for module in net.modules()) == 5
    assert net(lamina.zeros(2, 8, 8)).shape == (2, 10)
    assert not any(isinstance(module, nn.LazyLinear) for module in net.modules())


def test_the_constant_weight_is_saved_and_never_trained(example: ModuleType) -> None:
    net = example.make_net()
    assert "2.rand_weight" in net.state_dict()
    assert "2.rand_weight" not in dict(net.named_parameters())
