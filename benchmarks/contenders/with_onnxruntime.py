"""ONNX Runtime: forward passes as ONNX graphs with constant weights, all graph optimisations, no spinning when idle."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from .. import arrays
from . import Prepared


class Graph:
    """An ONNX graph that grows node by node; values go by names."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, op: str, *operands: str | arrays.Array, **attributes: Any) -> str:
        name = f"value_{len(self.nodes)}"
        names = [operand if isinstance(operand, str) else self._constant(operand) for operand in operands]
        self.nodes.append(helper.make_node(op, names, [name], **attributes))
        return name

    def linear(self, x: str, layer: arrays.Layer) -> str:
        return self.add("Gemm", x, *layer, transB=1)

    def mlp(self, x: str, weights: Sequence[arrays.Layer]) -> str:
        for layer in weights[:-1]:
            x = self.add("Relu", self.linear(x, layer))
        return self.linear(x, weights[-1])

    def prepared(self, result: str, value: arrays.Array, threads: int) -> Prepared:
        return self.prepared_with(result, {"x": value}, threads)

    def prepared_with(self, result: str, feed: dict[str, arrays.Array], threads: int) -> Prepared:
        types = {name: helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in feed.items()}
        output = TensorProto.INT64 if self.nodes[-1].op_type == "ArgMax" else next(iter(types.values()))
        graph = helper.make_graph(
            self.nodes,
            "workload",
            [helper.make_tensor_value_info(name, types[name], value.shape) for name, value in feed.items()],
            [helper.make_tensor_value_info(result, output, None)],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        # Threads spin through a run, which is at its best so, and stop when it ends, so that nobody else is disturbed.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

        def run() -> arrays.Array:
            return session.run(None, feed)[0]

        return Prepared(run, run)

    def _constant(self, value: arrays.Array) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name


class Programs:
    def __init__(self, threads: int) -> None:
        self.threads = threads

    def forward_only(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def mlp_forward(self, sizes: Sequence[int], batch: int) -> Prepared:
        graph = Graph()
        return graph.prepared(graph.mlp("x", arrays.layers(sizes)), arrays.normal(batch, sizes[0]), self.threads)

    def residual_forward(self, count: int, width: int, batch: int) -> Prepared:
        graph, x = Graph(), "x"
        for block in arrays.blocks(count, width):
            x = graph.add("Add", x, graph.mlp(x, block))
        return graph.prepared(x, arrays.normal(batch, width), self.threads)

    def linear(self, rows: int, inputs: int, outputs: int) -> Prepared:
        graph = Graph()
        (layer,) = arrays.layers((inputs, outputs))
        return graph.prepared(graph.linear("x", layer), arrays.normal(rows, inputs), self.threads)

    def matmul(self, batch: int, rows: int, depth: int, columns: int, dtype: str, transposed: bool) -> Prepared:
        a, b = arrays.factors(batch, rows, depth, columns, dtype, transposed)
        graph = Graph()
        second = graph.add("Transpose", "b", perm=[0, 2, 1]) if transposed else "b"
        return graph.prepared_with(graph.add("MatMul", "a", second), {"a": a, "b": b}, self.threads)

    def reduction(self, name: str, shape: Sequence[int], axis: int) -> Prepared | None:
        graph = Graph()
        by_axes = {
            "max": "ReduceMax",
            "logsumexp": "ReduceLogSumExp",
            "mean": "ReduceMean",
            "sum(x * x)": "ReduceSumSquare",
        }
        if name in by_axes:
            result = graph.add(by_axes[name], "x", axes=[axis], keepdims=0)
        elif name == "sum":
            result = graph.add("ReduceSum", "x", np.array([axis]), keepdims=0)
        elif name == "softmax":
            result = graph.add("Softmax", "x", axis=axis)
        elif name == "argmax":
            result = graph.add("ArgMax", "x", axis=axis, keepdims=0)
        elif name == "layer_norm":
            result = graph.add("LayerNormalization", "x", np.ones(shape[-1:], np.float32), axis=-1, epsilon=1e-5)
        else:
            return None
        return graph.prepared(result, arrays.normal(*shape), self.threads)

    def elementwise(self, name: str, count: int) -> Prepared:
        graph, x = Graph(), "x"
        if name != "relu":
            one, two = np.ones(1, np.float32), np.full(1, 2, np.float32)
            x = graph.add("Tanh", graph.add("Add", graph.add("Mul", x, two), one))
        return graph.prepared(graph.add("Relu", x), arrays.normal(count), self.threads)


def make(threads: int) -> Programs:
    return Programs(threads)
