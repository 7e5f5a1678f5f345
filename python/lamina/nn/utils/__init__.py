"""``lamina.nn.utils``: what is done to modules from outside, under PyTorch's names."""

from __future__ import annotations

from . import stateless

__all__ = ["stateless"]
