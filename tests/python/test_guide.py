"""The guide's notebook: its cells run and print what they are stored with, and its modules give PyTorch's numbers.

``python tests/python/test_guide.py`` runs the cells and stores what they print now.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "guide" / "layers_and_modules.ipynb"

# A number with a fraction is compared as a number; everything else, whole numbers too, as text.
FRACTION = re.compile(r"-?\d+\.\d*(?:e[+-]?\d+)?")
PRINTED_DIGITS = 2e-4


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def stored_text(cell: dict[str, Any]) -> str:
    return "".join("".join(output["text"]) for output in cell["outputs"])


def run_cells(notebook: dict[str, Any], namespace: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every code cell with what it prints, all in one namespace, as in a notebook."""
    for number, cell in enumerate(code_cells(notebook)):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("".join(cell["source"]), f"{NOTEBOOK.name}, code cell {number}", "exec"), namespace)
        yield cell, printed.getvalue()


@pytest.fixture(scope="module")
def guide() -> Iterator[tuple[list[tuple[dict[str, Any], str]], dict[str, Any]]]:
    random_state = lamina.get_rng_state()
    namespace: dict[str, Any] = {"__name__": "guide"}
    yield list(run_cells(json.loads(NOTEBOOK.read_text()), namespace)), namespace
    lamina.set_rng_state(random_state)


Guide = tuple[list[tuple[dict[str, Any], str]], dict[str, Any]]


def test_cells_print_what_is_stored(guide: Guide) -> None:
    cells, _ = guide
    assert sum(bool(printed) for _, printed in cells) >= 15
    for number, (cell, printed) in enumerate(cells):
        stored = stored_text(cell)
        hint = f"code cell {number}; if this is right, store it with: python tests/python/test_guide.py"
        assert FRACTION.sub("#", printed) == FRACTION.sub("#", stored), hint
        got, wanted = ([float(text) for text in FRACTION.findall(part)] for part in (printed, stored))
        assert got == pytest.approx(wanted, abs=PRINTED_DIGITS), hint


def test_notebook_names_no_machine_and_no_failure() -> None:
    notebook = json.loads(NOTEBOOK.read_text())
    assert set(notebook["metadata"]) <= {"kernelspec", "language_info"}
    for number, cell in enumerate(code_cells(notebook)):
        assert cell["metadata"] == {}
        assert cell["execution_count"] == number + 1
        assert all(output["output_type"] == "stream" and output["name"] == "stdout" for output in cell["outputs"])
    assert not re.search(r"/(home|root|tmp|work)/", NOTEBOOK.read_text())


def test_chapter_has_its_sections(guide: Guide) -> None:
    """The shapes and gradient functions that the chapter is about, whatever the cells around them print."""
    _, names = guide
    batch = lamina.rand(2, 20)
    assert tuple(names["net"](batch).shape) == (2, 10)
    assert names["net"](batch).grad_fn.name() == "AddmmBackward0"
    assert tuple(names["Chain"](nn.LazyLinear(5), nn.ReLU())(batch).shape) == (2, 5)
    result = names["FixedHiddenMLP"]()(batch)
    assert result.shape == ()
    assert result.grad_fn.name() == "SumBackward0"
    assert re.fullmatch(r"tensor\(-?\d\.\d+(e-\d+)?, grad_fn=<SumBackward0>\)", repr(result))
    assert tuple(names["NestMLP"]()(batch).shape) == (2, 16)


# PyTorch's numbers


def wave(shape: tuple[int, ...], phase: float) -> np.ndarray[Any, Any]:
    """Weights without chance: every number differs, and both signs occur."""
    count = int(np.prod(shape))
    return (0.25 * np.sin(1.7 * np.arange(count) + phase)).reshape(shape)


def make_mlp(names: dict[str, Any]) -> Any:
    return names["MLP"](256, 10)


def make_fixed(names: dict[str, Any]) -> Any:
    return names["FixedHiddenMLP"]()


def make_chimera(names: dict[str, Any]) -> Any:
    return nn.Sequential(names["NestMLP"](), nn.LazyLinear(20), names["FixedHiddenMLP"]())


def make_sequential(_: dict[str, Any]) -> Any:
    return nn.Sequential(nn.LazyLinear(256), nn.ReLU(), nn.LazyLinear(10))


