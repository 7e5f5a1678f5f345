"""``lamina.xpu``: the answers to code that asks for Intel's GPUs. There are none, as in `lamina.cuda`."""

from __future__ import annotations

from .cuda import device_count, empty_cache, is_available, manual_seed, manual_seed_all

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "manual_seed_all"]
