"""Leaves out of the thread sanitizer's run what stays on one thread: a plugin of pytest's, which .ci/run alone loads.

`--write-single-threaded FILE` lists the tests that passed with no work offered to a second thread, and neither a thread
nor a process started. `--skip-single-threaded FILE` runs all others: so what is new, or failed, is never left out.
"""

from __future__ import annotations

import functools
import multiprocessing.process
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lamina import _core

_PROCESS_EVENTS = {"os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"}
_PROPERTY = "single-threaded"  # of a test's report, in which it comes from xdist's workers
_count_before = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("single-threaded")
    group.addoption("--write-single-threaded", type=Path, metavar="FILE", help="list the tests that stay on one thread")
    group.addoption("--skip-single-threaded", type=Path, metavar="FILE", help="do not run the tests in that list")
    group.addoption("--at-least", type=int, default=0, metavar="N", help="fail if fewer tests than that are run")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.write_single_threaded:
        config.pluginmanager.register(Recorder())
    config.pluginmanager.register(Counter(config.option.at_least))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.skip_single_threaded:
        known = set(config.option.skip_single_threaded.read_text().splitlines())
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in known])
        items[:] = [item for item in items if item.nodeid not in known]


class Recorder:
    def __init__(self) -> None:
        self.starts = 0
        self.single_threaded: list[str] = []
        sys.addaudithook(self._audit)
        for kind in (threading.Thread, multiprocessing.process.BaseProcess):
            kind.start = self._counted(kind.start)

    def _audit(self, event: str, _arguments: tuple[object, ...]) -> None:
        if event in _PROCESS_EVENTS:
            self.starts += 1

    def _counted(self, start: Callable[[Any], None]) -> Callable[[Any], None]:
        @functools.wraps(start)
        def counted(startable: Any) -> None:
            self.starts += 1
            start(startable)

        return counted

    def _count(self) -> int:
        return self.starts + _core._second_thread_count()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        item.stash[_count_before] = self._count()
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None:  # a failed or skipped test may not have come to what it does with threads
            item.stash[_count_before] = -1
        if call.when == "teardown" and item.stash[_count_before] == self._count():
            item.user_properties.append((_PROPERTY, True))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown" and dict(report.user_properties).get(_PROPERTY):
            self.single_threaded.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not hasattr(session.config, "workerinput"):
            session.config.option.write_single_threaded.write_text("\n".join(sorted(self.single_threaded)) + "\n")


class Counter:
    """Fails a run of too few tests."""

    def __init__(self, at_least: int) -> None:
        self.at_least = at_least
        self.count = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.count += report.when == "teardown"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.count < self.at_least and not hasattr(session.config, "workerinput"):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.at_least:
            terminalreporter.write_line(f"{self.count} tests were run, which must be at least {self.at_least}")
