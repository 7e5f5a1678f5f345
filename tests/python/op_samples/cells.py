"""Samples of recurrent cells, by the formulas of the papers that PyTorch names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lamina

from .row import FLOATS, Domain, Op, case

__all__ = ["OPS"]

Array = np.ndarray[Any, Any]


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _products(x: Array, h: Array, *weights: Array) -> tuple[Array, Array]:
    w_ih, w_hh, *biases = weights
    b_ih, b_hh = biases or (0, 0)
    return x @ w_ih.T + b_ih, h @ w_hh.T + b_hh


def _elman(activation: Callable[[Array], Array]) -> Callable[..., Array]:
    return lambda *operands: activation(np.add(*_products(*operands)))


def _gru(x: Array, h: Array, *weights: Array) -> Array:
    (r, z, n), (of_r, of_z, of_n) = (np.split(part, 3, 1) for part in _products(x, h, *weights))
    z = _sigmoid(z + of_z)
    return (1 - z) * np.tanh(n + _sigmoid(r + of_r) * of_n) + z * h


def _lstm(x: Array, h: Array, c: Array, *weights: Array) -> tuple[Array, Array]:
    i, f, g, o = np.split(np.add(*_products(x, h, *weights)), 4, 1)
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(c), c


def _op(name: str, reference: Callable[..., Any], gates: int, states: int = 1, **more: Any) -> Op:
    def sizes(batch: int, features: int, size: int, biases: int = 2) -> Any:
        rows = gates * size
        return case((batch, features), *[(batch, size)] * states, (rows, features), (rows, size), *[(rows,)] * biases)

    cases = (sizes(2, 3, 4), sizes(1, 3, 5, 0), sizes(0, 3, 2), sizes(3, 1, 17))
    return Op(name, reference, cases, domains=(Domain(-1, 1),), dtypes=FLOATS, rtol=1e-5, atol=1e-5, **more)


def _call_lstm(x: lamina.Tensor, h: lamina.Tensor, c: lamina.Tensor, *weights: lamina.Tensor) -> Any:
    return lamina.lstm_cell(x, (h, c), *weights)


OPS: tuple[Op, ...] = (
    _op("rnn_tanh_cell", _elman(np.tanh), 1),
    _op("rnn_relu_cell", _elman(lambda x: np.maximum(x, 0)), 1),
    _op("gru_cell", _gru, 3),
    _op("lstm_cell", _lstm, 4, states=2, call=_call_lstm),
)
