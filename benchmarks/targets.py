"""What the project has promised, and whether this run shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import geometric_mean, median
from typing import Any

from .contest import Result
from .report import best_peer, ratio, slowdown, time_text


@dataclass(frozen=True)
class Ratio:
    """lamina's speed over that of a peer (the best one if none is named) in all rows that match a pattern."""

    rows: str
    least: float
    mean: float | None = None
    """What the geometric mean of the rows must reach."""
    peer: str | None = None


RATIOS = (
    Ratio("^(seed net|chimera).*forward$", 2.0, peer="torch"),
    Ratio("^(seed net|chimera).*backward$", 4.0, peer="torch"),
    Ratio("^chimera.*forward$", 2.0, peer="jax"),
    Ratio("^chimera.*backward$", 12.0, peer="torch"),
    Ratio("^(linear|[0-9]+ products)", 0.95, 1.1),
    Ratio("^linear", 0.95, 1.15, peer="torch"),
    Ratio(r"^linear ((1|8|32) x|(64|128|256) x \3 x)", 1.2),
    Ratio("^MLP.*batch 1: forward", 1.3),
    Ratio("^MLP.*batch 32: forward", 1.1),
    Ratio("^MLP.*batch (128|1024): forward", 1.0),
    Ratio("^MLP.*batch 32: .*step", 1.4),
    Ratio("^MLP.*batch 128: .*step", 1.2),
    Ratio("^MLP.*batch 1024: .*step", 1.1),
    Ratio("^MLP.*batch 32: .*step", 1.9, peer="torch"),
    Ratio("^MLP.*batch 128: .*step", 1.4, peer="torch"),
    Ratio("^MLP.*batch 1024: .*step", 1.2, peer="torch"),
    Ratio("^three layers of 4096.*forward", 1.05),
    Ratio("^three layers of 4096.*step", 1.1),
    Ratio("^152 residual.*forward", 1.3, peer="jax"),
    Ratio("^152 residual.*step", 2.9, peer="jax"),
    Ratio("^(sum|max|argmax|softmax|logsumexp), ", 1.0, 2.0),
    Ratio("^relu,", 1.0),
    Ratio("^relu.tanh", 1.2),
    Ratio("^op ", 1.0, peer="torch"),
)
# Workload, and the most that one run may take.
SECONDS = {
    "record a + b": 150e-9,
    "10 layers of 64: compile the step's plan": 200e-6,
    "10 layers of 64: look the step's plan up": 5e-6,
    "seed net 20-256-10, batch 2: forward": 5e-6,
    "seed net 20-256-10, batch 2: forward + backward": 12e-6,
    "chimera, batch 2: forward": 15e-6,
    "chimera, batch 2: forward + backward": 30e-6,
    "152 residual blocks of 64, batch 32: forward": 1.1e-3,
    "152 residual blocks of 64, batch 32: SGD step": 3e-3,
}
# Workload, and the most that its first run may take, everything compiled meanwhile.
FIRST_SECONDS = {"1000 residual blocks of 64, batch 32: forward": 0.1}
# Workloads of so many equal parts, and how far a part's cost may differ.
SAME_COST = (("152 residual blocks", 152), ("1000 residual blocks", 1000), 0.1)
BESIDE = 2.5  # times slower beside a busy process
IMPORT_SECONDS, IMPORT_MEGABYTES = 30e-3, 15.0
WHEEL_BYTES = 4_000_000


def verdicts(results: list[Result], imports: dict[str, Any] | None, wheel_bytes: int | None) -> list[str]:
    """One line for each promise that the run says something about."""
    by_name = {result.workload.name: result for result in results if "lamina" in result.seconds}
    lines = [line for promise in RATIOS if (line := _ratio_line(promise, list(by_name.values())))]
    for name, most in SECONDS.items():
        if result := by_name.get(name):
            seconds = median(result.seconds["lamina"])
            text = f"{time_text(seconds)} (undisturbed {time_text(result.fastest['lamina'])})"
            lines.append(_line(seconds <= most, f"{name}: {text}, promised {time_text(most)}"))
    for name, most in FIRST_SECONDS.items():
        if result := by_name.get(name):
            firsts = ", ".join(f"{peer} {time_text(seconds)}" for peer, seconds in result.first_seconds.items())
            text = f"{name}: first run {firsts}, promised {time_text(most)}"
            lines.append(_line(result.first_seconds["lamina"] <= most, text))
    lines += _same_cost_lines(by_name)
    if beside := [result for result in by_name.values() if "lamina" in result.beside]:
        worst = max(beside, key=lambda result: slowdown(result, "lamina"))
        factor = slowdown(worst, "lamina")
        text = f"beside a busy process: at most {factor:.2f} times slower ({worst.workload.name}), promised {BESIDE}"
        lines.append(_line(factor <= BESIDE, text))
    if imports:
        cost = imports["lamina"]
        text = (
            f"import: {time_text(cost['seconds'])} ({time_text(cost['cpu_seconds'])} of processor time), promised 30 ms"
        )
        lines.append(_line(cost["seconds"] <= IMPORT_SECONDS, text))
        memory = f"import: {cost['megabytes']:.1f} MB, promised {IMPORT_MEGABYTES:.0f}"
        lines.append(_line(cost["megabytes"] <= IMPORT_MEGABYTES, memory))
    if wheel_bytes is not None:
        lines.append(_line(wheel_bytes <= WHEEL_BYTES, f"wheel: {wheel_bytes * 1e-6:.2f} MB, promised 4"))
    return lines


def _ratio_line(promise: Ratio, results: list[Result]) -> str | None:
    found: dict[str, float] = {}
    for result in results:
        peer = promise.peer or best_peer(result)
        if peer in result.seconds and re.search(promise.rows, result.workload.name):
            found[result.workload.name] = ratio(result, peer)[0]
    if not found:
        return None
    missed = {name: value for name, value in found.items() if value < promise.least}
    mean = geometric_mean(found.values())
    text = f"{promise.rows} against {promise.peer or 'the best'}: {len(found) - len(missed)} of {len(found)} rows"
    text += f" ≥ {promise.least:g}, mean {mean:.2f}"
    if promise.mean:
        text += f" (promised {promise.mean:g})"
    if missed:
        text += "; not " + ", ".join(f"{name} {value:.2f}" for name, value in missed.items())
    return _line(not missed and mean >= (promise.mean or 0), text)


def _same_cost_lines(by_name: dict[str, Result]) -> list[str]:
    (few, few_count), (many, many_count), most = SAME_COST
    lines = []
    for name, result in by_name.items():
        other = by_name.get(name.replace(few, many))
        if name.startswith(few) and other:
            one, another = result.fastest["lamina"] / few_count, other.fastest["lamina"] / many_count
            text = f"{name}: undisturbed {time_text(one)} a block, of {many_count} {time_text(another)}, promised ±10 %"
            lines.append(_line(abs(another / one - 1) <= most, text))
    return lines


def _line(holds: bool, text: str) -> str:
    return f"{'holds ' if holds else 'MISSED'}  {text}"
