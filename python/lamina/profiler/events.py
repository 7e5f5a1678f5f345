"""A profile's events and their sums by name, with PyTorch's attributes and tables."""

from __future__ import annotations

from .units import memory_text, shortened, table_text, time_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..profiled_ranges import Range
    from .trace import Trace

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "Interval", "events_of"]


class Interval:
    """From when to when, in microseconds since the profile began."""

    def __init__(self, start: float, end: float) -> None:
        self.start, self.end = start, end

    def elapsed_us(self) -> float:
        return self.end - self.start


class _Times:
    """Sums of events with a key. Times are in microseconds, memory in bytes."""

    key: str
    count = 1
    cpu_time_total = 0.0
    self_cpu_time_total = 0.0
    cpu_memory_usage = 0
    self_cpu_memory_usage = 0
    input_shapes: list[list[int]]

    @property
    def cpu_time(self) -> float:
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_str(self) -> str:
        return time_text(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        return time_text(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        return time_text(self.self_cpu_time_total)

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage}>"
        )


class FunctionEvent(_Times):
    """An operation that a kernel did once, with its share of the kernel's time; or a range of the program."""

    def __init__(
        self, name: str, thread: int, began: float, took: float, shapes: list[list[int]], module: str, phase: str
    ) -> None:
        self.name = self.key = name
        self.thread = thread
        self.time_range = Interval(began, began + took)
        self.cpu_time_total = self.self_cpu_time_total = took
        self.input_shapes = shapes
        self.stack: list[str] = []
        self.module, self.phase = module, phase  # who recorded it, and whether forward, backward or update
        self.is_user_annotation = False


class FunctionEventAvg(_Times):
    """All events of one key, or of one key and one list of shapes."""

    def __init__(self, key: str = "", input_shapes: list[list[int]] | None = None) -> None:
        self.key = key
        self.count = 0
        self.input_shapes = input_shapes or []
        self.is_user_annotation = False

    def add(self, other: FunctionEvent | FunctionEventAvg) -> FunctionEventAvg:
        self.count += other.count
        self.cpu_time_total += other.cpu_time_total
        self.self_cpu_time_total += other.self_cpu_time_total
        self.cpu_memory_usage += other.cpu_memory_usage
        self.self_cpu_memory_usage += other.self_cpu_memory_usage
        self.is_user_annotation |= other.is_user_annotation
        return self


_SORTS = (
    "count",
    "cpu_time",
    "cpu_time_total",
    "self_cpu_time_total",
    "cpu_memory_usage",
    "self_cpu_memory_usage",
    "key",
)


