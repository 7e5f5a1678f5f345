"""JAX: everything jitted, the parameters of a step donated, blocks scanned, the chimera's loop a `while_loop`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import repeat
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import arrays
from . import Prepared


def linear(x: Any, layer: Any) -> Any:
    return x @ layer[0] + layer[1]


def forward(weights: Any, x: Any) -> Any:
    for layer in weights[:-1]:
        x = jax.nn.relu(linear(x, layer))
    return linear(x, weights[-1])


def residual(stacked: Any, x: Any) -> Any:
    def block(x: Any, layers: Any) -> tuple[Any, None]:
        first, second = layers
        return x + linear(jax.nn.relu(linear(x, first)), second), None

    return jax.lax.scan(block, x, stacked)[0]


def cross_entropy(scores: Any, labels: Any) -> Any:
    return -jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], 1).mean()


def by_columns(weights: Sequence[arrays.Layer]) -> list[Any]:
    return [(jnp.asarray(np.ascontiguousarray(weight.T)), jnp.asarray(bias)) for weight, bias in weights]


def sgd(weights: Any, gradients: Any, state: Any) -> tuple[Any, Any]:
    return jax.tree.map(lambda value, change: value - 1e-4 * change, weights, gradients), state


def adam(weights: Any, gradients: Any, state: Any) -> tuple[Any, Any]:
    steps, first, second = state
    steps = steps + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    rate, root = 1e-4 / (1 - 0.9**steps), jnp.sqrt(1 - 0.999**steps)
    weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) / root + 1e-8), weights, first, second)
    return weights, (steps, first, second)


def initial_state(optimizer: str, weights: Any) -> Any:
    if optimizer == "SGD":
        return ()
    return jnp.float32(0), jax.tree.map(jnp.zeros_like, weights), jax.tree.map(jnp.zeros_like, weights)


def called(function: Callable[..., Any], *operands: Any) -> Prepared:
    """Jitted; the result is waited for and seen by NumPy."""
    compiled = jax.jit(function)

    def run() -> arrays.Array:
        return np.asarray(compiled(*operands))

    return Prepared(run, run)


def layer_norm(x: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)


REDUCTIONS: dict[str, Callable[[Any, int], Any]] = {
    "sum": lambda x, axis: x.sum(axis),
    "max": lambda x, axis: x.max(axis),
    "argmax": lambda x, axis: x.argmax(axis),
    "softmax": lambda x, axis: jax.nn.softmax(x, axis),
    "logsumexp": lambda x, axis: jax.nn.logsumexp(x, axis),
    "mean": lambda x, axis: x.mean(axis),
    "var": lambda x, axis: x.var(axis, ddof=1),
    "sum(x * x)": lambda x, axis: (x * x).sum(axis),
    "layer_norm": lambda x, axis: layer_norm(x),
}
ELEMENTWISE: dict[str, Callable[[Any], Any]] = {
    "relu": jax.nn.relu,
    "relu(tanh(2x+1))": lambda x: jax.nn.relu(jnp.tanh(2 * x + 1)),
}


class Programs:
    def forward_only(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def record(self, count: int) -> Prepared:
        a, b = jnp.asarray(arrays.normal(2, 20)), jnp.asarray(arrays.normal(2, 20, seed=5))

        def run() -> None:
            for _ in repeat(None, count):
                a + b

        return Prepared(run, lambda: np.asarray(a + b))

    def mlp_forward(self, sizes: Sequence[int], batch: int) -> Prepared:
        return called(forward, by_columns(arrays.layers(sizes)), jnp.asarray(arrays.normal(batch, sizes[0])))

    def mlp_backward(self, sizes: Sequence[int], batch: int) -> Prepared:
        weights, x = by_columns(arrays.layers(sizes)), jnp.asarray(arrays.normal(batch, sizes[0]))
        compiled = jax.jit(jax.value_and_grad(lambda weights, x: forward(weights, x).sum()))

        def run() -> Any:
            return jax.block_until_ready(compiled(weights, x))

        return Prepared(run, lambda: np.asarray(run()[1][0][0]).T)

    def mlp_step(self, sizes: Sequence[int], batch: int, optimizer: str) -> Prepared:
        weights = by_columns(arrays.layers(sizes))
        return self._step(forward, weights, arrays.normal(batch, sizes[0]), sizes[-1], optimizer)

    def chimera_forward(self) -> Prepared:
        weights, constant = arrays.chimera()

        def chimera(layers: Any, constant: Any, x: Any) -> Any:
            hidden = linear(linear(forward(layers[:3], x), layers[3]), layers[4])
            hidden = linear(jax.nn.relu(hidden @ constant + 1), layers[4])
            hidden = jax.lax.while_loop(lambda x: jnp.abs(x).sum() > 1, lambda x: x / 2, hidden)
            return hidden.sum()

        return called(chimera, by_columns(weights), jnp.asarray(constant), jnp.asarray(arrays.normal(2, 20)))

    def residual_forward(self, count: int, width: int, batch: int) -> Prepared:
        return called(residual, self._stacked(count, width), jnp.asarray(arrays.normal(batch, width)))

    def residual_step(self, count: int, width: int, batch: int) -> Prepared:
        return self._step(residual, self._stacked(count, width), arrays.normal(batch, width), width, "SGD")

    def linear(self, rows: int, inputs: int, outputs: int) -> Prepared:
        (layer,) = by_columns(arrays.layers((inputs, outputs)))
        return called(linear, jnp.asarray(arrays.normal(rows, inputs)), layer)

    def linear_backward(self, rows: int, inputs: int, outputs: int) -> Prepared:
        (layer,) = by_columns(arrays.layers((inputs, outputs)))
        x, factor = jnp.asarray(arrays.normal(rows, inputs)), jnp.asarray(arrays.normal(rows, outputs, seed=9))

        def loss_of(x: Any, layer: Any, factor: Any) -> Any:
            return (linear(x, layer) * factor).sum()

        compiled = jax.jit(jax.value_and_grad(loss_of, (0, 1)))

        def run() -> Any:
            return jax.block_until_ready(compiled(x, layer, factor))

        def probe() -> list[float]:
            loss, (_, (change, _)) = run()
            return [float(loss), *np.asarray(change)[:, 0]]

        return Prepared(run, probe)

    def matmul(self, batch: int, rows: int, depth: int, columns: int, dtype: str, transposed: bool) -> Prepared:
        factors = arrays.factors(batch, rows, depth, columns, dtype, transposed)
        with jax.enable_x64(dtype == "float64"):
            a, b = map(jnp.asarray, factors)
        compiled = jax.jit(lambda a, b: a @ (b.mT if transposed else b))

        def run() -> arrays.Array:
            with jax.enable_x64(dtype == "float64"):
                return np.asarray(compiled(a, b))

        return Prepared(run, run)

    def reduction(self, name: str, shape: Sequence[int], axis: int) -> Prepared:
        x = jnp.asarray(arrays.normal(*shape))
        if name == "cross_entropy":
            return called(cross_entropy, x, jnp.asarray(arrays.labels(shape[0], shape[-1])))
        return called(lambda x: REDUCTIONS[name](x, axis), x)

    def cross_entropy_backward(self, rows: int, width: int) -> Prepared:
        labels = jnp.asarray(arrays.labels(rows, width))
        return called(jax.grad(cross_entropy), jnp.asarray(arrays.normal(rows, width)), labels)

    def layer_norm_backward(self, rows: int, width: int) -> Prepared:
        weight, bias, factor = map(jnp.asarray, arrays.norm(width))

        def loss(x: Any, weight: Any, bias: Any, factor: Any) -> Any:
            return ((layer_norm(x) * weight + bias) * factor).sum()

        return called(jax.grad(loss), jnp.asarray(arrays.normal(rows, width)), weight, bias, factor)

    def elementwise(self, name: str, count: int) -> Prepared:
        return called(ELEMENTWISE[name], jnp.asarray(arrays.normal(count)))

    def _stacked(self, count: int, width: int) -> Any:
        return jax.tree.map(
            lambda *values: jnp.stack(values), *[tuple(by_columns(block)) for block in arrays.blocks(count, width)]
        )

    def _step(self, net: Any, weights: Any, value: arrays.Array, classes: int, optimizer: str) -> Prepared:
        update = {"SGD": sgd, "Adam": adam}[optimizer]
        x, labels = jnp.asarray(value), jnp.asarray(arrays.labels(len(value), classes))
        held = [weights, initial_state(optimizer, weights)]

        def step(weights: Any, state: Any, x: Any, labels: Any) -> Any:
            loss, gradients = jax.value_and_grad(lambda weights: cross_entropy(net(weights, x), labels))(weights)
            return loss, *update(weights, gradients, state)

        compiled = jax.jit(step, donate_argnums=(0, 1))

        def run() -> float:
            loss, *held[:] = compiled(*held, x, labels)
            jax.block_until_ready(held)
            return float(loss)

        return Prepared(run, lambda: [run() for _ in range(3)])


def make(threads: int) -> Programs:
    """XLA takes as many threads as the process may use cores; the worker has seen to that."""
    return Programs()
