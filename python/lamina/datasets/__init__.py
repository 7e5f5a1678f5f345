"""Small real data sets that ship with the package: for examples, tests and first steps."""

from __future__ import annotations

from .digits import Digits, load_digits

__all__ = ["Digits", "load_digits"]
