"""``lamina.as_torch``: what ``import torch`` gives. In processes of their own, because it holds for a whole process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import lamina

ROOT = Path(__file__).resolve().parents[2]
PYTORCH = "__version__ = '2.0.0'\n"  # what is found under the name torch where PyTorch is installed


@pytest.fixture
def run(tmp_path: Path):
    """Runs Python with arguments in a folder that is searched for modules, and gives what it printed."""

    def call(*arguments: str, status: int = 0) -> str:
        path = os.pathsep.join([str(tmp_path), str(Path(lamina.__file__).parents[1])])
        result = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
        )
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout if status == 0 else result.stderr

    return call


def installed(code: str) -> tuple[str, str]:
    return "-c", "import lamina.as_torch; lamina.as_torch.install()\n" + textwrap.dedent(code)


def test_modules_are_laminas_own(run) -> None:
    run(
        *installed("""
        import sys
        import torch
        import torch.nn.functional as F
        from torch import nn
        from torch.optim.lr_scheduler import StepLR
        from torch.utils.data import DataLoader
        import lamina.nn.functional

        assert F is lamina.nn.functional and nn is lamina.nn is torch.nn
        assert torch.Tensor is lamina.Tensor and torch.linalg is lamina.linalg
        aliases = [name for name in sys.modules if name.startswith("torch.") and name != "torch.version"]
        assert {"torch.nn", "torch.nn.functional", "torch.optim.lr_scheduler", "torch.utils.data"} <= set(aliases)
        for alias in aliases:
            name = alias.replace("torch", "lamina", 1)
            module = sys.modules[alias]
            assert module is sys.modules[name], alias
            assert module.__name__ == module.__spec__.name == name, alias
            assert not module.__spec__._initializing
        """)
    )


def test_package_has_laminas_attributes(run) -> None:
    run(
        *installed("""
        import torch
        from torch import *  # by __all__
        assert relu is lamina.relu and load is lamina.load
        assert torch.Storage is lamina.Storage is torch.FloatStorage
        torch.set_default_dtype(torch.float64)
        assert torch.Storage is torch.DoubleStorage
        assert set(lamina.__all__) <= set(dir(torch))
        assert torch.__file__ == lamina.__file__ and repr(torch).startswith("<module 'torch' (/")
        """)
    )


def test_version_names_both(run) -> None:
    run(
        *installed("""
        import torch
        from torch.version import __version__, cuda
        assert lamina.__version__ == "0.1.0"
        assert __version__ is torch.__version__ and cuda is None
        assert torch.__version__ == "2.13.0+lamina." + lamina.__version__
        assert torch.__version__ >= "2.9" and torch.__version__ > "1.13.1+cpu" and torch.__version__ >= (1, 8)
        assert torch.__version__ < "2.14.0a0" and torch.__version__ <= "3" and not torch.__version__ < "2.13"
        assert torch.__version__.split("+")[0].split(".") == ["2", "13", "0"]
        """)
    )
    assert "PyTorch 2.13's" in (ROOT / "docs" / "compatibility.md").read_text()


def test_what_lamina_lacks_is_absent(run) -> None:
    run(
        *installed("""
        import importlib.util
        import torch
        assert importlib.util.find_spec("torch").name == "torch"
        assert importlib.util.find_spec("torch.sparse") is None
        assert not hasattr(torch, "quint8")
        """)
    )
    assert "No module named 'torch.sparse'" in run(*installed("import torch.sparse"), status=1)
    message = run(*installed("from torch import quint8"), status=1)
    assert f"cannot import name 'quint8' from 'torch' ({lamina.__file__})" in message


def test_questions_about_what_there_is_only_one_or_none_of(run) -> None:
    run(
        *installed("""
        import contextlib
        import torch
        import torch._dynamo
        import torch.fx
        from torch._dynamo._trace_wrapped_higher_order_op import TransformGetItemToIndex
        from torch.distributed.tensor import DTensor
        net = torch.nn.Linear(2, 2)
        for kind in (torch._dynamo.eval_frame.OptimizedModule, torch.nn.parallel.DistributedDataParallel):
            assert not isinstance(torch.compile(net), kind)
        assert not isinstance(net.weight, (torch.fx.Proxy, DTensor))
        with TransformGetItemToIndex():
            table = torch.arange(4)
            assert torch.vmap(lambda i: table[i])(torch.tensor([3, 0])).tolist() == [3, 0]
        from torch._subclasses.fake_tensor import is_fake
        from torch.fx.experimental.proxy_tensor import get_proxy_mode
        assert not is_fake(table)
        assert get_proxy_mode() is None
        assert not isinstance(3, torch.SymInt)
        assert torch.fx.wrap(len) is len
        sizes = {"F8_E4M3": torch.float8_e4m3fn, "U16": torch.uint16}
        import lamina
        for name in ("fx", "_dynamo", "SymInt", "float8_e4m3fn", "uint16"):
            assert hasattr(torch, name)
            assert not hasattr(lamina, name)
        assert torch.torch is torch
        torch._dynamo.reset()
        assert torch._dynamo.disable(net) is net
        with contextlib.suppress(ValueError):
            torch.nn.parallel.DistributedDataParallel(net)
            raise SystemExit("there are no groups of processes")
        """)
    )


def test_pytorch_that_is_imported_already_is_refused(run, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text(PYTORCH)
    message = run("-c", "import torch, lamina.as_torch; lamina.as_torch.install()", status=1)
    assert f"RuntimeError: torch is already imported, from {tmp_path}" in message


def test_pytorch_that_is_only_installed_is_not_imported(run, tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(PYTORCH)
    (tmp_path / "torch" / "sparse.py").write_text("")
    run(
        *installed("""
        import lamina.as_torch
        lamina.as_torch.install()  # again: nothing
        import torch
        assert torch.nn is lamina.nn
        """)
    )
    assert "No module named 'torch.sparse'" in run(*installed("import torch.sparse"), status=1)


LIBRARY = """
import torch
from torch import nn

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))

