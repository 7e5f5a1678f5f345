"""``lamina._C``: what libraries ask of the module in which PyTorch has its compiled code; lamina has `_core`."""  # noqa: N999

from __future__ import annotations

from ._core import Generator

__all__ = ["Generator"]


def _get_tracing_state() -> None:
    """None: nothing is ever traced for TorchScript."""


def _log_api_usage_once(event: str) -> None:
    """Nothing: lamina notes no one's habits."""
