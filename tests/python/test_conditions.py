"""Conditions that programs state."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import lamina


@pytest.mark.parametrize(
    ("check", "error"),
    [
        (lamina._check, RuntimeError),
        (lamina._check_index, IndexError),
        (lamina._check_not_implemented, NotImplementedError),
        (lamina._check_type, TypeError),
        (lamina._check_value, ValueError),
    ],
)
def test_conditions_raise_their_errors(check: Callable[..., None], error: type[Exception]) -> None:
    check(True)
    with pytest.raises(error, match="got 3"):
        check(False, lambda: "got 3")
    with pytest.raises(error, match="Expected cond to be True"):
        check(False)
    with pytest.raises(TypeError, match="cond must be a bool"):
        check(1)
    with pytest.raises(TypeError, match="must be a callable"):
        check(False, "got 3")


def test_conditions_on_tensors() -> None:
    lamina._check_tensor_all(lamina.tensor([True, True]))
    with pytest.raises(RuntimeError, match="odd"):
        lamina._check_tensor_all(lamina.tensor([True, False]), lambda: "odd")
    with pytest.raises(TypeError, match=r"must have dtype torch\.bool"):
        lamina._check_tensor_all(lamina.tensor([1]))
    with pytest.raises(TypeError, match="must be a tensor"):
        lamina._check_tensor_all([True])


def test_assert() -> None:
    lamina._assert(lamina.tensor(True), "never seen")
    with pytest.raises(AssertionError, match="not so"):
        lamina._assert(lamina.tensor(False), "not so")
