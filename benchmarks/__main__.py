"""The command line: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path

from . import report
from .contenders import MODULES, installed
from .contest import Contender, Result, hold
from .imports import import_costs
from .machine import Gauge, limits
from .processes import Neighbours
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
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured there")
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
    if not any(re.search(arguments.only, name) for name in [*(row.name for row in WORKLOADS), IMPORTS]):
        parser.error(f"--only: no row matches {arguments.only!r}; --list shows them")
    here = installed()
    if arguments.contenders is None:
        arguments.contenders = [name for name in here if not (arguments.quick and name == "torch.compile")]
    else:
        arguments.contenders = arguments.contenders.split(",")
        if absent := [name for name in arguments.contenders if name not in here]:
            parser.error(f"not installed or not known: {', '.join(absent)}; there are {', '.join(here)}")
    return arguments


def contest(
    arguments: argparse.Namespace, rounds: int, seconds: float, gauge: Gauge | None
) -> tuple[list[Result], dict[str, object]]:
    rows = [row for row in WORKLOADS if re.search(arguments.only, row.name) and not (arguments.quick and row.huge)]
    if not rows:
        return [], {}
    contenders = [Contender(name, arguments.threads) for name in arguments.contenders]
    try:
        for contender in contenders:
            contender.receive()
        neighbours = Neighbours([os.getpid(), *(contender.process.pid for contender in contenders)])
        results = []
        for i, row in enumerate(rows):
            print(f"{i + 1}/{len(rows)} {row.name}", file=sys.stderr, flush=True)
            results.append(hold(row, contenders, rounds, seconds, gauge))
        return results, neighbours.report()
    finally:
        for contender in contenders:
            contender.close()


def main() -> int:
    arguments = parse_arguments()
    if arguments.list:
        print("\n".join([*(row.name for row in WORKLOADS), IMPORTS]))
        return 0
    rounds = arguments.rounds or (5 if arguments.quick else 15)
    seconds = arguments.seconds or (0.05 if arguments.quick else 0.2)
    machine = limits(arguments.threads, arguments.memory)
    print(report.machine_text(machine), end="\n\n")
    imports = None
    if re.search(arguments.only, IMPORTS):
        imports = import_costs(rounds, [name for name in arguments.contenders if name in MODULES])
        print(report.imports_text(imports), end="\n\n")
    gauge = Gauge(arguments.threads, machine["fma_all"]) if arguments.undisturbed else None
    results, neighbours = contest(arguments, rounds, seconds, gauge)
    if results:
        print(f"{rounds} rounds of {seconds:g} s each; × is lamina's speed over the other's, [25–75 % of the rounds]\n")
        print(report.table(results, arguments.contenders, machine), end="\n\n")
        print(report.neighbours_text(neighbours), end="\n\n")
    wheel_bytes = arguments.wheel.stat().st_size if arguments.wheel else None
    judged = verdicts(results, imports, wheel_bytes)
    print("\n".join(judged))
    if arguments.json:
        everything = {
            "machine": machine,
            "imports": imports,
            "neighbours": neighbours,
            "rounds": rounds,
            "burst_seconds": seconds,
            "wheel_bytes": wheel_bytes,
            "results": [result.as_json() for result in results],
            "verdicts": judged,
        }
        arguments.json.write_text(json.dumps(everything, indent=1) + "\n")
    return int(any(result.failures for result in results))


if __name__ == "__main__":
    sys.exit(main())
