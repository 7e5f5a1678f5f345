"""Shuffled channels, under the name that PyTorch's file has."""

from __future__ import annotations

from .rearranging import ChannelShuffle

__all__ = ["ChannelShuffle"]
