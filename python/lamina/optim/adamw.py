"""AdamW, under the name that PyTorch's file has."""

from __future__ import annotations

from .adam import AdamW

__all__ = ["AdamW"]
