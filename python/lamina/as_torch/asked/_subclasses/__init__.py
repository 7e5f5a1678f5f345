"""``torch._subclasses``: the kinds of tensors with which PyTorch traces programs."""

from __future__ import annotations

from . import fake_tensor

__all__ = ["fake_tensor"]
