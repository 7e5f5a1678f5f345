"""The contest: contenders take turns in bursts, one at a time, while the others sleep."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .machine import Gauge
from .processes import BusyProcess, wait_until_idle
from .workloads import Workload

ROOT = Path(__file__).resolve().parent.parent
MOST_TRIES, PATIENCE = 8, 2.0  # of a turn that shall be undisturbed; seconds before each
# Every library's own way of being told how many threads to take. All must be set before it is loaded.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LAMINA_NUM_THREADS")


class Contender:
    """A worker process. Nothing runs in it but between a request and its answer."""

    def __init__(self, name: str, threads: int) -> None:
        processors = sorted(os.sched_getaffinity(0))[:threads]
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker", name, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment,
            text=True,
        )
        # For JAX, which asks the system how many processors it may use; so it must be before JAX is loaded.
        os.sched_setaffinity(self.process.pid, processors)

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self.receive()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {self.name} ended (exit status {self.process.wait()})")
        return json.loads(line)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


@dataclass
class Result:
    """What one workload gave: for each contender that took part, the seconds of each round."""

    workload: Workload
    seconds: dict[str, list[float]] = field(default_factory=dict)
    fastest: dict[str, float] = field(default_factory=dict)
    """The least of all samples: what the work takes while nobody disturbs it."""
    first_seconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    unrest: int = 0
    """Bursts that began although somebody else's threads were still spinning."""
    repeated: int = 0
    """Bursts that were thrown away because the processors were not ours all the time."""
    disturbed: int = 0
    """Bursts that were kept although they were not."""
    beside: dict[str, list[float]] = field(default_factory=dict)
    """The seconds of rounds beside somebody else's busy process."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> Result:
        return cls(**written | {"workload": Workload(**written["workload"])})


def agree(mine: list[float], other: list[float]) -> bool:
    return len(mine) == len(other) and all(math.isclose(a, b, rel_tol=2e-3, abs_tol=2e-4) for a, b in zip(mine, other))


def take_turn(
    contender: Contender, pids: list[int], seconds: float, gauge: Gauge | None, result: Result
) -> dict[str, Any]:
    """One burst; with a gauge, again and again until the processors were ours before and after it."""
    for _ in range(MOST_TRIES):
        result.unrest += len(pids) > 1 and not wait_until_idle(pids)  # alone, there is nobody to wait for
        ours = gauge is None or gauge.wait(PATIENCE)
        answer = contender.ask(do="burst", seconds=seconds)
        if "error" in answer or gauge is None or (ours and gauge.undisturbed()):
            return answer
        result.repeated += 1
    result.repeated -= 1
    result.disturbed += 1
    return answer


def hold(
    workload: Workload,
    contenders: list[Contender],
    rounds: int,
    seconds: float,
    gauge: Gauge | None = None,
    busy: BusyProcess | None = None,
) -> Result:
    """Prepares the workload everywhere, compares the numbers with the first contender's, then takes turns.

    Each round begins with another contender, and all of a round's bursts lie close together in time: a ratio within
    a round suffers least from what else the machine does. With `busy` each round is followed by another one beside it.
    """
    result = Result(workload)
    taking_part: list[Contender] = []
    reference: tuple[str, list[float]] | None = None
    for contender in contenders:
        answer = contender.ask(
            do="prepare", kind=workload.kind, arguments=workload.arguments, differentiates=workload.differentiates
        )
        if "error" in answer:
            result.failures[contender.name] = answer["error"].strip().splitlines()[-1]
        elif "probe" in answer:
            if reference is None:
                reference = contender.name, answer["probe"]
            if not agree(reference[1], answer["probe"]):
                result.failures[contender.name] = f"its numbers are not those of {reference[0]}"
                continue
            taking_part.append(contender)
            result.seconds[contender.name] = []
            result.first_seconds[contender.name] = answer["first_seconds"]
    pids = [contender.process.pid for contender in contenders]
    for turn in range(rounds if taking_part else 0):
        first = turn % len(taking_part)
        for contender in taking_part[first:] + taking_part[:first]:
            answer = take_turn(contender, pids, seconds, gauge, result)
            if "error" in answer:
                raise RuntimeError(f"{contender.name} failed in {workload.name}:\n{answer['error']}")
            result.seconds[contender.name].append(answer["seconds"] / workload.units)
            fastest = min(result.fastest.get(contender.name, math.inf), answer["fastest"] / workload.units)
            result.fastest[contender.name] = fastest
        for contender in taking_part if busy else []:
            with busy:
                answer = contender.ask(do="burst", seconds=seconds)
            result.beside.setdefault(contender.name, []).append(answer["seconds"] / workload.units)
    return result
