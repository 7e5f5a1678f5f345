"""``torch._dynamo`` where nothing is traced: what libraries ask of it, `lamina.compiler` answers."""

from __future__ import annotations

from ....compiler import allow_in_graph, disable, is_compiling
from .eval_frame import OptimizedModule

__all__ = ["OptimizedModule", "allow_in_graph", "disable", "is_compiling", "reset"]


def reset() -> None:
    """Nothing to do: no traces are kept."""
