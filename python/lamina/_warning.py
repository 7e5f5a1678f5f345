"""Warnings that stand at the line of the program that called lamina, however many frames of lamina lie between."""

from __future__ import annotations

__all__ = ["warn_caller", "warn_caller_once"]

_told: set[str] = set()


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line that is not in this package."""
    import sys
    import warnings

    package = __file__.rpartition("_warning")[0]
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def warn_caller_once(message: str) -> None:
    """The same once in a program. If warnings are errors, this one is raised every time."""
    if message not in _told:
        warn_caller(message)
        _told.add(message)
