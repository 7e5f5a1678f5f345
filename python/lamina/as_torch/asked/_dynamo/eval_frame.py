"""The question whether a module is what PyTorch's `compile` gives."""

from __future__ import annotations

from ....nn import Module

__all__ = ["OptimizedModule"]


class OptimizedModule(Module):
    """What `compile` makes of a module in PyTorch. Here it gives back the module, so none is one."""
