"""Settings of a library that stand as names in its module, for the time of a ``with`` block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["replaced"]


@contextmanager
def replaced(module: dict[str, object], settings: dict[str, object]) -> Iterator[None]:
    """The names in ``module`` have the values of ``settings`` inside, and what they had before afterwards."""
    before = {name: module[name] for name in settings}
    module.update(settings)
    try:
        yield
    finally:
        module.update(before)
