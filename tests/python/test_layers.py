"""The layers point one way: reads includes, imports and objects, and fails where one reaches up.

The tables here are the design's list of layers; csrc/CMakeLists.txt links by the same list.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cpp_build import BuildError, kernels

ROOT = Path(__file__).resolve().parents[2]
CSRC = ROOT / "csrc"
PACKAGE = ROOT / "python" / "lamina"

# What a layer may include besides itself: what it links, and what those may include.
CPP_LAYERS: dict[str, set[str]] = {
    "support": set(),
    "graph": {"support"},
    "ops": {"graph", "support"},
    "autograd": {"ops", "graph", "support"},
    "plan": {"support"},
    "compile": {"ops", "graph", "plan", "support"},
    "kernels": {"support"},
    "runtime": {"plan", "kernels", "support"},
    "engine": {"compile", "autograd", "ops", "graph", "runtime", "plan", "kernels", "support"},
    "functions": {"engine", "compile", "autograd", "ops", "graph", "runtime", "plan", "kernels", "support"},
    "bindings": {"functions", "engine", "compile", "autograd", "ops", "graph", "runtime", "plan", "kernels", "support"},
}

# Compiled once for each instruction set: an inline function of a shared header could be the copy that the linker keeps,
# and then run on a CPU that cannot. These headers hold types and macros only, or intrinsics.
KERNEL_SYSTEM_HEADERS = {"cstddef", "cstdint", "immintrin.h", "arm_neon.h"}

SOURCE_SUFFIXES = {".h", ".cpp", ".inc", ".py"}
MAX_LINES = 400
VAGUE_NAMES = {"utils", "util", "common", "misc", "helpers", "helper", "manager"}


def cpp_sources() -> list[Path]:
    return sorted(path for path in CSRC.rglob("*") if path.suffix in {".h", ".cpp", ".inc"})


def includes(path: Path) -> Iterator[tuple[str, bool]]:
    """The header names a file includes, each with whether it is one of the project's."""
    for quoted, angled in re.findall(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', path.read_text(), re.MULTILINE):
        yield (quoted, True) if quoted else (angled, False)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_directory_is_a_layer() -> None:
    directories = {path.relative_to(CSRC).parts[0] for path in cpp_sources()}
    assert directories <= CPP_LAYERS.keys()


def test_layers_have_no_cycle() -> None:
    for layer, uses in CPP_LAYERS.items():
        for used in uses:
            assert layer not in CPP_LAYERS[used], f"{layer} and {used} use each other"
            assert CPP_LAYERS[used] <= uses, f"{layer} uses {used}, but not all that {used} uses"


@pytest.mark.parametrize("layer", CPP_LAYERS)
def test_includes_reach_down_only(layer: str) -> None:
    breaches = []
    for path in cpp_sources():
        if path.relative_to(CSRC).parts[0] != layer:
            continue
        for name, own in includes(path):
            if not own:
                if name.startswith(("Python.h", "pybind11/")) and layer != "bindings":
                    breaches.append(f"{relative(path)} includes <{name}>: Python is for bindings only")
            elif not (CSRC / name).is_file():
                breaches.append(f'{relative(path)} includes "{name}", which is no path below csrc/')
            elif (target := Path(name).parts[0]) != layer and target not in CPP_LAYERS[layer]:
                breaches.append(f'{relative(path)} includes "{name}": {layer} may not use {target}')
    assert not breaches, "\n".join(breaches)


def test_instruction_set_sources_use_no_shared_code() -> None:
    reached: dict[Path, Path] = {path: path for path in CSRC.glob("kernels/isa_*.cpp")}
    pending = list(reached)
    breaches = []
    while pending:
        path = pending.pop()
        for name, own in includes(path):
            if not own and name not in KERNEL_SYSTEM_HEADERS:
                breaches.append(f"{relative(path)} includes <{name}>, and {relative(reached[path])} is built with it")
            elif own and CSRC / name not in reached:
                reached[CSRC / name] = reached[path]
                pending.append(CSRC / name)
    assert not breaches, "\n".join(breaches)


def test_instruction_set_objects_export_no_weak_symbol() -> None:
    nm = shutil.which("nm")
    assert nm is not None, "nm not found: it comes with the compiler (binutils)"
    try:
        library = kernels()
    except BuildError:
        pytest.fail("the C++ code was not built: see test_cpp.py::test_build", pytrace=False)
    listing = subprocess.run([nm, "-C", library], text=True, capture_output=True, check=True).stdout
    # An archive's listing: a line with the object's name and a colon, its symbols, an empty line.
    objects = dict(re.findall(r"^(isa_\w+\.cpp\.o):\n(.*?)(?:\n\n|\Z)", listing, re.M | re.S))
    assert "isa_base.cpp.o" in objects
    breaches = []
    for name, symbols in objects.items():
        assert re.search(r" [DRT] ", symbols), f"{name} defines nothing"
        # W, V: weak; u: unique. All three let the linker keep one instruction set's copy for everybody.
        breaches += [f"{name}: {symbol}" for symbol in re.findall(r"^[0-9a-f]* +[WwVvu] .*", symbols, re.M)]
    assert not breaches, "\n".join(breaches)


def python_layer(module: str) -> str:
    """The layer of a module: the package itself, a sub-package, _core, or `tensor` for the modules beside it."""
    parts = module.split(".")
    if len(parts) == 1:
        return "lamina"
    return parts[1] if parts[1] in PYTHON_LAYERS else "tensor"


# nn, optim, utils, … → tensor (all modules right below lamina) → _core. The package's own __init__ gathers everything.
PYTHON_LAYERS: dict[str, set[str]] = {
    "_core": set(),
    "tensor": {"_core"},
    "nn": {"tensor", "_core"},
    "optim": {"nn", "tensor", "_core"},
    "func": {"nn", "tensor", "_core"},
    "distributions": {"nn", "tensor", "_core"},
    "utils": {"tensor", "_core"},
    "datasets": {"utils", "tensor", "_core"},
    "io": {"nn", "tensor", "_core"},
    "serialization": {"io"},
    "hub": {"serialization"},
    "jit": {"nn"},
    "lamina": {
        "nn",
        "optim",
        "func",
        "distributions",
        "utils",
        "datasets",
        "io",
        "serialization",
        "jit",
        "tensor",
        "_core",
    },
    "as_torch": {"lamina", "nn", "tensor", "_core"},
}
# Within nn: what is written in terms of numbers comes before what is written in terms of modules.
NN_BELOW_MODULES = {"functional", "init", "parameter"}


def python_sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return name == "lamina._core" or path.is_dir() or path.with_suffix(".py").is_file()


def for_type_checkers_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(path: Path) -> Iterator[str]:
    """Dotted names of the lamina modules that a file imports, anywhere in it, but for type checkers only."""
    module = module_name(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "lamina")
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, *([base] if base else [])])
            if base.split(".")[0] == "lamina":
                for alias in node.names:
                    full = f"{base}.{alias.name}"
                    yield full if is_module(full) else base
        pending += node.orelse if for_type_checkers_only(node) else ast.iter_child_nodes(node)


