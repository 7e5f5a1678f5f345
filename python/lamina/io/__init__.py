"""``lamina.io``: tensors and what holds them, in files."""

from .loading import load
from .saving import save

__all__ = ["load", "save"]
