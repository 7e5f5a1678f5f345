"""Type aliases for annotations; imported by type checkers only."""

from __future__ import annotations

from typing import TypeAlias

from ._core import Tensor
from .devices import device

__all__ = ["Device", "Number", "Scalar"]

Number: TypeAlias = int | float | bool
Scalar: TypeAlias = Tensor | int | float | bool
Device: TypeAlias = device | str | None
