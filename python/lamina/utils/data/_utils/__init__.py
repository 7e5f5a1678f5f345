"""The loader's parts, under the name that programs import them by."""

from __future__ import annotations

from . import collate, worker

__all__ = ["collate", "worker"]
