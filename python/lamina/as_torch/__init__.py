"""lamina in PyTorch's place: ``import torch`` gives lamina, in every library that is imported afterwards.

>>> import lamina.as_torch
>>> lamina.as_torch.install()
>>> import torch
>>> torch.nn is lamina.nn
True

``python -m lamina.as_torch script.py`` does this for a program that is not to be changed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

import lamina

__all__ = ["install"]

_PYTORCH = "2.13.0"  # whose names and behavior lamina has: docs/compatibility.md


def install() -> None:
    """Makes ``import torch`` give lamina, for the rest of the process. A second call does nothing.

    ``torch.nn`` is then ``lamina.nn``, the very module, and so on; what lamina lacks is absent, but for what libraries
    only ask about (`asked`). Only the package ``torch`` is an object of its own: it has another ``__version__``.

    Raises:
        RuntimeError: PyTorch has been imported already, so that some modules have it and others would have lamina.
    """
    present = sys.modules.get("torch")
    if isinstance(present, _Torch):
        return
    if present is not None:
        where = getattr(present, "__file__", None) or "somewhere else"
        raise RuntimeError(
            f"torch is already imported, from {where}: call lamina.as_torch.install() before anything imports torch"
        )
    version = ModuleType("torch.version", "What the package's __version__ is made of.")
    vars(version).update(__version__=_VERSION, cuda=None, debug=False, hip=None, xpu=None)
    torch = _Torch("torch", lamina.__doc__)
    torch.__spec__ = ModuleSpec("torch", None, origin=lamina.__file__, is_package=True)
    torch.torch = torch  # type: ignore[attr-defined]  # programs write torch.torch.ones, too
    vars(torch).update(__file__=lamina.__file__, __package__="torch", __version__=_VERSION, version=version)
    sys.modules["torch"] = torch
    sys.modules["torch.version"] = version
    sys.meta_path.insert(0, _Finder())


class _Torch(ModuleType):
    """The package ``torch``: lamina's attributes, and its own version."""

    def __getattr__(self, name: str) -> object:
        try:
            value = getattr(lamina, name)
        except AttributeError:
            from . import asked

            if name not in asked.__all__:
                raise
            return getattr(asked, name)
        if name in vars(lamina):  # else it is made anew at each look, like torch.Storage
            vars(self)[name] = value
        return value

    def __dir__(self) -> list[str]:
        return [*dir(lamina), "version"]


class _Finder(MetaPathFinder, Loader):
    """Finds ``torch.x.y`` as the module ``lamina.x.y``, and ``functorch``, which PyTorch brings along, as ``func``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not (fullname.startswith("torch.") or fullname == "functorch"):
            return None
        found = _found(fullname)
        if found is None:
            return None
        return ModuleSpec(fullname, self, origin=found.origin, is_package=found.submodule_search_locations is not None)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        found = _found(spec.name)
        assert found is not None
        module = import_module(found.name)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The module has run as lamina's. Importing it by another name put that name's spec into it, and nothing else.
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state


def _found(name: str) -> ModuleSpec | None:
    """Lamina's module for this one of PyTorch's, or what stands for it in `asked`."""
    rest = ".func" if name == "functorch" else name.removeprefix("torch")
    for place in ("lamina", "lamina.as_torch.asked"):
        try:
            found = find_spec(place + rest)
        except ModuleNotFoundError:  # the package that it would be in
            continue
        if found is not None:
            return found
    return None


class _Version(str):
    """A version that compares by its numbers, as PyTorch's does: 2.13 comes after 2.9."""

    __slots__ = ()

    def __lt__(self, other: object) -> bool:
        return _release(self) < _release(other)

    def __le__(self, other: object) -> bool:
        return _release(self) <= _release(other)

    def __gt__(self, other: object) -> bool:
        return _release(self) > _release(other)

    def __ge__(self, other: object) -> bool:
        return _release(self) >= _release(other)


def _release(version: object) -> tuple[int, ...]:
    parts = version if isinstance(version, tuple) else re.split(r"[^\d.]", str(version))[0].split(".")
    return tuple(int(part) for part in parts if part != "")


_VERSION = _Version(f"{_PYTORCH}+lamina.{lamina.__version__}")
