"""The machine's own limits, measured beside the contenders: FMA peak, read and copy bandwidth.

By a few loops in C (``machine.c``), compiled for this processor, where a C compiler is found; without one by what
NumPy gets out of a large product, a sum and a copy, which are lower bounds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

CACHE_MEGABYTES = 8


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Hardware")):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def _run(binary: str, kind: str, threads: int, megabytes: int, *trials: int) -> float:
    command = [binary, kind, str(threads), str(megabytes), *map(str, trials)]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def _compile(folder: str) -> str | None:
    compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    source, binary = Path(__file__).with_name("machine.c"), f"{folder}/machine"
    flags = ["-O3", "-march=native", "-ffp-contract=fast", "-pthread"]
    built = subprocess.run([compiler, *flags, str(source), "-o", binary], capture_output=True, check=False)
    return binary if built.returncode == 0 else None


def _by_loops(binary: str, threads: int, memory_megabytes: int) -> dict[str, Any]:
    return {
        "how": "loops in C, best of 60 trials, of 7 for memory",
        "fma_1": _run(binary, "fma", 1, 1),
        "fma_all": _run(binary, "fma", threads, 1),
        "read_cache": _run(binary, "read", threads, CACHE_MEGABYTES),
        "read_memory": _run(binary, "read", threads, memory_megabytes),
        "copy_memory": _run(binary, "copy", threads, memory_megabytes),
    }


def _by_numpy(memory_megabytes: int) -> dict[str, Any]:
    import numpy as np

    def rate(amount: float, work: Any) -> float:
        fastest = float("inf")
        for _ in range(7):
            begin = time.perf_counter()
            work()
            fastest = min(fastest, time.perf_counter() - begin)
        return amount / fastest * 1e-9

    square = np.ones((1536, 1536), np.float32)
    small = np.ones(CACHE_MEGABYTES * 250_000, np.float32)
    large = np.ones(memory_megabytes * 250_000, np.float32)
    target = np.ones_like(large)
    return {
        "how": "no C compiler found: what NumPy reaches, on one thread but for the product, a lower bound",
        "fma_1": None,
        "fma_all": rate(2 * 1536**3, lambda: square @ square),
        "read_cache": rate(small.nbytes, small.sum),
        "read_memory": rate(large.nbytes, large.sum),
        "copy_memory": rate(2 * large.nbytes, lambda: np.copyto(target, large)),
    }


def limits(threads: int, memory_megabytes: int) -> dict[str, Any]:
    """Rates in GFLOP/s (float32) and GB/s, on `threads` threads where the name says nothing else, and how found.

    `memory_megabytes` is the size of what is read and copied in memory; smaller than the last cache, it measures that.
    """
    with tempfile.TemporaryDirectory() as folder:
        binary = _compile(folder)
        found = _by_loops(binary, threads, memory_megabytes) if binary else _by_numpy(memory_megabytes)
    return {"processor": processor(), "threads": threads, **found}


class Gauge:
    """Whether the processors are ours: a millisecond of multiplications on all threads runs at nearly their peak.

    Others may take them without being seen: a virtual machine's processor may be half of a core.
    """

    ENOUGH = 0.85

    def __init__(self, threads: int, peak: float) -> None:
        """`peak` in GFLOP/s. Raises RuntimeError if there is no C compiler."""
        self.threads, self.peak = threads, peak
        self.folder = tempfile.TemporaryDirectory()
        binary = _compile(self.folder.name)
        if binary is None:
            raise RuntimeError("the gauge needs a C compiler")
        self.binary = binary

    def undisturbed(self) -> bool:
        return _run(self.binary, "fma", self.threads, 1, 1) >= self.ENOUGH * self.peak

    def wait(self, patience: float) -> bool:
        """Until undisturbed, for at most so many seconds."""
        end = time.perf_counter() + patience
        while not self.undisturbed():
            if time.perf_counter() > end:
                return False
            time.sleep(0.02)
        return True
