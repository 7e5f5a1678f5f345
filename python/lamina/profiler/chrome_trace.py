"""Writes a profile as a file for chrome://tracing and Perfetto."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .trace import Trace

__all__ = ["chrome_events", "write_chrome_trace"]


def chrome_events(trace: Trace) -> list[dict[str, Any]]:
    """Programs with their kernels, and ranges, by thread; times in microseconds."""
    from os import getpid

    process = getpid()
    events: list[dict[str, Any]] = []

    def add(name: str, category: str, thread: int, began: int, ended: int, args: dict[str, Any]) -> None:
        times = {"ts": (began - trace.began) / 1e3, "dur": (ended - began) / 1e3}
        events.append({"ph": "X", "cat": category, "name": name, "pid": process, "tid": thread, **times, "args": args})

    for part in trace.ranges:
        assert part.end is not None
        args = {} if part.args is None else {"args": part.args}
        add(part.name, "user_annotation", part.begin.thread, part.begin.time, part.end.time, args)
    for run in trace.runs:
        add("compile" if run.compiles else "find plan", "plan", run.thread, run.began, run.planned, {})
        add("run", "plan", run.thread, run.accounted, run.ended, {"program": run.program})
    for run, step, began, took in trace.steps():
        members = [f"{member.op} ({member.path or 'no module'}, {member.phase})" for member in step.members]
        add(step.note, "kernel", run.thread, began, began + took, {"bytes": step.bytes, "computes": members})
    return events


def write_chrome_trace(trace: Trace, path: str) -> None:
    import gzip
    import json

    text = json.dumps({"schemaVersion": 1, "displayTimeUnit": "ms", "traceEvents": chrome_events(trace)}).encode()
    with open(path, "wb") as file:
        file.write(gzip.compress(text) if str(path).endswith(".gz") else text)
