"""Whether autocast is on, for which device and in which type: each thread has its own answers."""

from __future__ import annotations

from threading import local

from .. import _core
from .._warning import warn_caller
from ..devices import device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._core import dtype as DType

__all__ = [
    "autocast_decrement_nesting",
    "autocast_increment_nesting",
    "clear_autocast_cache",
    "get_autocast_cpu_dtype",
    "get_autocast_dtype",
    "get_autocast_gpu_dtype",
    "is_autocast_available",
    "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled",
    "is_autocast_enabled",
    "set_autocast_cache_enabled",
    "set_autocast_cpu_dtype",
    "set_autocast_cpu_enabled",
    "set_autocast_dtype",
    "set_autocast_enabled",
    "set_autocast_gpu_dtype",
]


class _State(local):
    """What holds in a thread, by the type of device."""

    def __init__(self) -> None:
        self.enabled = {"cpu": False, "cuda": False, "mps": False, "xpu": False}
        self.dtypes = {
            "cpu": _core.bfloat16,
            "cuda": _core.float16,
            "mps": _core.float16,
            "xpu": _core.float16,
        }
        self.caches = True
        self.depth = 0

    def tell(self) -> None:
        """Let functions know: they compute on the CPU."""
        _core._set_autocast_dtype(self.dtypes["cpu"] if self.enabled["cpu"] else None)


_state = _State()


def _kind(device_type: str) -> str:
    """The type of device that a string names. RuntimeError if there is none of that name."""
    kind = device(device_type).type
    if kind not in _state.enabled:
        raise RuntimeError(f"unknown device type for autocast in get_autocast_dispatch_key_from_device_type: {kind}")
    return kind


def _warn_of_old_name(old: str, new: str) -> None:
    warn_caller(f"torch.{old} is deprecated. Please use torch.{new} instead.", DeprecationWarning)


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast knows this type of device. RuntimeError if nobody does."""
    return device(device_type).type in _state.enabled


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether autocast is on for this type of device, in this thread."""
    return _state.enabled[_kind(device_type)]


def set_autocast_enabled(device_type: str | bool, enabled: bool | None = None) -> None:
    """Switch autocast on or off for this type of device (for CUDA if only a bool is given), in this thread."""
    kind, on = ("cuda", device_type) if enabled is None else (_kind(str(device_type)), enabled)
    if not isinstance(on, bool):
        raise TypeError(f"enabled must be a bool (got {type(on).__name__})")
    _state.enabled[kind] = on
    _state.tell()


def get_autocast_dtype(device_type: str) -> DType:
    """The type that autocast computes in on this type of device: bfloat16 on the CPU, unless it was set."""
    return _state.dtypes[_kind(device_type)]


def set_autocast_dtype(device_type: str, dtype: DType) -> None:
    """Let autocast compute in `dtype` on this type of device, in this thread."""
    _state.dtypes[_kind(device_type)] = dtype
    _state.tell()


def is_autocast_cpu_enabled() -> bool:
    """``is_autocast_enabled("cpu")``."""
    _warn_of_old_name("is_autocast_cpu_enabled()", "is_autocast_enabled('cpu')")
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """``set_autocast_enabled("cpu", enabled)``."""
    _warn_of_old_name("set_autocast_cpu_enabled(enabled)", "set_autocast_enabled('cpu', enabled)")
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> DType:
    """``get_autocast_dtype("cpu")``."""
    _warn_of_old_name("get_autocast_cpu_dtype()", "get_autocast_dtype('cpu')")
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: DType) -> None:
    """``set_autocast_dtype("cpu", dtype)``."""
    _warn_of_old_name("set_autocast_cpu_dtype(dtype)", "set_autocast_dtype('cpu', dtype)")
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> DType:
    """``get_autocast_dtype("cuda")``."""
    _warn_of_old_name("get_autocast_gpu_dtype()", "get_autocast_dtype('cuda')")
    return get_autocast_dtype("cuda")


def set_autocast_gpu_dtype(dtype: DType) -> None:
    """``set_autocast_dtype("cuda", dtype)``."""
    _warn_of_old_name("set_autocast_gpu_dtype(dtype)", "set_autocast_dtype('cuda', dtype)")
    set_autocast_dtype("cuda", dtype)


def is_autocast_cache_enabled() -> bool:
    """What `set_autocast_cache_enabled` said; True at first."""
    return _state.caches


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Remembered, and without effect: what is converted twice in a program is converted once."""
    _state.caches = enabled


def clear_autocast_cache() -> None:
    """Nothing to do: converted weights are kept no longer than the program that they are in."""


def autocast_increment_nesting() -> int:
    """Note that a context begins; how many there are now."""
    _state.depth += 1
    return _state.depth


def autocast_decrement_nesting() -> int:
    """Note that a context has ended; how many there are left."""
    _state.depth -= 1
    return _state.depth
