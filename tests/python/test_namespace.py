"""What ``lamina`` exports, when it loads what, and that every method the stub declares exists."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from inspect import isclass
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import get_type_hints

import pytest

import lamina
from lamina.functions.aliases import METHOD_ALIASES
from lamina.functions.inplace import IN_PLACE
from lamina.tensor_methods import METHODS

PACKAGE = Path(lamina.__file__).parent


def test_all_names_exist() -> None:
    assert len(set(lamina.__all__)) == len(lamina.__all__)
    for name in lamina.__all__:
        assert getattr(lamina, name, lamina) is not lamina, name
    assert set(lamina.__all__) <= set(dir(lamina))


def test_public_names_are_listed() -> None:
    own = {
        name for name, value in vars(lamina).items() if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert own - {"annotations", "TYPE_CHECKING"} <= set(lamina.__all__)


@pytest.mark.parametrize("name", ["quantize_per_tensor", "sparse_coo_tensor", "quint8", "int4"])
def test_what_there_is_not_is_absent(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        getattr(lamina, name)
    assert not hasattr(lamina.Tensor, name)


def test_the_classes_that_are_read_first_have_examples() -> None:
    nn = lamina.nn
    for kind in (lamina.Tensor, nn.Module, nn.Sequential, nn.Linear, nn.Conv2d, nn.LSTM, lamina.optim.Adam):
        assert ">>>" in (kind.__doc__ or ""), kind


def test_annotations_of_classes_name_what_is_there_at_run_time() -> None:
    """Libraries ask for the hints of modules' subclasses, and so of nn.Module."""
    seen = 0
    for found in walk_packages(lamina.__path__, "lamina."):
        if found.name.endswith("__main__"):
            continue
        for value in list(vars(import_module(found.name)).values()):
            if isclass(value) and value.__module__ == found.name:
                get_type_hints(value)
                seen += 1
    assert seen > 300


def test_constants_and_types() -> None:
    assert (lamina.float, lamina.double) == (lamina.float32, lamina.float64)
    assert (lamina.int, lamina.long) == (lamina.int32, lamina.int64)
    assert lamina.newaxis is None
    assert lamina.pi == pytest.approx(3.14159265)
    assert lamina.inf > 1e300
    assert repr(lamina.float32) == "torch.float32"
    assert repr(lamina.Size([2, 3])) == "torch.Size([2, 3])"


def _modules_after(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_import_loads_little() -> None:
    loaded = _modules_after("import lamina")
    assert "lamina._core" in loaded
    assert not loaded & {
        "numpy",
        "typing",
        "inspect",
        "dataclasses",
        "pickle",
        "tempfile",
        "lamina.io",
        "lamina.linalg",
    }


def test_computing_and_printing_need_no_numpy() -> None:
    statement = "import lamina; x = lamina.ones(3, requires_grad=True); repr(x.exp().sum()); (x * 2).sum().backward()"
    assert "numpy" not in _modules_after(statement)
    assert "numpy" in _modules_after("import lamina; lamina.ones(2).numpy()")


def test_subpackages_load_when_asked_for() -> None:
    assert "lamina.linalg" in _modules_after("import lamina; lamina.linalg")
    assert "lamina.nn" in _modules_after("import lamina; lamina.nn")
    assert "lamina.nn" in _modules_after("from lamina import nn")
    assert "lamina.io" in _modules_after("import lamina; lamina.save")


def _stub_class(name: str) -> dict[str, int]:
    """The methods that the stub of the extension module declares for a class, with their lines."""
    for node in ast.parse((PACKAGE / "_core.pyi").read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return {item.name: item.lineno for item in node.body if isinstance(item, ast.FunctionDef)}
    raise AssertionError(f"no class {name} in the stub")


def test_stub_declares_what_is_attached_and_no_more() -> None:
    declared = set(_stub_class("Tensor"))
    attached = {function.__name__ for function in METHODS} | {f"{function.__name__}_" for function in IN_PLACE}
    assert attached <= declared
    missing = [name for name in declared if not hasattr(lamina.Tensor, name)]
    assert not missing, "declared in _core.pyi, but not there"


def test_stub_functions_exist() -> None:
    for node in ast.parse((PACKAGE / "_core.pyi").read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name != "ValuesIndices":
            assert hasattr(lamina._core, node.name), node.name


def test_method_aliases() -> None:
    x = lamina.tensor([0.5, 0.25])
    for alias, native in METHOD_ALIASES:
        assert getattr(lamina.Tensor, alias) is getattr(lamina.Tensor, native) or alias in {"clip"}
    assert lamina.absolute(-x).tolist() == x.absolute().tolist() == x.tolist()
    assert x.clip(0.3).tolist() == [0.5, pytest.approx(0.3)]
    x.multiply_(2)
    assert x.tolist() == [1.0, 0.5]
    assert lamina.concat([x, x]).tolist() == [1.0, 0.5, 1.0, 0.5]


def test_small_functions() -> None:
    x = lamina.zeros(2, 3)
    assert lamina.is_tensor(x)
    assert not lamina.is_tensor([1])
    assert lamina.numel(x) == 6
    assert lamina.is_floating_point(x)
    assert not lamina.is_floating_point(lamina.arange(3))
    assert x.is_floating_point()
    assert lamina.is_nonzero(lamina.ones(1))
    with pytest.raises(RuntimeError):
        lamina.is_nonzero(x)


def test_sequence_protocol() -> None:
    x = lamina.arange(6).reshape(3, 2)
    assert len(x) == 3
    assert [row.tolist() for row in x] == [[0, 1], [2, 3], [4, 5]]
    assert [row.tolist() for row in reversed(x)] == [[4, 5], [2, 3], [0, 1]]
    assert 5 in x
    assert 7 not in x
    assert lamina.tensor(3) in x
    a, b, c = x
    b += 1
    assert x[1].tolist() == [3, 4]  # rows are views
    assert (a.tolist(), c.tolist()) == ([0, 1], [4, 5])
    with pytest.raises(TypeError, match="0-d"):
        len(lamina.tensor(1))
    with pytest.raises(TypeError, match="0-d"):
        iter(lamina.tensor(1))
    with pytest.raises(RuntimeError, match="only supports Tensor or scalar"):
        assert "text" in x  # type: ignore[comparison-overlap]


def test_there_is_no_gpu() -> None:
    assert (lamina.cuda.is_available(), lamina.cuda.device_count()) == (False, 0)
    with pytest.raises(RuntimeError, match="CPU only"):
        lamina.ones(1, device=lamina.device("cuda"))


def test_backends_are_not_there_and_their_settings_are_kept() -> None:
    backends = lamina.backends
    asked = (backends.cudnn, backends.mkldnn, backends.mkl, backends.mps, backends.openmp)
    assert not any(backend.is_available() for backend in asked)
    assert not backends.cuda.is_built()
    assert not backends.mps.is_built()
    assert backends.cudnn.version() is None
    with backends.cudnn.flags(benchmark=True):
        assert (backends.cudnn.enabled, backends.cudnn.benchmark) == (False, True)
    assert (backends.cudnn.enabled, backends.cudnn.benchmark) == (True, False)
    with backends.mkldnn.flags(enabled=False, deterministic=True):
        assert (backends.mkldnn.enabled, backends.mkldnn.deterministic) == (False, True)
    assert (backends.mkldnn.enabled, backends.mkldnn.deterministic) == (True, False)
