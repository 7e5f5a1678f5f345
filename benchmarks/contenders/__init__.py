"""Who competes: each is a module here with ``make(threads)``, and the packages it cannot do without.

What ``make`` returns has one method for each kind of workload (see ``workloads.py``) that it takes part in. A method
prepares a run with the same numbers for everybody (``arrays.py``) and returns it as a ``Prepared``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True)
class Prepared:
    """A workload ready to run."""

    run: Callable[[], Any]
    """Does the work once; when it returns, every number that somebody could look at has been computed."""

    probe: Callable[[], Any]
    """Runs once or twice and returns numbers that must agree between contenders, as an array or what makes one."""


MODULES = {
    "lamina": ("with_lamina", ("lamina",)),
    "numpy": ("with_numpy", ("numpy",)),
    "torch": ("with_torch", ("torch",)),
    "torch.compile": ("with_torch_compile", ("torch",)),
    "jax": ("with_jax", ("jax",)),
    "onnxruntime": ("with_onnxruntime", ("onnx", "onnxruntime")),
}


def installed() -> list[str]:
    """The contenders whose packages are there, lamina first."""
    return [name for name, (_, packages) in MODULES.items() if all(map(find_spec, packages))]
