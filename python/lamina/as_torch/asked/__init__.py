"""What libraries only ask about: classes that nothing is of, types that no tensor has. It is there in PyTorch's place,
by the names of ``torch``, and not in lamina: a program's own question whether lamina has them gets the answer no."""

from __future__ import annotations

from ..._core import (
    float4_e2m1fn_x2,
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e5m2,
    float8_e5m2fnuz,
    float8_e8m0fnu,
    uint16,
    uint32,
    uint64,
)
from . import _dynamo, _subclasses, fx
from .symbols import SymBool, SymFloat, SymInt

__all__ = [
    "SymBool",
    "SymFloat",
    "SymInt",
    "_dynamo",
    "_subclasses",
    "float4_e2m1fn_x2",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "fx",
    "uint16",
    "uint32",
    "uint64",
]
