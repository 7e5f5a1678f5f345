"""The context manager that profiles what runs within it."""

from __future__ import annotations

from .. import _core
from .. import profiled_ranges as ranges
from .._warning import warn_caller
from .events import EventList, events_of
from .schedule import ProfilerAction, ProfilerActivity
from .trace import Trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from typing_extensions import Self

    from .modules import ModuleTimes

__all__ = ["profile"]

_ON = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class profile:  # noqa: N801  # PyTorch's name
    """Where the time of what runs within goes. ``print(p)`` shows it by module, and what is not kernels.

    >>> net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 10))
    >>> with lamina.profile() as p:
    ...     net(lamina.ones(32, 20)).sum().backward()
    >>> print(p)

    `key_averages`, `events` and `export_chrome_trace` are PyTorch's. What an operation takes is its share of its
    kernel's time, by the work of what was fused into that; a module's or a range's time is that of what was recorded in
    it. Pending work is run before the profile and at its end. One profile is on at a time, of all threads.

    With `schedule` only some steps are looked at, which the program ends by ``p.step()``; after each cycle
    ``on_trace_ready(p)`` is called.
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
    ) -> None:
        chosen = {ProfilerActivity.CPU} if activities is None else set(activities)
        if ProfilerActivity.CUDA in chosen:
            warn_caller("CUDA is not available, disabling CUDA profiling")
        if ProfilerActivity.CPU not in chosen:
            raise AssertionError("No valid profiler activities found: lamina computes on the CPU")
        if with_stack:
            warn_caller("with_stack: lamina notes paths of modules, not frames of Python; `stack` stays empty")
        self.record_shapes, self.profile_memory = record_shapes, profile_memory
        self.on_trace_ready = on_trace_ready
        self._schedule = schedule
        self.step_num = 0
        self.current_action = schedule(0) if schedule else ProfilerAction.RECORD_AND_SAVE
        self._began: int | None = None  # while this profile is on
        self._step: ranges.record_function | None = None
        self._trace: Trace | None = None
        self._events: EventList | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self) -> None:
        if self.current_action in _ON:
            self._begin()

    def stop(self) -> None:
        if self._began is not None:
            self._end()

    def step(self) -> None:
        """A step of the program has ended: do what the schedule says of the next one."""
        before, self.step_num = self.current_action, self.step_num + 1
        if self._schedule:
            self.current_action = self._schedule(self.step_num)
        on = self.current_action in _ON
        if self._began is not None and (not on or (self._schedule and before is ProfilerAction.RECORD_AND_SAVE)):
            self._end()
        if self._began is None and on and self._schedule:
            self._begin()
        elif self._began is not None:
            _core.flush()
            self._next_step()

    def _begin(self) -> None:
        _core.flush()
        ranges.start()
        self._began = _core._profile_mark()[0]
        self._next_step()

    def _next_step(self) -> None:
        if self._step:
            self._step.__exit__()
        if self._schedule:
            self._step = ranges.record_function(f"ProfilerStep#{self.step_num}")
            self._step.__enter__()

    def _end(self) -> None:
        assert self._began is not None
        began, self._began = self._began, None
        try:
            _core.flush()
        finally:
            if self._step:
                self._step.__exit__()
            ended = _core._profile_mark()[0]
            self._trace, self._events = Trace(began, ended, *ranges.stop()), None
        if self.on_trace_ready:
            self.on_trace_ready(self)

    def _finished(self, wanted: str) -> Trace:
        if self._trace is None:
            raise AssertionError(f"Profiler must be initialized before {wanted}: they are there when it has stopped")
        return self._trace

    def events(self) -> EventList:
        """Every operation of every run of a kernel, and every range."""
        if self._events is None:
            self._events = events_of(self._finished("getting events"), self.record_shapes, self.profile_memory)
        return self._events

    def key_averages(self, group_by_input_shape: bool = False) -> EventList:
        """Sums of the events of each name; with shapes apart, if `record_shapes` was given."""
        self._finished("getting key averages")
        return self.events().key_averages(group_by_input_shape)

    def modules(self) -> list[ModuleTimes]:
        """What each module and those within it took, in the order of the table that ``print`` shows."""
        from .modules import by_module

        return by_module(self._finished("getting modules"))

    def export_chrome_trace(self, path: str) -> None:
        """Write the timeline as JSON for chrome://tracing or Perfetto; compressed, if the path ends in .gz."""
        from .chrome_trace import write_chrome_trace

        write_chrome_trace(self._finished("exporting chrome trace"), path)

    def __str__(self) -> str:
        from .modules import modules_text

        return repr(self) if self._trace is None else modules_text(self._trace)
