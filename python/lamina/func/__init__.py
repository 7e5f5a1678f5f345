"""``lamina.func``: functions of functions, and modules as functions of their parameters."""

from __future__ import annotations

from .functional_call import functional_call

__all__ = ["functional_call"]
