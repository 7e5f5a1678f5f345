"""Invertible functions of random variables, with the logarithm of what they stretch volumes by."""

from __future__ import annotations

from .composed import ComposeTransform, IndependentTransform
from .elementwise import (
    AffineTransform,
    ExpTransform,
    PowerTransform,
    SigmoidTransform,
    SoftplusTransform,
    TanhTransform,
)
from .transform import Transform

__all__ = [
    "AffineTransform",
    "ComposeTransform",
    "ExpTransform",
    "IndependentTransform",
    "PowerTransform",
    "SigmoidTransform",
    "SoftplusTransform",
    "TanhTransform",
    "Transform",
]
