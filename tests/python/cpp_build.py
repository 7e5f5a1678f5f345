"""Builds the C++ tests, once per session, for the test files that run them or look into their objects."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

__all__ = ["ROOT", "BuildError", "build", "kernels", "list_cases"]

ROOT = Path(__file__).resolve().parents[2]
# Another preset of CMakePresets.json (asan, tsan) runs the same tests under a sanitizer.
PRESET = os.environ.get("LAMINA_CPP_PRESET", "cpp-tests")


class BuildError(Exception):
    """The C++ tests could not be built; the text is what the tools said."""


def find_tool(name: str) -> str:
    """Path of a build tool: the test environment's own, which `pip install '.[test]'` brings, else the system's."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    found = shutil.which(name, path=path)
    if found is None:
        raise BuildError(f"{name} not found: install the test extra, pip install '.[test]'")
    return found


def run(*command: str, environment: dict[str, str]) -> None:
    """Run a tool in the checkout; raise BuildError with the end of its output if it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)}\nexit code {done.returncode}\n{done.stdout[-20000:]}")


def build() -> Path:
    """Configure and build the preset's tests in `build/<preset>`; return that directory.

    Takes a minute or two in a fresh checkout and a fraction of a second when nothing has changed; tried once a session.
    Raises BuildError.
    """
    result = build_once()
    if isinstance(result, BuildError):
        raise result
    return result


@functools.cache
def build_once() -> Path | BuildError:
    try:
        return configure_and_build()
    except BuildError as error:
        return error


def installed_layers() -> Path | None:
    """The directory with the libraries of all layers that the last installation from this checkout has compiled.

    They take longer to compile than the tests, and these are what users get. A sanitizer needs its own.
    """
    found = ROOT.glob("build/cp*/Release/csrc/liblamina_kernels.a") if PRESET == "cpp-tests" else ()
    newest = max(found, key=modified, default=None)
    return newest and newest.parent


def modified(path: Path) -> float:
    return path.stat().st_mtime


def configure_and_build() -> Path:
    directory = ROOT / "build" / PRESET
    directory.mkdir(parents=True, exist_ok=True)
    ninja = find_tool("ninja")
    # GoogleTest's sources are found under the environment's prefix. A sanitizer's LD_PRELOAD is not for compilers.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    environment["CMAKE_PREFIX_PATH"] = os.pathsep.join([sys.prefix, environment.get("CMAKE_PREFIX_PATH", "")])
    configure = ["--preset", PRESET, f"-DCMAKE_MAKE_PROGRAM={ninja}"]
    configure.append(f"-DLAMINA_COMPILED_LAYERS={installed_layers() or ''}")
    if os.environ.get("CI") and PRESET == "cpp-tests":  # instrumented code makes the compiler see ghosts
        configure.append("-DLAMINA_WERROR=ON")
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other sessions, or xdist's other workers
        run(find_tool("cmake"), *configure, environment=environment)
        run(ninja, "-C", str(directory), environment=environment)
    return directory


def kernels() -> Path:
    """The newest library of kernels: the installation's or the C++ tests', which are built if a source is newer.

    Raises BuildError.
    """
    sources = [path for layer in ("kernels", "support") for path in (ROOT / "csrc" / layer).iterdir()]
    library = compiled_kernels()
    if library is None or modified(library) < max(map(modified, sources)):
        build()
        library = compiled_kernels()
    assert library is not None
    return library


def compiled_kernels() -> Path | None:
    directories = [directory for directory in (ROOT / "build" / PRESET / "csrc", installed_layers()) if directory]
    found = (path for directory in directories for path in directory.glob("liblamina_kernels.a"))
    return max(found, key=modified, default=None)


def list_cases(binary: Path) -> list[str]:
    """Full names (`Suite.Case`, `Prefix/Suite.Case/0`) of a GoogleTest binary's cases."""
    done = subprocess.run([binary, "--gtest_list_tests"], text=True, capture_output=True, check=True)
    cases: list[str] = []
    suite = ""
    for line in done.stdout.splitlines():
        name = line.split("#", 1)[0].strip()  # after the # come the values of parameters
        if not line.startswith(" "):
            suite = name
        elif name:
            cases.append(suite + name)
    return cases