@pytest.mark.parametrize("path", python_sources(), ids=relative)
def test_imports_reach_down_only(path: Path) -> None:
    module = module_name(path)
    layer = python_layer(module)
    for target in imports(path):
        used = python_layer(target)
        assert used == layer or used in PYTHON_LAYERS[layer], f"{module} imports {target}: {layer} may not use {used}"
        if layer == "nn" and module.split(".")[2:3] and module.split(".")[2] in NN_BELOW_MODULES and used == "nn":
            assert target.split(".")[2:3], f"{module} imports {target}, which gathers the modules built on it"
            assert target.split(".")[2] in NN_BELOW_MODULES, f"{module} imports {target}, a level up within nn"


def own_sources() -> list[Path]:
    folders = ("csrc", "python", "tests", "examples", "benchmarks")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in SOURCE_SUFFIXES)


def test_no_vague_file_name() -> None:
    vague = [relative(path) for path in own_sources() if path.stem in VAGUE_NAMES]
    assert not vague


def test_no_source_file_is_too_long() -> None:
    counts = {relative(path): len(path.read_text().splitlines()) for path in own_sources()}
    long = {name: count for name, count in counts.items() if count > MAX_LINES}
    assert not long, f"split these: {long}"


def test_every_source_file_says_its_job() -> None:
    silent = []
    for path in own_sources():
        text = path.read_text()
        if path.suffix == ".py":
            says = not text.strip() or ast.get_docstring(ast.parse(text)) is not None
        else:
            says = text.startswith("// ")
        if not says:
            silent.append(relative(path))
    assert not silent, "these do not begin with a sentence on their job"
