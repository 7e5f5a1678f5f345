"""Numbers that stand for any in PyTorch's traces, asked about beside Python's. Here no number is one."""

from __future__ import annotations

__all__ = ["SymBool", "SymFloat", "SymInt"]


class SymInt:
    """A whole number that is not known yet."""


class SymFloat:
    """A floating point number that is not known yet."""


class SymBool:
    """A truth value that is not known yet."""
