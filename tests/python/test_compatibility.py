"""docs/compatibility.md is what its script writes, and says how what differs differs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "compatibility"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_compatibility", FOLDER / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(script: ModuleType) -> None:
    assert script.PAGE.read_text() == script.page(), "run python docs/compatibility/generate.py"


def test_every_difference_has_a_reason_and_is_of_a_name_that_is_there(script: ModuleType) -> None:
    page = script.page()
    for name, how in script.differences().items():
        assert len(how) > 10, name
        assert f"| `{name.rpartition('.')[2]}` | {how} |" in page, name


def test_every_test_left_out_has_a_reason(script: ModuleType) -> None:
    for line in (FOLDER / "left_out.txt").read_text().splitlines():
        assert line.startswith("#") or len(line.split(" | ", 2)) == 3, line
