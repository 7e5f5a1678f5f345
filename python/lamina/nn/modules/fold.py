"""Patches, under the name that PyTorch's file has."""

from __future__ import annotations

from .rearranging import Fold, Unfold

__all__ = ["Fold", "Unfold"]
