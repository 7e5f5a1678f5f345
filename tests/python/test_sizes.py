"""Sizes as programs write them; and names that libraries ask PyTorch's compiled module for."""

from __future__ import annotations

import numpy as np

import lamina


def test_tensors_of_one_number_are_sizes() -> None:
    a, three = lamina.arange(3.0), lamina.tensor(3)
    assert a.repeat(three).tolist() == [0, 1, 2] * 3
    assert a.repeat(three, np.int64(2)).shape == (3, 6)
    assert a.tile(three).tolist() == [0, 1, 2] * 3
    assert a.roll(lamina.tensor(1), np.int64(0)).tolist() == [2, 0, 1]


def test_names_that_libraries_ask_pytorch_for() -> None:
    a = lamina.ones(1)
    assert a._cdata == a._cdata != lamina.ones(1)._cdata
    assert lamina._C._get_tracing_state() is None
    assert lamina._C._log_api_usage_once("anything") is None
    assert lamina._C.Generator is lamina.Generator
