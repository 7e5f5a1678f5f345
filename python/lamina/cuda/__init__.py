"""``lamina.cuda``: the answers to code that asks for GPUs. There are none."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from .._core import Tensor
    from . import amp

__all__ = [
    "amp",
    "current_device",
    "device_count",
    "empty_cache",
    "get_rng_state_all",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "reset_max_memory_allocated",
    "reset_peak_memory_stats",
    "synchronize",
]


def is_available() -> bool:
    """False: lamina computes on the CPU."""
    return False


def is_initialized() -> bool:
    """False, as `is_available`."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False: no GPU supports anything."""
    return False


def device_count() -> int:
    """0, so that loops over GPUs do nothing."""
    return 0


def current_device() -> NoReturn:
    """RuntimeError: none is current."""
    _refuse("current_device")


def synchronize(device: Any = None) -> NoReturn:
    """RuntimeError, as PyTorch's where there is no GPU: `lamina.cpu.synchronize` waits for nothing."""
    _refuse("synchronize")


def _refuse(name: str) -> NoReturn:
    raise RuntimeError(f"cuda.{name}(): lamina computes on the CPU only; ask cuda.is_available() first")


def manual_seed(seed: int) -> None:
    """Nothing to do: there is no GPU whose numbers could be seeded. `lamina.manual_seed` seeds those there are."""


def manual_seed_all(seed: int) -> None:
    """As `manual_seed`, for all of no GPUs."""


def get_rng_state_all() -> list[Tensor]:
    """The states of no generators."""
    return []


def empty_cache() -> None:
    """Nothing to do: no GPU's memory is kept."""


def memory_allocated(device: Any = None) -> int:
    """0 bytes of a GPU. `lamina.memory_stats` counts those of the CPU."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def reset_peak_memory_stats(device: Any = None) -> None:
    """Nothing to do: the peak is 0. `lamina.reset_peak_memory_stats` is the CPU's."""


reset_max_memory_allocated = reset_peak_memory_stats


def __getattr__(name: str) -> object:
    if name == "amp":
        from importlib import import_module

        return import_module(f"{__name__}.amp")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
