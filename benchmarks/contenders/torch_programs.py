"""The workloads as a PyTorch user writes them; lamina runs the very same lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import pairwise, repeat
from typing import Any

from .. import arrays
from . import Prepared, torch_operations
from .torch_nets import TASKS


def untouched(function: Any) -> Any:
    return function


class Programs:
    """Workloads in the words of `torch`, which is PyTorch or lamina.

    `compile` is applied to what maps tensors to tensors (nets, losses, functions); `fused` is handed to the optimisers;
    `finish` is called when a run must have left nothing to do.
    """

    def __init__(
        self,
        torch: Any,
        fused: bool | None,
        compile: Callable[[Any], Any] = untouched,
        finish: Callable[[], None] = lambda: None,
    ) -> None:
        self.torch, self.nn, self.F = torch, torch.nn, torch.nn.functional
        self.fused, self.compile, self.finish = fused, compile, finish

    def forward_only(self) -> AbstractContextManager[Any]:
        return self.torch.inference_mode()

    def record(self, count: int) -> Prepared:
        a, b = self._tensors(arrays.normal(2, 20), arrays.normal(2, 20, seed=5))

        def run() -> None:
            for _ in repeat(None, count):
                a + b

        return Prepared(run, lambda: (a + b).numpy())

    def mlp_forward(self, sizes: Sequence[int], batch: int) -> Prepared:
        return self._forward(self._mlp(sizes), arrays.normal(batch, sizes[0]))

    def mlp_backward(self, sizes: Sequence[int], batch: int) -> Prepared:
        return self._backward(self._mlp(sizes), arrays.normal(batch, sizes[0]))

    def mlp_step(self, sizes: Sequence[int], batch: int, optimizer: str) -> Prepared:
        return self._step(self._mlp(sizes), arrays.normal(batch, sizes[0]), sizes[-1], optimizer)

    def chimera_forward(self) -> Prepared:
        return self._forward(self._chimera(), arrays.normal(2, 20))

    def chimera_backward(self) -> Prepared:
        return self._backward(self._chimera(), arrays.normal(2, 20))

    def residual_forward(self, count: int, width: int, batch: int) -> Prepared:
        return self._forward(self._residual(count, width), arrays.normal(batch, width))

    def residual_step(self, count: int, width: int, batch: int) -> Prepared:
        return self._step(self._residual(count, width), arrays.normal(batch, width), width, "SGD")

    def net_forward(self, net: str, batch: int) -> Prepared:
        task = TASKS[net](self.torch, batch)
        task.net.eval()
        forward = self.compile(task.forward)

        def run() -> arrays.Array:
            return forward().numpy()

        return Prepared(run, run)

    def net_step(self, net: str, batch: int) -> Prepared:
        task = TASKS[net](self.torch, batch)
        return self._steps(task.net, self.compile(task.loss), task.optimizer, **dict(task.settings))

    def linear(self, rows: int, inputs: int, outputs: int) -> Prepared:
        weight, bias = self._tensors(*arrays.layers((inputs, outputs))[0])
        linear = self.F.linear
        return self._function(lambda x: linear(x, weight, bias), arrays.normal(rows, inputs))

    def linear_backward(self, rows: int, inputs: int, outputs: int) -> Prepared:
        linear, factor = self.F.linear, self.torch.tensor(arrays.normal(rows, outputs, seed=9))
        x, weight, bias = self._tensors(arrays.normal(rows, inputs), *arrays.layers((inputs, outputs))[0])
        for operand in (x, weight, bias):
            operand.requires_grad_()
        loss_of = self.compile(lambda x: (linear(x, weight, bias) * factor).sum())

        def run() -> float:
            x.grad = weight.grad = bias.grad = None
            loss = loss_of(x)
            loss.backward()
            number = loss.item()
            self.finish()
            return number

        return Prepared(run, lambda: [run(), *weight.grad.numpy()[0]])

    def matmul(self, batch: int, rows: int, depth: int, columns: int, dtype: str, transposed: bool) -> Prepared:
        a, b = self._tensors(*arrays.factors(batch, rows, depth, columns, dtype, transposed))
        matmul = self.compile(lambda a, b: a @ (b.mT if transposed else b))

        def run() -> arrays.Array:
            return matmul(a, b).numpy()

        return Prepared(run, run)

    def reduction(self, name: str, shape: Sequence[int], axis: int) -> Prepared:
        F = self.F
        (labels,) = self._tensors(arrays.labels(shape[0], shape[-1]))
        function = {
            "sum": lambda x: x.sum(axis),
            "max": lambda x: x.amax(axis),
            "argmax": lambda x: x.argmax(axis),
            "softmax": lambda x: x.softmax(axis),
            "logsumexp": lambda x: x.logsumexp(axis),
            "mean": lambda x: x.mean(axis),
            "var": lambda x: x.var(axis),
            "sum(x * x)": lambda x: (x * x).sum(axis),
            "layer_norm": lambda x: F.layer_norm(x, x.shape[-1:]),
            "cross_entropy": lambda x: F.cross_entropy(x, labels),
        }[name]
        return self._function(function, arrays.normal(*shape))

    def cross_entropy_backward(self, rows: int, width: int) -> Prepared:
        cross_entropy, (labels,) = self.F.cross_entropy, self._tensors(arrays.labels(rows, width))
        return self._gradient(lambda x: cross_entropy(x, labels), arrays.normal(rows, width))

    def layer_norm_backward(self, rows: int, width: int) -> Prepared:
        norm, (weight, bias, factor) = self.F.layer_norm, self._tensors(*arrays.norm(width))
        return self._gradient(lambda x: (norm(x, (width,), weight, bias) * factor).sum(), arrays.normal(rows, width))

    def elementwise(self, name: str, count: int) -> Prepared:
        relu = self.torch.relu
        function = {"relu": relu, "relu(tanh(2x+1))": lambda x: relu((2 * x + 1).tanh())}[name]
        return self._function(function, arrays.normal(count))

    def operation(self, expression: str, size: int) -> Prepared:
        return torch_operations.forward(self.torch, expression, size)

    def operation_backward(self, expression: str, size: int) -> Prepared:
        return torch_operations.backward(self.torch, expression, size)

    def _tensors(self, *values: arrays.Array) -> list[Any]:
        return [self.torch.tensor(value) for value in values]

    def _function(self, function: Any, value: arrays.Array) -> Prepared:
        (x,), compiled = self._tensors(value), self.compile(function)

        def run() -> arrays.Array:
            return compiled(x).numpy()

        return Prepared(run, run)

    def _gradient(self, function: Any, value: arrays.Array) -> Prepared:
        """Of a number by a tensor."""
        (x,), compiled = self._tensors(value), self.compile(function)
        x.requires_grad_()

        def run() -> arrays.Array:
            x.grad = None
            compiled(x).backward()
            return x.grad.numpy()

        return Prepared(run, run)

    def _forward(self, net: Any, value: arrays.Array) -> Prepared:
        return self._function(net.eval(), value)

    def _backward(self, net: Any, value: arrays.Array) -> Prepared:
        (x,), compiled = self._tensors(value), self.compile(net)

        def run() -> float:
            net.zero_grad()
            loss = compiled(x).sum()
            loss.backward()
            number = loss.item()
            self.finish()
            return number

        def probe() -> arrays.Array:
            run()
            return next(net.parameters()).grad.numpy()

        return Prepared(run, probe)

    def _step(self, net: Any, value: arrays.Array, classes: int, optimizer: str) -> Prepared:
        x, y = self._tensors(value, arrays.labels(len(value), classes))
        cross_entropy = self.F.cross_entropy
        loss_of = self.compile(lambda x, y: cross_entropy(net(x), y))
        return self._steps(net, lambda: loss_of(x, y), optimizer)

    def _steps(self, net: Any, loss_of: Callable[[], Any], optimizer: str, **settings: float) -> Prepared:
        # A rate so small that a minute of steps on the same batch stays in the range of ordinary numbers.
        update = getattr(self.torch.optim, optimizer)(net.parameters(), lr=1e-4, fused=self.fused, **settings)

        def run() -> float:
            update.zero_grad()
            loss = loss_of()
            loss.backward()
            update.step()
            number = loss.item()
            self.finish()
            return number

        return Prepared(run, lambda: [run() for _ in range(3)])

    def _filled(self, net: Any, weights: Sequence[arrays.Layer]) -> Any:
        with self.torch.no_grad():
            for parameter, value in zip(net.parameters(), [value for layer in weights for value in layer]):
                parameter.copy_(self.torch.tensor(value))
        return net

    def _mlp(self, sizes: Sequence[int]) -> Any:
        nn, modules = self.nn, []
        for fan_in, fan_out in pairwise(sizes):
            modules += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        return self._filled(nn.Sequential(*modules[:-1]), arrays.layers(sizes))

    def _residual(self, count: int, width: int) -> Any:
        nn = self.nn

        class Block(nn.Module):  # type: ignore[misc,name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.first, self.relu, self.second = nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)

            def forward(self, X: Any) -> Any:
                return X + self.second(self.relu(self.first(X)))

        net = nn.Sequential(*(Block() for _ in range(count)))
        return self._filled(net, [layer for block in arrays.blocks(count, width) for layer in block])

    def _chimera(self) -> Any:
        nn, F = self.nn, self.F
        weights, constant = arrays.chimera()
        rand_weight = self.torch.tensor(constant)

        class NestMLP(nn.Module):  # type: ignore[misc,name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
                self.linear = nn.Linear(32, 16)

            def forward(self, X: Any) -> Any:
                return self.linear(self.net(X))

        class FixedHiddenMLP(nn.Module):  # type: ignore[misc,name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.rand_weight = rand_weight
                self.linear = nn.Linear(20, 20)

            def forward(self, X: Any) -> Any:
                X = self.linear(X)
                X = F.relu(X @ self.rand_weight + 1)
                X = self.linear(X)
                while X.abs().sum() > 1:
                    X = X / 2
                return X.sum()

        return self._filled(nn.Sequential(NestMLP(), nn.Linear(16, 20), FixedHiddenMLP()), weights)
