"""The switches for deterministic algorithms: what was asked can be asked for again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import lamina


@pytest.fixture(autouse=True)
def _off_again() -> Iterator[None]:
    yield
    lamina.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    ("mode", "warn_only", "number", "name"),
    [(False, False, 0, "default"), (True, True, 1, "warn"), (True, False, 2, "error")],
)
def test_switches(mode: bool, warn_only: bool, number: int, name: str) -> None:
    for call in (
        lambda: lamina.use_deterministic_algorithms(mode, warn_only=warn_only),
        lambda: lamina.set_deterministic_debug_mode(number),
        lambda: lamina.set_deterministic_debug_mode(name),
    ):
        lamina.use_deterministic_algorithms(not mode, warn_only=not warn_only)
        call()
        assert lamina.are_deterministic_algorithms_enabled() is mode
        assert lamina.is_deterministic_algorithms_warn_only_enabled() is warn_only
        assert lamina.get_deterministic_debug_mode() == number


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: lamina.use_deterministic_algorithms(1), TypeError, "'mode' .position 1. must be bool, not int"),  # type: ignore[arg-type]
        (lambda: lamina.use_deterministic_algorithms(True, warn_only=1), TypeError, "'warn_only' must be bool"),  # type: ignore[arg-type]
        (lambda: lamina.set_deterministic_debug_mode("x"), RuntimeError, "expected one of `default`, `warn`, `error`"),
        (lambda: lamina.set_deterministic_debug_mode(3), RuntimeError, "expected 0, 1, or 2"),
        (lambda: lamina.set_deterministic_debug_mode(None), TypeError, "must be str or int"),  # type: ignore[arg-type]
    ],
)
def test_refused(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
