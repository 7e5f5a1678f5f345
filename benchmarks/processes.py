"""What Linux says about processes: how much of the processors each has taken, and what else was running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Time on a processor of all threads of a process; 0 for one that is gone."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(task.read_text().split()[0])
        except (OSError, IndexError):
            continue  # the thread has ended meanwhile
    return total * 1e-9


def wait_until_idle(pids: list[int], patience: float = 0.5) -> bool:
    """Sleeps until the processes took less than a millisecond in the last 20: thread pools spin on for a while.

    Returns whether they came to rest within `patience` seconds.
    """
    end = time.perf_counter() + patience
    before = sum(map(cpu_seconds, pids))
    while True:
        time.sleep(0.02)
        now = sum(map(cpu_seconds, pids))
        if now - before < 1e-3:
            return True
        if time.perf_counter() > end:
            return False
        before = now


def busy_seconds() -> float:
    """Time that all processors together have spent on processes and in the kernel since the machine was started."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split(maxsplit=4)[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


class BusyProcess:
    """Somebody else's endless computation: runs inside of ``with``, stands still outside."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        self.process.send_signal(signal.SIGSTOP)

    def __enter__(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Neighbours:
    """Watches what runs beside the benchmark's own processes from when it is made."""

    def __init__(self, own: list[int]) -> None:
        self.own = own
        self.load_before = os.getloadavg()
        self.begin = time.perf_counter()
        self.busy_before, self.before = busy_seconds(), self._all()

    def report(self) -> dict[str, object]:
        """Load averages before and after, and the others' share of one processor: in all, and of the greediest.

        What has ended meanwhile, such as a compiler, counts in the whole only.
        """
        elapsed = time.perf_counter() - self.begin
        taken, busy = 0.0, []
        for pid, (name, seconds) in self._all().items():
            seconds -= self.before.get(pid, (name, 0.0))[1]
            if pid in self.own:
                taken += seconds
            elif seconds >= 0.01 * elapsed:
                busy.append((round(seconds / elapsed, 2), name))
        return {
            "load_before": self.load_before,
            "load_after": os.getloadavg(),
            "share": round(max(0.0, busy_seconds() - self.busy_before - taken) / elapsed, 2),
            "alive": sorted(busy, reverse=True)[:8],
            "processors": os.cpu_count(),
        }

    @staticmethod
    def _all() -> dict[int, tuple[str, float]]:
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                found[int(folder.name)] = (folder.joinpath("comm").read_text().strip(), cpu_seconds(int(folder.name)))
            except OSError:
                continue
        return found
