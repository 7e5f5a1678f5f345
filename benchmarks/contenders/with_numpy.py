"""NumPy with the gradients written by hand: weights lie as [in][out], what can be done in place is done in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import repeat
from typing import Any

import numpy as np
from numpy import add, argmax, exp, log, maximum, multiply, tanh

from .. import arrays
from . import Prepared

Array = arrays.Array
Layer = arrays.Layer


def by_columns(weights: Sequence[Layer]) -> list[Layer]:
    return [(np.ascontiguousarray(weight.T), bias.copy()) for weight, bias in weights]


def linear(x: Array, layer: Layer) -> Array:
    out = x @ layer[0]
    return add(out, layer[1], out=out)


def linear_relu(x: Array, layer: Layer) -> Array:
    out = linear(x, layer)
    return maximum(out, 0, out=out)


def forward(x: Array, weights: Sequence[Layer]) -> list[Array]:
    """The input and each layer's output; ReLU after all but the last."""
    values = [x]
    for layer in weights[:-1]:
        values.append(linear_relu(values[-1], layer))
    values.append(linear(values[-1], weights[-1]))
    return values


def backward(values: Sequence[Array], weights: Sequence[Layer], gradient: Array) -> list[Layer]:
    """The gradients of the layers of `forward`, given that of the last output. Nobody wants the input's."""
    found: list[Layer] = []
    for i in reversed(range(len(weights))):
        found.append((values[i].T @ gradient, gradient.sum(0)))
        if i:
            gradient = gradient @ weights[i][0].T
            multiply(gradient, values[i] > 0, out=gradient)
    return found[::-1]


def cross_entropy_loss(scores: Array, labels: Array) -> Array:
    return (logsumexp(scores, 1) - scores[np.arange(len(scores)), labels]).mean()


def cross_entropy(scores: Array, labels: Array) -> tuple[float, Array]:
    """The mean loss, and its gradient for the scores (N, C)."""
    rows = np.arange(len(scores))
    shifted = scores - scores.max(1, keepdims=True)
    probabilities = exp(shifted)
    sums = probabilities.sum(1, keepdims=True)
    loss = float((log(sums[:, 0]) - shifted[rows, labels]).mean())
    probabilities /= sums
    probabilities[rows, labels] -= 1
    probabilities /= len(scores)
    return loss, probabilities


def sgd(weights: Sequence[Layer]) -> Callable[[Sequence[Layer]], None]:
    def update(gradients: Sequence[Layer]) -> None:
        for layer, gradient in zip(weights, gradients):
            for value, change in zip(layer, gradient):
                change *= np.float32(1e-4)
                value -= change

    return update


def adam(weights: Sequence[Layer]) -> Callable[[Sequence[Layer]], None]:
    state = [[(np.zeros_like(value), np.zeros_like(value)) for value in layer] for layer in weights]
    steps = 0

    def update(gradients: Sequence[Layer]) -> None:
        nonlocal steps
        steps += 1
        rate, root = np.float32(1e-4 / (1 - 0.9**steps)), np.float32((1 - 0.999**steps) ** 0.5)
        for layer, gradient, moments in zip(weights, gradients, state):
            for value, change, (first, second) in zip(layer, gradient, moments):
                first *= np.float32(0.9)
                first += np.float32(0.1) * change
                second *= np.float32(0.999)
                multiply(change, change, out=change)
                change *= np.float32(0.001)
                second += change
                np.sqrt(second, out=change)
                change /= root
                change += np.float32(1e-8)
                np.divide(first, change, out=change)
                change *= rate
                value -= change

    return update


def logsumexp(x: Array, axis: int) -> Array:
    top = x.max(axis, keepdims=True)
    out = x - top
    return log(exp(out, out=out).sum(axis)) + top.squeeze(axis)


def softmax(x: Array, axis: int) -> Array:
    out = x - x.max(axis, keepdims=True)
    exp(out, out=out)
    out /= out.sum(axis, keepdims=True)
    return out


def layer_norm(x: Array) -> Array:
    out = x - x.mean(-1, keepdims=True)
    out /= np.sqrt(np.vecdot(out, out)[:, None] / np.float32(x.shape[-1]) + np.float32(1e-5))
    return out


def relu_tanh(x: Array) -> Array:
    out = multiply(x, np.float32(2))
    add(out, np.float32(1), out=out)
    tanh(out, out=out)
    return maximum(out, 0, out=out)


REDUCTIONS: dict[str, Callable[[Array, int], Any]] = {
    "sum": lambda x, axis: add.reduce(x, axis),
    "max": lambda x, axis: maximum.reduce(x, axis),
    "argmax": lambda x, axis: argmax(x, axis),
    "softmax": softmax,
    "logsumexp": logsumexp,
    "mean": lambda x, axis: x.mean(axis),
    "var": lambda x, axis: x.var(axis, ddof=1),
    "sum(x * x)": lambda x, axis: np.vecdot(x, x),
    "layer_norm": lambda x, axis: layer_norm(x),
}
ELEMENTWISE: dict[str, Callable[[Array], Any]] = {
    "relu": lambda x: maximum(x, 0),
    "relu(tanh(2x+1))": relu_tanh,
}


