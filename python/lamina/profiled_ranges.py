"""What is noted while a profile is on, beside what the engine notes: ranges of the program that have names."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import NamedTuple

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Mark", "Phase", "Range", "UpdateRange", "record_function", "start", "stop"]


class Mark(NamedTuple):
    """A moment of a thread, in nanoseconds, and a place: how many programs have run, and values were recorded since."""

    time: int
    thread: int
    flush: int
    value: int


class Range:
    """A named part of what a thread did while a profile was on; `end` is None until it has ended."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self.begin = Mark(*_core._profile_mark())
        self.end: Mark | None = None


# The ranges of the profile that is on, in the order in which they began; None while none is.
noted: list[Range] | None = None


def start() -> None:
    """Begin to take notes, in the engine, too; RuntimeError if somebody does already."""
    global noted
    _core._profile_start()
    noted = []


def stop() -> tuple[list[Range], tuple[list[object], list[object], dict[str, int]]]:
    """The notes: the ranges, and what the engine has noted. Ranges that have not ended end here."""
    global noted
    ranges, noted = noted or [], None
    mark = Mark(*_core._profile_mark())
    for each in ranges:
        each.end = each.end or mark
    return ranges, _core._profile_stop()


class record_function(ContextDecorator):  # noqa: N801  # PyTorch's name
    """Give a part of the program a name in profiles: what is recorded in it, and the time between.

    As a context manager, or as a decorator of a function. Costs next to nothing while no profile is on.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        if not isinstance(name, str):
            raise TypeError(f"record_function expects a name as a str, got {type(name).__name__}")
        self.name, self.args = name, args
        self._range: Range | None = None

    def _recreate_cm(self) -> Self:
        return type(self)(self.name, self.args)

    def __enter__(self) -> Self:
        if noted is not None:
            self._range = Range(self.name, self.args)
            noted.append(self._range)
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._range is not None and self._range.end is None:
            self._range.end = Mark(*_core._profile_mark())
        self._range = None


class Phase:
    """Let what is recorded count as forward (0), backward (1) or update (2), if a profile is on."""

    def __init__(self, phase: int) -> None:
        self._phase = phase
        self._before: int | None = None

    def __enter__(self) -> None:
        if noted is not None:
            self._before = _core._enter_phase(self._phase)

    def __exit__(self, *_exception: object) -> None:
        if self._before is not None:
            _core._enter_phase(self._before)


class UpdateRange(Phase):
    """An optimizer's step, under PyTorch's name for it."""

    def __init__(self, optimizer: object) -> None:
        super().__init__(2)
        self._range = record_function(f"Optimizer.step#{type(optimizer).__name__}.step")

    def __enter__(self) -> None:
        super().__enter__()
        self._range.__enter__()

    def __exit__(self, *exception: object) -> None:
        self._range.__exit__(*exception)
        super().__exit__(*exception)
