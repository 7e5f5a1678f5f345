"""What ``import`` costs beyond the bare interpreter: time and memory of fresh processes, in alternation."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.util import find_spec
from statistics import median
from typing import Any

# VmHWM, not ru_maxrss: the latter remembers what the parent held when the process was started.
PEAK = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
STATEMENTS = {
    "bare interpreter": "pass",
    "lamina": "import lamina",
    "lamina with nn and optim": "import lamina, lamina.nn, lamina.optim",
    "numpy": "import numpy",
    "torch": "import torch",
    "jax": "import jax",
    "onnxruntime": "import onnxruntime",
}


def _start(statement: str) -> tuple[float, float]:
    """Seconds from start to end of the process, and its peak resident memory in MB."""
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", f"{statement}\n{PEAK}"], capture_output=True, check=True, text=True)
    return time.perf_counter() - begin, int(done.stdout) * 1024e-6


def import_costs(rounds: int, packages: list[str]) -> dict[str, Any]:
    """For each package: median seconds and MB beyond the bare interpreter. The first, cold start is not counted."""
    wanted = ["bare interpreter", "lamina", "lamina with nn and optim", *packages]
    names = [name for name in STATEMENTS if name in wanted and (name not in packages or find_spec(name))]
    for name in names:
        _start(STATEMENTS[name])
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            found[name].append(_start(STATEMENTS[name]))
    bare = found["bare interpreter"]
    return {
        name: {
            "seconds": median(time for time, _ in costs) if name == names[0] else _beyond(costs, bare, 0),
            "megabytes": median(memory for _, memory in costs) if name == names[0] else _beyond(costs, bare, 1),
        }
        for name, costs in found.items()
    }


def _beyond(costs: list[tuple[float, float]], bare: list[tuple[float, float]], column: int) -> float:
    return median(mine[column] - base[column] for mine, base in zip(costs, bare))
