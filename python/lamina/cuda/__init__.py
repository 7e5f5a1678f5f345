"""``lamina.cuda``: the answers to code that asks for GPUs. There are none."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import amp

__all__ = ["amp", "device_count", "empty_cache", "is_available", "manual_seed", "manual_seed_all"]


def is_available() -> bool:
    """False: lamina computes on the CPU."""
    return False


def device_count() -> int:
    """0, so that loops over GPUs do nothing."""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing to do: there is no GPU whose numbers could be seeded. `lamina.manual_seed` seeds those there are."""


def manual_seed_all(seed: int) -> None:
    """As `manual_seed`, for all of no GPUs."""


def empty_cache() -> None:
    """Nothing to do: no GPU's memory is kept."""


def __getattr__(name: str) -> object:
    if name == "amp":
        from importlib import import_module

        return import_module(f"{__name__}.amp")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
