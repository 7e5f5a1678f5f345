"""The example of nested convolutional blocks, run as a user runs it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import lamina
from lamina import nn

EXAMPLE = Path(__file__).parents[2] / "examples" / "resnet.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("resnet", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_trains(example: ModuleType, capsys: Any) -> None:
    rate = example.main(["--epochs", "3", "--width", "8"])
    assert rate >= 0.93
    losses = re.findall(r"^epoch +\d+/3  loss (\d\.\d+)  held out (\d\.\d+)", capsys.readouterr().out, re.M)
    assert len(losses) == 3
    assert float(losses[-1][0]) < float(losses[0][0])


# What the networks of the paper have, for images of three colours and 1,000 classes.
@pytest.mark.parametrize(
    ("depth", "parameters"),
    [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032), (101, 44_549_160), (152, 60_192_808)],
)
def test_sizes_without_computing(example: ModuleType, depth: int, parameters: int) -> None:
    net = example.make_resnet(depth)
    convolutions = [m for m in net.modules() if isinstance(m, nn.LazyConv2d) and m.kernel_size != (1, 1)]
    assert all(isinstance(p, nn.UninitializedParameter) for p in net[0].parameters())
    assert len(convolutions) == {18: 17, 34: 33, 50: 17, 101: 34, 152: 51}[depth]
    if depth > 50:  # tens of millions of numbers
        return
    assert tuple(nn.resolve(net, (1, 3, 64, 64))) == (1, 1000)
    assert sum(p.numel() for p in net.parameters()) == parameters


def test_first_stage_of_large_images(example: ModuleType) -> None:
    net = example.resnet((1, 1), True, classes=3, width=4)
    y = net(lamina.rand(2, 3, 32, 32))
    assert tuple(y.shape) == (2, 3)
    assert tuple(net[0](lamina.rand(2, 3, 32, 32)).shape) == (2, 4, 8, 8)
    assert [type(block.shortcut) for part in net[1:3] for block in part] == [nn.Sequential, nn.Sequential]
    y.sum().backward()
    assert all(p.grad is not None for p in net.parameters())
