"""The table of composed functions: calls with operands, what NumPy says, and whether a gradient is checked."""

from __future__ import annotations

from .indexing import INDEXING
from .more import MORE
from .oscillating import OSCILLATING
from .pointwise import POINTWISE
from .products import LINALG, PRODUCTS
from .reducing import REDUCING
from .row import Row
from .shaping import MATRICES, SHAPING
from .special import SPECIAL

__all__ = ["ROWS", "Row"]

ROWS: tuple[Row, ...] = (
    *POINTWISE,
    *SHAPING,
    *MATRICES,
    *INDEXING,
    *REDUCING,
    *PRODUCTS,
    *LINALG,
    *MORE,
    *SPECIAL,
    *OSCILLATING,
)