class EventList(list["Any"]):
    """Events, or their sums; `table` shows them."""

    def __init__(self, events: Any = (), *, profile_memory: bool = False, with_shapes: bool = False) -> None:
        super().__init__(events)
        self._profile_memory, self._with_shapes = profile_memory, with_shapes

    @property
    def self_cpu_time_total(self) -> float:
        return sum((event.self_cpu_time_total for event in self), 0.0)

    def total_average(self) -> FunctionEventAvg:
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    def key_averages(self, group_by_input_shape: bool = False) -> EventList:
        """The sum of the events of each name, or of each name and each list of shapes."""
        sums: dict[Any, FunctionEventAvg] = {}
        for event in self:
            shapes = event.input_shapes if group_by_input_shape else []
            key = (event.key, event.is_user_annotation, str(shapes))
            sums.setdefault(key, FunctionEventAvg(event.key, shapes)).add(event)
        return EventList(sums.values(), profile_memory=self._profile_memory, with_shapes=group_by_input_shape)

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_name_column_width: int | None = 55,
        max_shapes_column_width: int | None = 80,
        header: str | None = None,
    ) -> str:
        """A table of the first `row_limit` events (-1: all), the largest first by the attribute `sort_by`."""
        if sort_by is not None and sort_by not in _SORTS:
            raise AttributeError(f"table: there is no {sort_by!r} to sort by; there are {', '.join(_SORTS)}")
        events = list(self)
        if sort_by is not None:
            events.sort(key=lambda event: getattr(event, sort_by), reverse=sort_by != "key")
        whole = self.self_cpu_time_total
        heads = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"]
        heads += ["CPU Mem", "Self CPU Mem"] * self._profile_memory + ["# of Calls"]
        heads += ["Input Shapes"] * self._with_shapes
        rows = []
        for event in events[: None if row_limit < 0 else row_limit]:
            row = [shortened(event.key, max_name_column_width or len(event.key))]
            for time in (event.self_cpu_time_total, event.cpu_time_total):
                row += [f"{100 * time / whole if whole else 0:.2f}%", time_text(time)]
            row.append(event.cpu_time_str)
            if self._profile_memory:
                row += [memory_text(event.cpu_memory_usage), memory_text(event.self_cpu_memory_usage)]
            row.append(str(event.count))
            if self._with_shapes:
                shapes = str(event.input_shapes)
                row.append(shortened(shapes, max_shapes_column_width or len(shapes)))
            rows.append(row)
        table = table_text(heads, rows)
        rule = "=" * table.index("\n")
        above = f"{rule}\n{header}\n" if header is not None else ""
        return f"{above}{table}\nSelf CPU time total: {time_text(whole)}\n"

    def __str__(self) -> str:
        return self.table()


def events_of(trace: Trace, record_shapes: bool, profile_memory: bool) -> EventList:
    """The operations of all kernels, one after the other, then the ranges, then what is neither."""
    events: list[FunctionEvent] = []
    for run, step, began, took in trace.steps():
        at = (began - trace.began) / 1e3
        for member in step.members:
            own = took * member.share / 1e3
            shapes = [list(shape) for shape in member.shapes] if record_shapes else []
            event = FunctionEvent(member.op, run.thread, at, own, shapes, member.path, member.phase)
            if profile_memory:
                event.cpu_memory_usage = event.self_cpu_memory_usage = member.kept
            events.append(event)
            at += own
    noted = _events_of_ranges(trace, profile_memory)
    rest = _overhead_events(trace, sum(event.self_cpu_time_total for event in noted))
    return EventList([*events, *noted, *rest], profile_memory=profile_memory)


def _events_of_ranges(trace: Trace, profile_memory: bool) -> list[FunctionEvent]:
    """A range's own time is that in which no program ran, and no range within it was on."""
    events: list[FunctionEvent] = []
    open_ranges: dict[int, list[tuple[Range, FunctionEvent]]] = {}
    for part in trace.ranges:
        assert part.end is not None
        thread, began, ended = part.begin.thread, part.begin.time, part.end.time
        outside = (ended - began - trace.running(thread, began, ended)) / 1e3
        kernels, kept = trace.recorded_in(part)
        event = FunctionEvent(part.name, thread, (began - trace.began) / 1e3, (ended - began) / 1e3, [], "", "")
        event.cpu_time_total, event.self_cpu_time_total = outside + kernels / 1e3, outside
        event.cpu_memory_usage = kept if profile_memory else 0
        event.is_user_annotation = True
        stack = open_ranges.setdefault(thread, [])
        while stack and stack[-1][0].end is not None and stack[-1][0].end.time <= began:
            stack.pop()
        if stack:
            stack[-1][1].self_cpu_time_total -= outside
        stack.append((part, event))
        events.append(event)
    return events


def _overhead_events(trace: Trace, in_ranges: float) -> list[FunctionEvent]:
    from .modules import overheads

    rest = overheads(trace)
    parts = {
        "[python and recording]": max(0.0, rest.python - in_ranges),
        "[compiling]": rest.compiling,
        "[launching]": rest.launching,
    }
    return [FunctionEvent(name, 0, 0.0, time, [], "", "") for name, time in parts.items() if time > 0]
