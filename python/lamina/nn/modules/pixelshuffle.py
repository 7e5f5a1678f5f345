"""Pixels to channels and back, under the name that PyTorch's file has."""

from __future__ import annotations

from .rearranging import PixelShuffle, PixelUnshuffle

__all__ = ["PixelShuffle", "PixelUnshuffle"]
