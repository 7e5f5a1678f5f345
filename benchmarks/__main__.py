"""The command line: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from . import report
from .contenders import MODULES, installed
from .contest import Contender, hold
from .imports import import_costs
from .machine import Gauge, limits
from .operations import OPERATIONS
from .processes import BusyProcess, Neighbours
from .run import Run
from .targets import verdicts
from .workloads import WORKLOADS

IMPORTS = "imports"  # a row of its own kind, for --only


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Time lamina against what is installed.")
    parser.add_argument("--only", default="", metavar="PATTERN", help="rows whose names match (regular expression)")
    parser.add_argument("--contenders", metavar="NAMES", help=f"separated by commas, of {', '.join(MODULES)}")
    parser.add_argument("--rounds", type=int, metavar="N", help="turns of each contender (default 15, quick 5)")
    parser.add_argument("--seconds", type=float, metavar="S", help="length of a turn (default 0.2, quick 0.05)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="of every contender (default 2)")
    parser.add_argument("--quick", action="store_true", help="few short turns, without torch.compile and huge rows")
    parser.add_argument(
        "--undisturbed", action="store_true", help="repeat turns during which the processors were not all ours"
    )
    parser.add_argument(
        "--operations", action="store_true", help="rows of single operations, lamina's and PyTorch's, instead"
    )
    parser.add_argument("--beside", action="store_true", help="time every row beside a busy process, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there, row after row")
    parser.add_argument(
        "--merge", type=Path, nargs="+", metavar="FILE", help="run nothing: one table of the rows of such files"
    )
    parser.add_argument("--wheel", type=Path, metavar="FILE", help="a wheel whose size is to be judged")
    parser.add_argument(
        "--memory", type=int, default=512, metavar="MB", help="read and copied for the machine's limits (default 512)"
    )
    parser.add_argument("--list", action="store_true", help="list the rows and stop")
    arguments = parser.parse_args()
    if min(arguments.threads, arguments.rounds or 1) < 1:
        parser.error("--threads and --rounds must be at least 1")
    if arguments.threads > len(os.sched_getaffinity(0)):
        parser.error(f"--threads {arguments.threads}: this process may use {len(os.sched_getaffinity(0))} processors")
    arguments.rows = OPERATIONS if arguments.operations else WORKLOADS
    if not any(re.search(arguments.only, name) for name in _names(arguments)):
        parser.error(f"--only: no row matches {arguments.only!r}; --list shows them")
    here = [name for name in installed() if name in ("lamina", "torch") or not arguments.operations]
    if arguments.contenders is None:
        arguments.contenders = [name for name in here if not (arguments.quick and name == "torch.compile")]
    else:
        arguments.contenders = arguments.contenders.split(",")
        if absent := [name for name in arguments.contenders if name not in here]:
            parser.error(f"not installed or not known: {', '.join(absent)}; there are {', '.join(here)}")
    return arguments


def _names(arguments: argparse.Namespace) -> list[str]:
    return [row.name for row in arguments.rows] + [IMPORTS] * (not arguments.operations)


def contest(arguments: argparse.Namespace, run: Run, gauge: Gauge | None) -> None:
    rows = [row for row in arguments.rows if re.search(arguments.only, row.name) and not (arguments.quick and row.huge)]
    if not rows:
        return
    contenders = [Contender(name, arguments.threads) for name in arguments.contenders]
    busy = BusyProcess() if arguments.beside else None
    try:
        for contender in contenders:
            contender.receive()
        own = [os.getpid(), *(contender.process.pid for contender in contenders), *([busy.process.pid] if busy else [])]
        neighbours = Neighbours(own)
        for i, row in enumerate(rows):
            print(f"{i + 1}/{len(rows)} {row.name}", file=sys.stderr, flush=True)
            run.results.append(hold(row, contenders, run.rounds, run.burst_seconds, gauge, busy))
            if i % 16 == 0 or i + 1 == len(rows):  # it looks at every process of the machine
                run.neighbours = neighbours.report()
            if arguments.json:
                run.write(arguments.json)
    finally:
        for contender in contenders:
            contender.close()
        if busy:
            busy.close()


def show(run: Run) -> None:
    contenders = [name for name in MODULES if any(name in result.seconds for result in run.results)]
    print(report.machine_text(run.machine), end="\n\n")
    if run.imports:
        print(report.imports_text(run.imports), end="\n\n")
    if run.results:
        print(
            f"{run.rounds} rounds of {run.burst_seconds:g} s; × is lamina's speed over the other's, [quarter points]\n"
        )
        print(report.table(run.results, contenders, run.machine), end="\n\n")
    if any(result.beside for result in run.results):
        print("Beside a busy process, a run takes so many times what it takes without:\n")
        print(report.beside_table(run.results, contenders), end="\n\n")
    if run.neighbours:
        print(report.neighbours_text(run.neighbours), end="\n\n")
    print("\n".join(verdicts(run.results, run.imports, run.wheel_bytes)))


def main() -> int:
    arguments = parse_arguments()
    if arguments.list:
        print("\n".join(_names(arguments)))
        return 0
    if arguments.merge:
        show(Run.merged([Run.read(file) for file in arguments.merge]))
        return 0
    rounds = arguments.rounds or (5 if arguments.quick else 15)
    run = Run(
        limits(arguments.threads, arguments.memory), rounds, arguments.seconds or (0.05 if arguments.quick else 0.2)
    )
    if re.search(arguments.only, IMPORTS) and not arguments.operations:
        run.imports = import_costs(rounds, [name for name in arguments.contenders if name in MODULES])
    if arguments.wheel:
        run.wheel_bytes = arguments.wheel.stat().st_size
    contest(arguments, run, Gauge(arguments.threads, run.machine["fma_all"]) if arguments.undisturbed else None)
    show(run)
    if arguments.json:
        run.write(arguments.json)
    return int(any(result.failures for result in run.results))


if __name__ == "__main__":
    sys.exit(main())
