"""Runs the C++ tests: every GoogleTest case is a test of its own here, so that none is left out unseen.

They are built when pytest collects this file. LAMINA_CPP_PRESET=asan or tsan runs them under a sanitizer.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cpp_build import ROOT, BuildError, build, list_cases

TIMEOUT_SECONDS = 300
SOURCES = sorted((ROOT / "tests" / "cpp").glob("test_*.cpp"))
# Allocations that must fail are part of the tests; the sanitizer would end the process at them.
ENVIRONMENT = {
    "ASAN_OPTIONS": "allocator_may_return_null=1",
    "TSAN_OPTIONS": "allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def binary_of(source: Path) -> Path:
    return build() / "tests" / "cpp" / source.stem


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    reporter = metafunc.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line("building the C++ tests (a minute or two in a fresh checkout) ...")
    try:
        build()
    except BuildError:
        # test_build shows the error; without cases nothing would say that they did not run.
        metafunc.parametrize(("source", "case"), [pytest.param(None, None, id="not-built")])
        return
    metafunc.parametrize(
        ("source", "case"),
        [
            pytest.param(source, case, id=f"{source.stem}:{case}")
            for source in SOURCES
            for case in list_cases(binary_of(source))
        ],
    )


def test_build() -> None:
    try:
        build()
    except BuildError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_every_source_has_cases(source: Path) -> None:
    if not binary_of(source).exists():
        pytest.fail(f"{source.name} was not built: see test_build", pytrace=False)
    assert list_cases(binary_of(source))


def test_gtest(source: Path | None, case: str | None) -> None:
    if source is None or case is None:
        pytest.fail("the C++ tests were not built: see test_build", pytrace=False)
    environment = {**ENVIRONMENT, **{name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}}
    command = [str(binary_of(source)), f"--gtest_filter={case}", "--gtest_also_run_disabled_tests", "--gtest_color=no"]
    done = subprocess.run(
        command,
        env=environment,
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"exit code {done.returncode}\n{done.stdout[-20000:]}", pytrace=False)
    if "[  SKIPPED ] 1 test" in done.stdout:
        pytest.skip(done.stdout)
    assert "[  PASSED  ] 1 test." in done.stdout, done.stdout
