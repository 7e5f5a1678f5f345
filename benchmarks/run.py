"""What a run of the benchmark measured, to be written to a file and read again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .contest import Result
from .operations import OPERATIONS
from .workloads import WORKLOADS


@dataclass
class Run:
    machine: dict[str, Any]
    rounds: int
    burst_seconds: float
    results: list[Result] = field(default_factory=list)
    imports: dict[str, Any] | None = None
    neighbours: dict[str, Any] | None = None
    wheel_bytes: int | None = None

    def write(self, file: Path) -> None:
        written = vars(self) | {"results": [result.as_json() for result in self.results]}
        file.write_text(json.dumps(written, indent=1) + "\n")

    @classmethod
    def read(cls, file: Path) -> Run:
        written = json.loads(file.read_text())
        return cls(**written | {"results": list(map(Result.from_json, written["results"]))})

    @classmethod
    def merged(cls, runs: Sequence[Run]) -> Run:
        """The rows of all runs, a row's last one, in the usual order; the rates of the machine at its best."""
        results = {result.workload.name: result for run in runs for result in run.results}
        ordered = [results[row.name] for row in (*WORKLOADS, *OPERATIONS) if row.name in results]
        machine = dict(runs[0].machine)
        for name, value in machine.items():
            if isinstance(value, float):
                machine[name] = max(run.machine[name] for run in runs)
        return cls(machine, runs[-1].rounds, runs[-1].burst_seconds, ordered)
