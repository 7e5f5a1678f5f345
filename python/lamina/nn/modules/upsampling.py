"""Resizing, under the name that PyTorch's file has."""

from __future__ import annotations

from .rearranging import Upsample, UpsamplingBilinear2d, UpsamplingNearest2d

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]
