"""The plugin by which the thread sanitizer's run leaves out what stays on one thread."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
import multiprocessing, os, subprocess, sys, threading
import pytest
import lamina

def alone(): lamina.ones(3, 3).sum().item()
def several(): (lamina.ones(500, 500) @ lamina.ones(500, 500)).sum().item()
def thread(): threading.Thread(target=alone).start()
def program(): subprocess.run([sys.executable, "-c", ""], check=True)
def process(): multiprocessing.get_context("spawn").Process(target=int).start()
def fails(): assert False
def skips(): pytest.skip("not here")
def fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)

@pytest.fixture
def prepared(): lamina.set_num_threads(2); several()

@pytest.mark.parametrize("work", [alone, several, thread, program, process, fork, fails, skips])
def test(work): work()

def test_prepared(prepared): alone()
"""


def _run(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "LAMINA_NUM_THREADS": "2"}
    environment.pop("PYTEST_ADDOPTS", None)
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # hypothesis alone takes a second in each process
    plugins = ["-p", "xdist.plugin", "-p", "single_threaded"]
    command = [sys.executable, "-m", "pytest", "-v", *plugins, *options, "test_it.py"]
    return subprocess.run(command, cwd=directory, env=environment, text=True, capture_output=True, check=False)


def test_only_what_stayed_on_one_thread_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    done = _run(tmp_path, "--write-single-threaded=single.txt", "-n", "2")
    assert (tmp_path / "single.txt").read_text() == "test_it.py::test[alone]\n", done.stdout + done.stderr
    done = _run(tmp_path, "--skip-single-threaded=single.txt", "--at-least=8", "-n", "2")
    assert "1 failed, 6 passed, 1 skipped" in done.stdout
    assert "test[alone]" not in done.stdout


def test_too_few_tests_fail_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test() -> None: pass\n")
    assert _run(tmp_path, "--at-least=1").returncode == 0
    done = _run(tmp_path, "--at-least=2")
    assert done.returncode == 1
    assert "1 tests were run, which must be at least 2" in done.stdout
