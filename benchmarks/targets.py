"""What the project has promised, and whether this run shows it."""

from __future__ import annotations

from statistics import median
from typing import Any

from .contest import Result
from .report import ratio, time_text

# Workload, and how many times PyTorch eager's speed lamina must have.
AGAINST_TORCH = {
    "seed net 20-256-10, batch 2: forward": 2.0,
    "seed net 20-256-10, batch 2: forward + backward": 4.0,
    "chimera, batch 2: forward + backward": 4.0,
    "MLP 784-512-256-10, batch 32: SGD step": 1.0,
}
# Workload, and the most that one run may take.
SECONDS = {
    "record a + b": 150e-9,
    "10 layers of 64: compile the step's plan": 200e-6,
    "10 layers of 64: look the step's plan up": 5e-6,
}
IMPORT_SECONDS, IMPORT_MEGABYTES = 30e-3, 15.0
WHEEL_BYTES = 4_000_000


def verdicts(results: list[Result], imports: dict[str, Any] | None, wheel_bytes: int | None) -> list[str]:
    """One line for each promise that the run says something about."""
    lines = []
    by_name = {result.workload.name: result for result in results}
    for name, least in AGAINST_TORCH.items():
        result = by_name.get(name)
        if result and {"lamina", "torch"} <= result.seconds.keys():
            middle, low, high = ratio(result, "torch")
            text = f"{middle:.2f} [{low:.2f}–{high:.2f}] times PyTorch's speed, promised {least:g}"
            lines.append(_line(middle >= least, f"{name}: {text}"))
    for name, most in SECONDS.items():
        result = by_name.get(name)
        if result and "lamina" in result.seconds:
            seconds = median(result.seconds["lamina"])
            text = f"{time_text(seconds)} (undisturbed {time_text(result.fastest['lamina'])})"
            lines.append(_line(seconds <= most, f"{name}: {text}, promised {time_text(most)}"))
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


def _line(holds: bool, text: str) -> str:
    return f"{'holds ' if holds else 'MISSED'}  {text}"
