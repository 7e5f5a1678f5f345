"""``lamina.io``: tensors and what holds them, in files that PyTorch reads and writes too."""

from __future__ import annotations

from .loading import load
from .saving import save

__all__ = ["load", "save"]