def fit(net, X, y):
    for batch in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), batch_size=4, num_workers=2):
        loss = nn.functional.mse_loss(net(batch[0]), batch[1])
        loss.backward()
    return loss.item()
"""

SCRIPT = """
import sys
import torch
import library

if __name__ == "__main__":
    print(type(library.fit(library.Net(), torch.rand(8, 2), torch.rand(8, 1))).__name__, *sys.argv[1:])
    sys.exit(3 if "fail" in sys.argv else 0)
"""


@pytest.fixture
def library(tmp_path: Path) -> None:
    (tmp_path / "library.py").write_text(LIBRARY)
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "script.py").write_text(SCRIPT)


@pytest.mark.usefixtures("library")
def test_command_runs_scripts_and_modules(run) -> None:
    assert run("-m", "lamina.as_torch", "program/script.py", "a", "-b") == "float a -b\n"
    assert run("-m", "lamina.as_torch", "-m", "program.script", "-m") == "float -m\n"
    run("-m", "lamina.as_torch", "program/script.py", "fail", status=3)


def test_command_finds_what_lies_beside_the_script(run, tmp_path: Path) -> None:
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "beside.py").write_text("from torch import nn")
    (tmp_path / "program" / "script.py").write_text("import beside, sys; print(beside.nn.Linear.__name__, __file__)")
    assert run("-m", "lamina.as_torch", "program/script.py") == "Linear program/script.py\n"


@pytest.mark.parametrize("arguments", [[], ["-m"], ["-c", "pass"]])
def test_command_says_what_it_takes(run, arguments: list[str]) -> None:
    assert run("-m", "lamina.as_torch", *arguments, status=1).startswith("usage: python -m lamina.as_torch")


def test_functorch_is_func(run) -> None:
    assert run(*installed("import functorch; import lamina; print(functorch is lamina.func)")) == "True\n"
