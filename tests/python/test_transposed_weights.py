"""Inference keeps the transposes of weights; nobody may be able to tell."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import lamina
from lamina import nn


def expected(net: nn.Linear, x: lamina.Tensor) -> np.ndarray:
    return x.numpy() @ np.array(net.weight.tolist()).T + np.array(net.bias.tolist())


@pytest.fixture
def net() -> nn.Linear:
    lamina.manual_seed(3)
    return nn.Linear(24, 17)


@pytest.fixture
def x() -> lamina.Tensor:
    return lamina.rand(8, 24)


def infer(net: nn.Linear, x: lamina.Tensor, times: int = 5) -> list[np.ndarray]:
    with lamina.no_grad():
        return [net(x).numpy() for _ in range(times)]


def test_every_call_gives_the_same(net: nn.Linear, x: lamina.Tensor) -> None:
    for result in infer(net, x):
        np.testing.assert_allclose(result, expected(net, x), rtol=1e-5, atol=1e-6)


def test_copy_lives_as_long_as_the_weight(net: nn.Linear, x: lamina.Tensor) -> None:
    infer(net, x, times=2)
    before = lamina.memory_stats()["live_bytes"]
    infer(net, x)
    assert lamina.memory_stats()["live_bytes"] - before == 24 * 17 * 4
    with lamina.no_grad():
        net.weight.add_(1)
    lamina.flush()
    assert lamina.memory_stats()["live_bytes"] == before


def test_weights_larger_than_the_caches_have_none() -> None:
    net, x = nn.Linear(1200, 2048), lamina.rand(8, 1200)
    infer(net, x, times=2)
    before = lamina.memory_stats()["live_bytes"]
    infer(net, x)
    assert lamina.memory_stats()["live_bytes"] == before


def test_emptying_the_cache_drops_it(net: nn.Linear, x: lamina.Tensor) -> None:
    infer(net, x, times=2)
    before = lamina.memory_stats()["live_bytes"]
    results = [result.copy() for result in infer(net, x)]
    lamina.empty_cache()
    assert lamina.memory_stats()["live_bytes"] == before
    for result in results + infer(net, x):
        np.testing.assert_allclose(result, expected(net, x), rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits address space")
def test_does_without_where_memory_is_short() -> None:
    code = """
import os, resource
os.environ["LAMINA_NUM_THREADS"] = "1"
import lamina
from lamina import nn
small, large = nn.Linear(1024, 1024), nn.Linear(4096, 4096)  # 4 MB, 64 MB
x, y = lamina.rand(8, 1024), lamina.rand(8, 4096)
with lamina.no_grad():
    wanted = [small(x).sum().item(), large(y).sum().item()]
    for _ in range(4):
        assert abs(small(x).sum().item() - wanted[0]) < 1e-3 * abs(wanted[0]) + 1e-2
    lamina.empty_cache()
    in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + (48 << 20), resource.RLIM_INFINITY))
    for _ in range(6):
        assert abs(large(y).sum().item() - wanted[1]) < 1e-3 * abs(wanted[1]) + 1e-2
    assert lamina.memory_stats()["peak_bytes"] < 140 << 20
print("done")
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (ran.stdout.strip(), ran.returncode) == ("done", 0), ran.stderr


def test_update_forgets_it(net: nn.Linear, x: lamina.Tensor) -> None:
    optimizer = lamina.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
    for _ in range(3):
        infer(net, x)
        optimizer.zero_grad()
        net(x).square().sum().backward()
        optimizer.step()
        for result in infer(net, x):
            np.testing.assert_allclose(result, expected(net, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("how", ["in place", "data", "copy", "load", "numpy", "view"])
def test_every_other_change_forgets_it(net: nn.Linear, x: lamina.Tensor, how: str) -> None:
    infer(net, x)
    with lamina.no_grad():
        if how == "in place":
            net.weight.mul_(2)
        elif how == "data":
            net.weight.data[3] += 1
        elif how == "copy":
            net.weight.copy_(lamina.ones(17, 24))
        elif how == "load":
            net.load_state_dict(nn.Linear(24, 17).state_dict())
        elif how == "numpy":
            net.weight.detach().numpy()[2:5] = 7
        else:
            net.weight.T[4] = 0.5
    for result in infer(net, x):
        np.testing.assert_allclose(result, expected(net, x), rtol=1e-5, atol=1e-5)


def test_numpy_may_write_at_any_time(net: nn.Linear, x: lamina.Tensor) -> None:
    shared = net.weight.detach().numpy()
    for step in range(5):
        infer(net, x)
        shared[step] = step
        np.testing.assert_allclose(infer(net, x, 1)[0], expected(net, x), rtol=1e-5, atol=1e-5)


def test_gradients_of_the_input_come_through(net: nn.Linear, x: lamina.Tensor) -> None:
    infer(net, x)
    x.requires_grad_()
    net.requires_grad_(False)
    net(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy()[0], np.array(net.weight.tolist()).sum(0), rtol=1e-5, atol=1e-6)


def test_leading_axes_and_double(x: lamina.Tensor) -> None:
    net = nn.Linear(24, 17).double()
    cube = lamina.rand(2, 4, 24).double()
    for result in infer(net, cube):
        np.testing.assert_allclose(result, expected(net, cube), rtol=1e-12)


def test_other_shape_of_the_same_memory(net: nn.Linear, x: lamina.Tensor) -> None:
    infer(net, x)
    turned, y = net.weight.detach().view(24, 17), lamina.rand(8, 17)
    for _ in range(4):
        with lamina.no_grad():
            result = lamina.nn.functional.linear(y, turned).numpy()
        np.testing.assert_allclose(result, y.numpy() @ np.array(turned.tolist()).T, rtol=1e-5, atol=1e-6)
