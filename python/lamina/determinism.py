"""Switches for deterministic algorithms. lamina has no others, so they say what was asked for and change nothing.

Results depend neither on the number of threads nor on what ran before, whatever these are set to.
"""

from __future__ import annotations

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_deterministic_debug_mode",
    "is_deterministic_algorithms_warn_only_enabled",
    "set_deterministic_debug_mode",
    "use_deterministic_algorithms",
]

_MODES = ("default", "warn", "error")
_asked = {"mode": False, "warn_only": False}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for deterministic algorithms, which is what there is. TypeError for what is no bool."""
    for place, name, value in ((" (position 1)", "mode", mode), ("", "warn_only", warn_only)):
        if not isinstance(value, bool):
            raise TypeError(
                f"_set_deterministic_algorithms(): argument '{name}'{place} must be bool, not {type(value).__name__}"
            )
    _asked.update(mode=mode, warn_only=warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Whether they were asked for; they are used in either case."""
    return _asked["mode"]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether a warning was asked for where PyTorch would raise."""
    return _asked["warn_only"]


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by number or name: 0 "default" (off), 1 "warn", 2 "error"."""
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str):
        if debug_mode not in _MODES:
            expected = ", ".join(f"`{name}`" for name in _MODES)
            raise RuntimeError(f"invalid value of debug_mode, expected one of {expected}, but got {debug_mode}")
        debug_mode = _MODES.index(debug_mode)
    if not 0 <= debug_mode < len(_MODES):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    use_deterministic_algorithms(debug_mode > 0, warn_only=debug_mode == 1)


def get_deterministic_debug_mode() -> int:
    """The number that `set_deterministic_debug_mode` takes for what was asked."""
    if not _asked["mode"]:
        return 0
    return 1 if _asked["warn_only"] else 2
