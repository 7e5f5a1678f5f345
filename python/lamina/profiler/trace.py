"""What a profile has noted, as objects: programs with their steps, runs of them, and ranges of what was recorded."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..profiled_ranges import Range

__all__ = ["Member", "Run", "Step", "Trace"]


class Member(NamedTuple):
    """An operation that a step computes, with its share of the step's work."""

    value: int  # its position in the program
    op: str
    path: str  # of the module
    phase: str  # forward, backward or update
    share: float
    kept: int  # bytes of its result, if that has memory of its own when the program has run
    shapes: list[tuple[int, ...]]


class Step(NamedTuple):
    """One pass of a kernel."""

    note: str
    bytes: int
    members: list[Member]


class Run(NamedTuple):
    """A run of a program; times in nanoseconds. The profile's own work is between `planned` and `accounted`."""

    program: int
    thread: int
    flush: int
    compiles: bool
    began: int
    planned: int
    accounted: int
    ended: int
    spans: list[tuple[int, int]]  # of steps: when each began, and how long it took

    @property
    def kernels(self) -> int:
        return sum(took for _, took in self.spans)


class Trace:
    """All of one profile, from `began` to `ended`."""

    def __init__(self, began: int, ended: int, ranges: list[Range], notes: Any) -> None:
        programs, runs, calls = notes
        self.began, self.ended, self.ranges = began, ended, ranges
        self.programs = [
            [Step(note, bytes, [Member(*member) for member in members]) for note, bytes, members in steps]
            for steps in programs
        ]
        self.runs = sorted((Run(*run) for run in runs), key=lambda run: run.began)
        self.calls: dict[str, int] = calls
        self._recorded: dict[int, _Sums] = {}
        self._flushes: list[int] = []
        for run in self.runs:
            self._recorded[run.flush] = _Sums(run, self.programs[run.program])
        self._flushes = sorted(self._recorded)
        self._threads: dict[int, _Busy] = {}

    def steps(self) -> Iterator[tuple[Run, Step, int, int]]:
        """Every run of every step, with when it began and how long it took."""
        for run in self.runs:
            for step, (began, took) in zip(self.programs[run.program], run.spans):
                yield run, step, began, took

    def recorded_in(self, part: Range) -> tuple[float, int]:
        """Nanoseconds in kernels of what was recorded in a range, and bytes that it keeps."""
        assert part.end is not None
        first, last = part.begin.flush, part.end.flush
        nanoseconds, kept = 0.0, 0
        at = bisect_left(self._flushes, first)
        while at < len(self._flushes) and self._flushes[at] <= last:
            sums = self._recorded[self._flushes[at]]
            begin = part.begin.value if self._flushes[at] == first else 0
            end = part.end.value if self._flushes[at] == last else None
            nanoseconds += sums.of(sums.nanoseconds, begin, end)
            kept += sums.of(sums.kept, begin, end)
            at += 1
        return nanoseconds, kept

    def running(self, thread: int | None, began: int, ended: int) -> int:
        """For how many nanoseconds from `began` to `ended` programs ran: of a thread, or of any."""
        key = thread or 0
        if key not in self._threads:
            self._threads[key] = _Busy([run for run in self.runs if thread in (None, run.thread)])
        return self._threads[key].until(ended) - self._threads[key].until(began)


class _Sums:
    """Of a run: the time and the kept bytes of all operations recorded before a position in the program."""

    def __init__(self, run: Run, steps: list[Step]) -> None:
        by_value: dict[int, tuple[float, int]] = {}
        for step, (_, took) in zip(steps, run.spans):
            for member in step.members:
                time, kept = by_value.get(member.value, (0.0, 0))
                by_value[member.value] = (time + took * member.share, kept + member.kept)
        self._values = sorted(by_value)
        self.nanoseconds: list[float] = [0.0, *accumulate(by_value[value][0] for value in self._values)]
        self.kept: list[int] = [0, *accumulate(by_value[value][1] for value in self._values)]

    def of(self, sums: list[Any], begin: int, end: int | None) -> Any:
        last = len(self._values) if end is None else bisect_left(self._values, end)
        return sums[last] - sums[bisect_left(self._values, begin)]


class _Busy:
    """When at least one of some runs, in the order in which they began, was on."""

    def __init__(self, runs: list[Run]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for run in runs:
            if self._ends and run.began <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], run.ended)
            else:
                self._starts.append(run.began)
                self._ends.append(run.ended)
        self._before = [0, *accumulate(end - start for start, end in zip(self._starts, self._ends))]

    def until(self, time: int) -> int:
        at = bisect_left(self._starts, time)
        return self._before[at] - (max(0, self._ends[at - 1] - time) if at else 0)
