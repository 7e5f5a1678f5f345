"""A profile by module path: forward, backward and update, and what is not kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .units import memory_text, table_text, time_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .trace import Run, Trace

__all__ = ["ModuleTimes", "Overheads", "by_module", "modules_text", "overheads"]

NOWHERE = "(no module)"


@dataclass
class ModuleTimes:
    """What a module and those within it took, in microseconds of kernels; and the bytes that these read and wrote."""

    path: str
    calls: int = 0
    forward: float = 0.0
    backward: float = 0.0
    update: float = 0.0
    bytes: float = 0.0
    kernels: int = 0  # how many runs of kernels had a part in it

    @property
    def time(self) -> float:
        return self.forward + self.backward + self.update


def by_module(trace: Trace) -> list[ModuleTimes]:
    """Every module that was called or that recorded something, after the module that contains it."""
    children: dict[str, dict[str, None]] = {"": {}}
    rows: dict[str, ModuleTimes] = {}
    ways: dict[str, list[ModuleTimes]] = {}

    def way_to(path: str) -> list[ModuleTimes]:
        """The rows of a module and of those that contain it."""
        if path not in ways:
            parts = path.split(".") if path else []
            names = [".".join(parts[: count + 1]) for count in range(len(parts))] or [NOWHERE]
            for above, name in zip(["", *names], names):
                children.setdefault(above, {})[name] = None
            ways[path] = [rows.setdefault(name, ModuleTimes(name)) for name in names]
        return ways[path]

    for path, count in trace.calls.items():
        way_to(path)[-1].calls += count
    for _, step, _, took in trace.steps():
        met: set[str] = set()
        for member in step.members:
            for row in way_to(member.path):
                setattr(row, member.phase, getattr(row, member.phase) + took * member.share / 1e3)
                row.bytes += step.bytes * member.share
                row.kernels += row.path not in met
                met.add(row.path)
    ordered: list[ModuleTimes] = []
    pending = [name for name in reversed(children[""]) if name != NOWHERE]
    while pending:
        name = pending.pop()
        ordered.append(rows[name])
        pending += reversed(children.get(name, {}))
    return ordered + ([rows[NOWHERE]] if NOWHERE in rows else [])


class Overheads(NamedTuple):
    """Where the time between the beginning and the end of a profile went, in microseconds."""

    kernels: float
    launching: float  # looking for plans, liveness, memory, and waiting for other threads
    compiling: float
    python: float  # everything else: the program, recording, what NumPy does
    profiling: float  # the profile's own work, which is in none of the others
    clock: float  # what the clock says: less than all, if programs of several threads ran at once
    programs: int
    compiled: int

    @property
    def all(self) -> float:
        return self.kernels + self.launching + self.compiling + self.python


def overheads(trace: Trace) -> Overheads:
    def looking(run: Run) -> int:
        return run.planned - run.began

    runs = trace.runs
    kernels = sum(run.kernels for run in runs)
    compiling = sum(looking(run) for run in runs if run.compiles)
    launching = sum(run.ended - run.accounted - run.kernels + looking(run) * (not run.compiles) for run in runs)
    profiling = sum(run.accounted - run.planned for run in runs)
    python = trace.ended - trace.began - trace.running(None, trace.began, trace.ended)
    return Overheads(
        kernels / 1e3,
        launching / 1e3,
        compiling / 1e3,
        python / 1e3,
        profiling / 1e3,
        (trace.ended - trace.began - profiling) / 1e3,
        len(runs),
        sum(run.compiles for run in runs),
    )


def modules_text(trace: Trace) -> str:
    """Both as a table."""
    rest = overheads(trace)
    whole = rest.kernels or 1.0
    rows = [
        [
            row.path,
            str(row.calls or ""),
            *(time_text(time) if time else "" for time in (row.forward, row.backward, row.update, row.time)),
            f"{100 * row.time / whole:.1f}%",
            memory_text(row.bytes),
            str(row.kernels),
        ]
        for row in by_module(trace)
    ]
    heads = ["module", "calls", "forward", "backward", "update", "time", "share", "bytes", "kernels"]
    parts = [
        ("kernels", rest.kernels, ""),
        ("launching", rest.launching, f"{rest.programs} programs"),
        ("compiling", rest.compiling, f"{rest.compiled} plans"),
        ("Python and recording", rest.python, ""),
        ("all", rest.all, "" if rest.all < 1.01 * rest.clock else f"in {time_text(rest.clock)}, of several threads"),
    ]
    lines = [
        f"{name:<22}{time_text(time):>12}{100 * time / (rest.all or 1):>8.1f}%  {note}" for name, time, note in parts
    ]
    lines.append(f"{'the profile itself':<22}{time_text(rest.profiling):>12}")
    return table_text(heads, rows) + "\n" + "\n".join(line.rstrip() for line in lines) + "\n"
