"""What Linux says about processes: how much of the processors each has taken, and what else was running."""

from __future__ import annotations

import os
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


class Neighbours:
    """Watches what runs beside the benchmark from when it is made."""

    def __init__(self) -> None:
        self.begin = time.perf_counter()
        self.load_before = os.getloadavg()
        self.before = self._all()

    def report(self, own: list[int]) -> dict[str, object]:
        """Load averages before and after, and the other processes' share of one processor, the greediest first."""
        elapsed = time.perf_counter() - self.begin
        shares = []
        for pid, (name, seconds) in self._all().items():
            share = (seconds - self.before.get(pid, (name, 0.0))[1]) / elapsed
            if pid not in own and share >= 0.01:
                shares.append((round(share, 2), name))
        shares.sort(reverse=True)
        return {
            "load_before": self.load_before,
            "load_after": os.getloadavg(),
            "busy": shares[:8],
            "share": round(sum(share for share, _ in shares), 2),
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
