"""What an installation must hold and cost: files, dependencies, exported symbols, the time and memory of the import."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lamina
from lamina import _core

PACKAGE = Path(lamina.__file__).parent
EXTENSION = Path(_core.__file__)

IMPORT_SECONDS = 0.030
OF_ASYNCIO = 0.75  # of the time of `import asyncio`, 40 ms where lamina takes 14
IMPORT_BYTES = 15e6

# Run in a fresh interpreter: what importing a module adds to it. Processor time: the machine may be busy.
MEASURE_IMPORT = """
import importlib, json, sys, time
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
before, start = resident(), time.process_time()
importlib.import_module(sys.argv[1])
seconds, after = time.process_time() - start, resident()
print(json.dumps({"seconds": seconds, "bytes": after - before, "modules": sorted(sys.modules)}))
"""


def import_alone(module: str) -> dict[str, Any]:
    command = [sys.executable, "-c", MEASURE_IMPORT, module]
    measured: dict[str, Any] = json.loads(subprocess.run(command, text=True, capture_output=True, check=True).stdout)
    return measured


def tool(name: str, *arguments: str | Path) -> str:
    path = shutil.which(name)
    assert path is not None, f"{name} not found: it comes with the compiler (binutils)"
    return subprocess.run([path, *arguments], text=True, capture_output=True, check=True).stdout


def test_version_is_the_metadata_version() -> None:
    assert lamina.__version__ == importlib.metadata.version("lamina")


def test_numpy_is_the_only_dependency() -> None:
    requirements = importlib.metadata.requires("lamina") or []
    needed = [requirement for requirement in requirements if "extra ==" not in requirement]
    assert [re.match(r"[\w-]+", requirement)[0] for requirement in needed] == ["numpy"]


@pytest.mark.parametrize("name", ["py.typed", "_core.pyi", "datasets/data"])
def test_package_holds(name: str) -> None:
    path = PACKAGE / name
    assert path.exists()
    assert not path.is_dir() or any(path.iterdir())


def test_extension_exports_its_entry_only() -> None:
    lines = tool("nm", "-D", "--defined-only", EXTENSION).splitlines()
    names = {line.split()[-1].split("@")[0] for line in lines}
    own = {name for name in names if "lamina" in name or name.startswith("PyInit")}
    assert own == {"PyInit__core"}


def test_extension_needs_system_libraries_only() -> None:
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", tool("readelf", "-d", EXTENSION))
    sanitizers = {"libasan.so.8", "libubsan.so.1", "libtsan.so.2"}
    assert {name for name in needed if name not in sanitizers} <= {
        "libc.so.6",
        "libm.so.6",
        "libpthread.so.0",
        "libstdc++.so.6",
        "libgcc_s.so.1",
        "ld-linux-x86-64.so.2",
        "ld-linux-aarch64.so.1",
    }


def test_import_is_light() -> None:
    # The best of several: the first may have to write byte code. For seconds on end a virtual machine's host may make
    # every fresh page dear, of which a module of the standard library then tells.
    runs = [import_alone("lamina") for _ in range(7)]
    fastest = min(run["seconds"] for run in runs)
    if fastest > IMPORT_SECONDS:
        pairs = [(import_alone("lamina")["seconds"], import_alone("asyncio")["seconds"]) for _ in range(15)]
        seconds, of_asyncio = map(min, zip(*pairs))
        assert min(fastest, seconds) <= max(IMPORT_SECONDS, OF_ASYNCIO * of_asyncio)
    assert min(run["bytes"] for run in runs) <= IMPORT_BYTES
    assert "numpy" not in runs[0]["modules"], "NumPy is imported when an array first goes in or out"
