"""One contender in a process of its own: waits on a pipe, prepares workloads, and runs bursts when told to.

Run as ``python -m benchmarks.worker CONTENDER THREADS``. Requests and answers are lines of JSON. Between them the
process blocks on the pipe, so that it takes nothing from the others.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from statistics import median
from typing import Any

from .contenders import MODULES, Prepared

SHORTEST_SAMPLE = 50e-6  # seconds; shorter runs are timed several at a time, or the clock would be timed too
PROBED = 64


def burst(run: Callable[[], Any], seconds: float) -> dict[str, Any]:
    """Runs for about `seconds`; the median and the least time of one run in seconds, and how many samples they are of.

    The first tenth is for waking up caches, clocks and threads and counts for nothing; work that is longer than a burst
    does without. The garbage collector stays on: it is part of what a user pays.
    """
    gc.collect()
    clock = time.perf_counter
    begin = clock()
    fastest = float("inf")
    warm = 0
    while warm < (3 if warm == 0 or fastest < seconds else 1) or clock() - begin < seconds / 10:
        before = clock()
        run()
        fastest = min(fastest, clock() - before)
        warm += 1
    repeats = range(max(1, round(SHORTEST_SAMPLE / fastest)))
    samples: list[float] = []
    end = begin + seconds
    least = 3 if fastest < seconds else 1
    while len(samples) < least or clock() < end:
        before = clock()
        for _ in repeats:
            run()
        samples.append((clock() - before) / len(repeats))
    return {"seconds": median(samples), "fastest": min(samples), "samples": len(samples)}


class Worker:
    def __init__(self, contender: str, threads: int) -> None:
        self.programs = import_module(f".contenders.{MODULES[contender][0]}", __package__).make(threads)
        self.prepared: Prepared | None = None
        self.differentiates = False

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "prepare":
            return self.prepare(request["kind"], request["arguments"], request["differentiates"])
        assert self.prepared is not None
        with self.mode():
            return burst(self.prepared.run, request["seconds"])

    def mode(self) -> Any:
        return nullcontext() if self.differentiates else self.programs.forward_only()

    def prepare(self, kind: str, arguments: dict[str, Any], differentiates: bool) -> dict[str, Any]:
        import numpy as np

        self.prepared = None
        method = getattr(self.programs, kind, None)
        if method is None:
            return {"absent": True}
        self.prepared, self.differentiates = method(**arguments), differentiates
        if self.prepared is None:
            return {"absent": True}
        begin = time.perf_counter()
        with self.mode():
            numbers = np.asarray(self.prepared.probe(), dtype=np.float64).ravel()
        return {"probe": numbers[:PROBED].tolist(), "first_seconds": time.perf_counter() - begin}


def main() -> None:
    contender, threads = sys.argv[1], int(sys.argv[2])
    # Answers go to the pipe we were given; whatever a library prints goes to the standard error stream.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(contender, threads)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            answer = worker.answer(json.loads(line))
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