MLP_OUTPUT = [
    [
        2.572175330831,
        -4.133245312507,
        -1.814219652202,
        4.454954491218,
        0.99940161662,
        -4.626197946028,
        -0.155867379738,
        4.642328245166,
        -0.687530883514,
        -4.504147067274,
    ],
    [
        2.109444473813,
        -3.775773682631,
        -1.415332062508,
        4.02624283866,
        0.677080529973,
        -4.139920798537,
        0.079606194196,
        4.113996285287,
        -0.828646092391,
        -3.950612391289,
    ],
]
MLP_GRADIENTS = [
    (0.4666575895641, 1.325365735528, 1.447812161023, 50.20402537305),
    (3.116607860371, -2.590783110877, 9.549148200164, 20369.7779464),
    (10.54617515188, -10.17260632862, 10.3105846644, 1846.007328268),
    (13.23927461619, -23.81155915081, -11.5901665873, 21715.13606379),
    (9.363239609288, -17.53223748913, -16.90951891713, 107.095021772),
]
FIXED_OUTPUT = -0.008052523276
FIXED_GRADIENTS = [
    (-0.002003043932756, -0.001644699856724, -0.0002228695310205, 0.05527619704311),
    (0.01717499397724, 0.01686265804115, 0.02520736630236, 6.865631909563),
    (0.002733561920193, 0.001606343887599, 0.00358832837038, 0.04004183034243),
]
CHIMERA_OUTPUT = 0.017061193958
CHIMERA_GRADIENTS = [
    (1.663857977279e-05, 8.380474763963e-05, 7.179701449415e-05, 0.001349776352861),
    (4.834984688278e-06, 4.932262090471e-05, -4.028365444375e-05, 0.1287046599999),
    (1.636092754164e-05, 0.0001669010097886, -4.349581983938e-05, 0.01186615754685),
    (0.001613403201735, -0.000425189114095, -0.0006823725713417, 0.6762439968395),
    (0.001253831810124, -0.0003304292665326, -0.000756135854012, 0.01322745579175),
    (-0.002966134615289, 0.002339558280838, -0.00142728203304, 0.905364428036),
    (-0.003609485120276, 0.002847005243517, -0.001407087316238, 0.06536399113976),
    (0.00371396094926, 0.001727575283882, 0.0002877018916705, 1.71130572221),
    (0.01505440526866, 0.007002663412727, 0.0005797169857723, 0.2399241856192),
    (0.003024979837995, 0.003593232474213, 0.0401647275057, 8.442498221078),
    (0.01457999825942, 0.01585129556798, 0.006365298658089, 0.158938361057),
]

# Recorded from torch 2.13.0 in float64: the output; then, for the input and each parameter, the gradient's first,
# middle and last number and the sum of its magnitudes.
RECORDED: dict[str, tuple[Callable[[dict[str, Any]], Any], Any, list[tuple[float, ...]]]] = {
    "sequential": (make_sequential, MLP_OUTPUT, MLP_GRADIENTS),
    "mlp": (make_mlp, MLP_OUTPUT, MLP_GRADIENTS),
    "fixed": (make_fixed, FIXED_OUTPUT, FIXED_GRADIENTS),
    "chimera": (make_chimera, CHIMERA_OUTPUT, CHIMERA_GRADIENTS),
}


@pytest.mark.parametrize(("dtype", "tolerance"), [(lamina.float32, 1e-6), (lamina.float64, 1e-11)], ids=str)
@pytest.mark.parametrize("name", RECORDED)
def test_equal_weights_give_the_numbers_of_pytorch(guide: Guide, name: str, dtype: Any, tolerance: float) -> None:
    make, output, gradients = RECORDED[name]
    net = make(guide[1])
    net(lamina.rand(2, 20))  # not nn.resolve: a loop looks at the numbers
    net.to(dtype)
    for number, parameter in enumerate(net.parameters()):
        parameter.data.copy_(lamina.tensor(wave(tuple(parameter.shape), number)))
    for module in net.modules():
        if hasattr(module, "rand_weight"):
            module.rand_weight = lamina.tensor(4 * wave((20, 20), 0.5)).to(dtype)
    batch = lamina.tensor(4 * wave((2, 20), 0.3)).to(dtype).requires_grad_()
    result = net(batch)
    (result if result.ndim == 0 else (result * result).sum()).backward()

    wanted = np.array(output)
    np.testing.assert_allclose(result.detach().numpy(), wanted, rtol=0, atol=tolerance * max(1, np.abs(wanted).max()))
    leaves = [("input", batch), *net.named_parameters()]
    assert len(leaves) == len(gradients)
    for (leaf_name, leaf), recorded in zip(leaves, gradients, strict=True):
        gradient = leaf.grad.double().flatten().numpy()
        got = (gradient[0], gradient[gradient.size // 2], gradient[-1], np.abs(gradient).sum())
        largest = np.abs(gradient).max()
        np.testing.assert_allclose(got[:3], recorded[:3], rtol=0, atol=tolerance * max(1, largest), err_msg=leaf_name)
        # Relative to what is there, so that small gradients count as much as large ones.
        np.testing.assert_allclose(got[3], recorded[3], rtol=3 * tolerance, err_msg=leaf_name)


def test_sequential_agrees_with_numpy() -> None:
    """The same forward, written out in NumPy."""
    net = make_sequential({})
    nn.resolve(net, (2, 20))
    first, first_bias, second, second_bias = (parameter.detach().numpy() for parameter in net.parameters())
    batch = 4 * wave((2, 20), 0.3).astype(np.float32)
    wanted = np.maximum(batch @ first.T + first_bias, 0) @ second.T + second_bias
    np.testing.assert_allclose(net(lamina.tensor(batch)).detach().numpy(), wanted, rtol=0, atol=1e-6)


def store_outputs() -> None:
    notebook = json.loads(NOTEBOOK.read_text())
    for number, (cell, printed) in enumerate(run_cells(notebook, {"__name__": "guide"})):
        lines = printed.splitlines(keepends=True)
        cell["execution_count"] = number + 1
        cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": lines}] if lines else []
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


if __name__ == "__main__":
    store_outputs()
