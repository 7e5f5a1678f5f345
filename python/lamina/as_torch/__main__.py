"""Runs a program with lamina in PyTorch's place: ``python -m lamina.as_torch script.py …`` or ``… -m module …``."""

from __future__ import annotations

import os
import runpy
import sys

from . import install


def main() -> None:
    """Does what ``python`` does with the same arguments, after :func:`lamina.as_torch.install`."""
    match sys.argv[1:]:
        case ["-m", module, *arguments]:
            install()
            sys.argv = [module, *arguments]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case [script, *arguments] if not script.startswith("-"):
            install()
            sys.argv = [script, *arguments]
            if not getattr(sys.flags, "safe_path", False):
                sys.path[0] = os.path.dirname(os.path.realpath(script))
            runpy.run_path(script, run_name="__main__")
        case _:
            sys.exit("usage: python -m lamina.as_torch (script.py | -m module) [arguments]")


main()