class Programs:
    def forward_only(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def record(self, count: int) -> Prepared:
        a, b = arrays.normal(2, 20), arrays.normal(2, 20, seed=5)

        def run() -> None:
            for _ in repeat(None, count):
                a + b

        return Prepared(run, lambda: a + b)

    def mlp_forward(self, sizes: Sequence[int], batch: int) -> Prepared:
        weights, x = by_columns(arrays.layers(sizes)), arrays.normal(batch, sizes[0])

        def run() -> Array:
            return forward(x, weights)[-1]

        return Prepared(run, run)

    def mlp_backward(self, sizes: Sequence[int], batch: int) -> Prepared:
        weights, x = by_columns(arrays.layers(sizes)), arrays.normal(batch, sizes[0])

        def run() -> tuple[float, list[Layer]]:
            values = forward(x, weights)
            return float(values[-1].sum()), backward(values, weights, np.ones_like(values[-1]))

        return Prepared(run, lambda: run()[1][0][0].T)

    def mlp_step(self, sizes: Sequence[int], batch: int, optimizer: str) -> Prepared:
        weights, x = by_columns(arrays.layers(sizes)), arrays.normal(batch, sizes[0])
        labels, update = arrays.labels(batch, sizes[-1]), {"SGD": sgd, "Adam": adam}[optimizer](weights)

        def run() -> float:
            values = forward(x, weights)
            loss, gradient = cross_entropy(values[-1], labels)
            update(backward(values, weights, gradient))
            return loss

        return Prepared(run, lambda: [run() for _ in range(3)])

    def chimera_forward(self) -> Prepared:
        weights, constant = arrays.chimera()
        layers, x = by_columns(weights), arrays.normal(2, 20)

        def run() -> Any:
            hidden = linear(linear(forward(x, layers[:3])[-1], layers[3]), layers[4])
            hidden = linear(maximum(hidden @ constant + np.float32(1), 0), layers[4])
            while np.abs(hidden).sum() > 1:
                hidden /= 2
            return hidden.sum()

        return Prepared(run, run)

    def residual_forward(self, count: int, width: int, batch: int) -> Prepared:
        blocks = [by_columns(block) for block in arrays.blocks(count, width)]
        x = arrays.normal(batch, width)

        def run() -> Array:
            out = x
            for first, second in blocks:
                change = linear(linear_relu(out, first), second)
                out = add(change, out, out=change)
            return out

        return Prepared(run, run)

    def linear(self, rows: int, inputs: int, outputs: int) -> Prepared:
        (layer,), x = by_columns(arrays.layers((inputs, outputs))), arrays.normal(rows, inputs)
        return Prepared(lambda: linear(x, layer), lambda: linear(x, layer))

    def linear_backward(self, rows: int, inputs: int, outputs: int) -> Prepared:
        (layer,), x = by_columns(arrays.layers((inputs, outputs))), arrays.normal(rows, inputs)
        factor = arrays.normal(rows, outputs, seed=9)

        def run() -> tuple[float, Array, Array, Array]:
            loss = float(np.vdot(linear(x, layer), factor))
            return loss, factor @ layer[0].T, x.T @ factor, factor.sum(0)

        def probe() -> list[float]:
            loss, _, change, _ = run()
            return [loss, *change[:, 0]]

        return Prepared(run, probe)

    def matmul(self, batch: int, rows: int, depth: int, columns: int, dtype: str, transposed: bool) -> Prepared:
        a, b = arrays.factors(batch, rows, depth, columns, dtype, transposed)
        second = b.mT if transposed else b
        return Prepared(lambda: a @ second, lambda: a @ second)

    def reduction(self, name: str, shape: Sequence[int], axis: int) -> Prepared:
        x = arrays.normal(*shape)
        if name == "cross_entropy":
            labels = arrays.labels(shape[0], shape[-1])
            return Prepared(lambda: cross_entropy_loss(x, labels), lambda: cross_entropy_loss(x, labels))
        function = REDUCTIONS[name]
        return Prepared(lambda: function(x, axis), lambda: function(x, axis))

    def cross_entropy_backward(self, rows: int, width: int) -> Prepared:
        x, labels = arrays.normal(rows, width), arrays.labels(rows, width)
        return Prepared(lambda: cross_entropy(x, labels), lambda: cross_entropy(x, labels)[1])

    def elementwise(self, name: str, count: int) -> Prepared:
        function, x = ELEMENTWISE[name], arrays.normal(count)
        return Prepared(lambda: function(x), lambda: function(x))


def make(threads: int) -> Programs:
    """The number of BLAS threads was set by the worker, before NumPy was loaded."""
    return Programs()
