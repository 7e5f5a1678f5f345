"""Turns results into text: medians, ratios with their spread, rates beside the machine's limits."""

from __future__ import annotations

from statistics import median, quantiles
from typing import Any

from .contest import Result


def ratio(result: Result, peer: str) -> tuple[float, float, float]:
    """How many times faster lamina is than `peer`: the median over the rounds, and the quarter points around it."""
    values = [theirs / mine for theirs, mine in zip(result.seconds[peer], result.seconds["lamina"])]
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return median(values), low, high


def best_peer(result: Result) -> str | None:
    peers = [name for name in result.seconds if name != "lamina"]
    return min(peers, key=lambda name: median(result.seconds[name]), default=None)


def time_text(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}" if seconds < 1000 * scale else f"{seconds / scale:.0f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def _cell(result: Result, name: str) -> str:
    if name in result.failures:
        return "failed"
    if name not in result.seconds:
        return "–"
    text = time_text(median(result.seconds[name]))
    if name == "lamina" or "lamina" not in result.seconds:
        return text
    middle, low, high = ratio(result, name)
    return f"{text}  ×{middle:.2f} [{low:.2f}–{high:.2f}]"


def _rate(result: Result, machine: dict[str, Any]) -> str:
    """What lamina reaches, as GFLOP/s with its part of the peak, or as GB/s of data that must be touched."""
    if "lamina" not in result.seconds:
        return ""
    seconds, workload = median(result.seconds["lamina"]), result.workload
    if workload.bytes:
        return f"{workload.bytes / seconds * 1e-9:.1f} GB/s"
    if workload.flops:
        rate = workload.flops / seconds * 1e-9
        return f"{rate:.1f} GFLOP/s, {100 * rate / machine['fma_all']:.0f} %"
    return ""


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "-+-".join("-" * width for width in widths), *lines[1:]])


def table(results: list[Result], contenders: list[str], machine: dict[str, Any]) -> str:
    rows = [["workload", *contenders, "lamina's rate"]]
    for result in results:
        cells = [_cell(result, name) for name in contenders]
        rows.append([result.workload.name, *cells, _rate(result, machine)])
    lines = [_aligned(rows)]
    for result in results:
        lines += [f"{result.workload.name}: {name} failed: {why}" for name, why in result.failures.items()]
        if result.unrest:
            lines.append(
                f"{result.workload.name}: {result.unrest} bursts began beside threads that were still spinning"
            )
        if result.disturbed:
            lines.append(f"{result.workload.name}: {result.disturbed} turns were disturbed at every try")
    if repeated := sum(result.repeated for result in results):
        lines.append(f"{repeated} turns were repeated because the processors were not all ours")
    return "\n".join(lines)


def slowdown(result: Result, name: str) -> float:
    """How many times longer a run takes beside a busy process."""
    return median(result.beside[name]) / median(result.seconds[name])


def beside_table(results: list[Result], contenders: list[str]) -> str:
    rows = [["workload", *contenders]]
    for result in results:
        if result.beside:
            cells = [f"{slowdown(result, name):.2f}" if name in result.beside else "–" for name in contenders]
            rows.append([result.workload.name, *cells])
    return _aligned(rows)


def machine_text(machine: dict[str, Any]) -> str:
    one = f"{machine['fma_1']:.0f} GFLOP/s on one thread, " if machine["fma_1"] else ""
    return (
        f"{machine['processor']}, {machine['threads']} threads. Limits ({machine['how']}):\n"
        f"  FMA peak, float32: {one}{machine['fma_all']:.0f} on {machine['threads']}\n"
        f"  reading from caches {machine['read_cache']:.0f} GB/s, from memory {machine['read_memory']:.0f}; "
        f"copying in memory {machine['copy_memory']:.0f} (read + written)"
    )


def neighbours_text(neighbours: dict[str, Any]) -> str:
    before, after = (" ".join(f"{load:.2f}" for load in neighbours[key]) for key in ("load_before", "load_after"))
    alive = ", ".join(f"{name} {100 * share:.0f} %" for share, name in neighbours["alive"]) or "none"
    return (
        f"load average before {before}, after {after}\n"
        f"others took {100 * neighbours['share']:.0f} % of one of {neighbours['processors']} processors; "
        f"of those still alive: {alive}"
    )


def imports_text(costs: dict[str, Any]) -> str:
    rows = [["import, beyond the bare interpreter", "time", "processor time", "memory"]]
    rows += [
        [name, time_text(cost["seconds"]), time_text(cost["cpu_seconds"]), f"{cost['megabytes']:.1f} MB"]
        for name, cost in costs.items()
    ]
    return _aligned(rows)
