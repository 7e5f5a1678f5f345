"""The benchmark program runs, compares the contenders' numbers, and writes what it promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_benchmarks_one_row(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    options = ["--contenders", "lamina,numpy", "--rounds", "2", "--seconds", "0.01", "--threads", "1", "--memory", "16"]
    done = _benchmarks("--only", "seed net.*backward", *options, "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    written: dict[str, Any] = json.loads(file.read_text())
    (result,) = written["results"]
    assert result["failures"] == {}  # so both computed the same gradient
    assert result["seconds"].keys() == {"lamina", "numpy"}
    for seconds in result["seconds"].values():
        assert len(seconds) == 2
        assert all(1e-7 < second < 1 for second in seconds)
    assert written["machine"]["fma_all"] > 0.1
    assert written["machine"]["read_memory"] > 0.1
    assert written["neighbours"]["processors"] == os.cpu_count()
    assert "seed net 20-256-10, batch 2: forward + backward" in done.stdout
    assert "×" in done.stdout


def test_benchmarks_nets(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    options = ["--contenders", "lamina", "--rounds", "1", "--seconds", "0.01", "--threads", "1", "--memory", "16"]
    done = _benchmarks("--only", "^(LSTM|GPT|U-Net|PPO|PINN|tabular),.*", *options, "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    results: list[dict[str, Any]] = json.loads(file.read_text())["results"]
    assert len(results) == 8
    assert all(result["failures"] == {} and result["seconds"]["lamina"] for result in results)


def test_benchmarks_beside_a_busy_process_and_merged(tmp_path: Path) -> None:
    options = ["--contenders", "lamina", "--rounds", "1", "--seconds", "0.01", "--threads", "1", "--memory", "16"]
    files = [tmp_path / name for name in ("first.json", "second.json")]
    for file, rows in zip(files, ("^(sum|max), 10.3", "^sum, 10.3")):
        done = _benchmarks("--only", rows, "--beside", *options, "--json", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
    done = _benchmarks("--merge", *map(str, files))
    assert done.returncode == 0, done.stderr
    tables = done.stdout.split("Beside a busy process")
    assert [table.count("\nsum, 10^3 ") + table.count("\nmax, 10^3 ") for table in tables] == [2, 2]
    second = json.loads(files[1].read_text())["results"][0]
    (quiet,), (beside,) = second["seconds"]["lamina"], second["beside"]["lamina"]
    assert f"\nsum, 10^3 | {beside / quiet:.2f}" in tables[1]  # the later run's


def test_benchmarks_operations(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    options = ["--contenders", "lamina", "--rounds", "1", "--seconds", "0.001", "--threads", "1", "--memory", "16"]
    done = _benchmarks("--operations", "--only", "^op .*, 64: ", *options, "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    results: list[dict[str, Any]] = json.loads(file.read_text())["results"]
    assert len(results) > 200
    assert all(result["failures"] == {} and result["seconds"]["lamina"] for result in results)


def test_benchmarks_list_names_operations_once() -> None:
    names = _benchmarks("--operations", "--list").stdout.splitlines()
    assert len(names) == len(set(names)) > 400


def test_benchmarks_list_names_rows_once() -> None:
    done = _benchmarks("--list")
    names = done.stdout.splitlines()
    assert done.returncode == 0
    assert len(names) == len(set(names)) > 30
    assert "imports" in names


@pytest.mark.parametrize("wrong", [("--contenders", "abacus"), ("--threads", "0"), ("--only", "no such row")])
def test_benchmarks_wrong_arguments(wrong: tuple[str, str]) -> None:
    done = _benchmarks(*wrong)
    assert done.returncode != 0
    assert wrong[1] in done.stderr or wrong[0] in done.stderr
