"""What ``import`` costs beyond the bare interpreter: time and memory of fresh processes, in alternation."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from importlib.util import find_spec
from statistics import median

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
COLUMNS = ("seconds", "cpu_seconds", "megabytes")


def _start(statement: str) -> tuple[float, float, float]:
    """A process from start to end: seconds, seconds on a processor, and peak resident memory in MB."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    # Installed packages come with their byte code; a tree on the path must be allowed to keep it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", f"{statement}\n{PEAK}"]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu_seconds, int(done.stdout) * 1024e-6


def import_costs(rounds: int, packages: list[str]) -> dict[str, dict[str, float]]:
    """For each package: medians beyond the bare interpreter, whose own come first. A cold start does not count."""
    wanted = ["bare interpreter", "lamina", "lamina with nn and optim", *packages]
    names = [name for name in STATEMENTS if name in wanted and (name not in packages or find_spec(name))]
    for name in names:
        _start(STATEMENTS[name])
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            found[name].append(_start(STATEMENTS[name]))
    bare = found["bare interpreter"]
    nothing = [(0.0, 0.0, 0.0)] * rounds
    return {name: _beyond(costs, nothing if name == names[0] else bare) for name, costs in found.items()}


def _beyond(costs: list[tuple[float, float, float]], base: list[tuple[float, float, float]]) -> dict[str, float]:
    return {
        column: median(mine[i] - theirs[i] for mine, theirs in zip(costs, base)) for i, column in enumerate(COLUMNS)
    }
