"""``backward`` and ``grad`` as functions of tensors."""

from __future__ import annotations

from .. import _core
from .._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["backward", "grad"]


def _as_tuple(tensors: Tensor | Sequence[Tensor | None] | None, count: int) -> tuple[Tensor | None, ...]:
    if tensors is None:
        return (None,) * count
    return (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)


def _ends(given: Any) -> tuple[Any, ...]:
    """Where gradients come from or go to: tensors as they are, edges of the graph as their nodes."""
    alone = isinstance(given, Tensor) or hasattr(given, "output_nr")
    return tuple(getattr(x, "node", x) for x in ((given,) if alone else given))


def _grad_of_batch(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None,
    retain_graph: bool | None,
    create_graph: bool,
    allow_unused: bool,
) -> tuple[Tensor | None, ...]:
    """`grad` for every one of the weights along axis 0 of `grad_outputs`."""
    from .batching import vmap

    roots = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    weights = _as_tuple(grad_outputs, len(roots))
    for i, (root, weight) in enumerate(zip(roots, weights, strict=True)):
        if weight is None or weight.shape[1:] != root.shape:
            shape = None if weight is None else weight.shape
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch "
                "dimension. The sizes of the remaining dimensions are expected to match the shape of corresponding "
                f"output, but a mismatch was detected: grad_output[{i}] has a shape of {shape} and output[{i}] has a "
                f"shape of {root.shape}. If you only want some tensors in `grad_output` to be considered batched, "
                "consider using vmap."
            )
    leaves = _ends(inputs)
    used: list[bool] = []

    def one(*example: Tensor) -> tuple[Tensor, ...]:
        found = _core.grad(
            roots, leaves, example, create_graph if retain_graph is None else retain_graph, create_graph, allow_unused
        )
        used[:] = [gradient is not None for gradient in found]
        return tuple(gradient for gradient in found if gradient is not None)

    batches = iter(vmap(one)(*weights))
    return tuple(next(batches) if there else None for there in used)


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add to ``.grad`` of every leaf (or of `inputs` only) the gradient of `tensors`, weighted by `grad_tensors`.

    A tensor of one element may do without a weight. The graph is freed unless `retain_graph` (default: `create_graph`)
    is set; with `create_graph` the gradients have gradients themselves.
    """
    roots = _ends(tensors)
    weights = _as_tuple(grad_tensors, len(roots))
    if len(weights) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(weights)} gradients")
    only = None if inputs is None else _ends(inputs)
    if only is not None and not only:
        raise RuntimeError("'inputs' argument to 'backward()' cannot be empty")
    _core.backward(roots, weights, create_graph if retain_graph is None else retain_graph, create_graph, only)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """The gradients of `outputs`, weighted by `grad_outputs`, by each of `inputs`; ``.grad`` stays as it is.

    RuntimeError for an input that the outputs do not depend on, unless `allow_unused` (its gradient is None then) or
    `materialize_grads` (zeros). With `is_grads_batched` axis 0 of `grad_outputs`, and so of the result, runs over
    several weights: one backward pass, vectorised by `lamina.func.vmap`.
    """
    if not only_inputs:
        raise ValueError("grad: only_inputs=False is gone; use backward() to reach every leaf")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    allowed = bool(allow_unused) or materialize_grads
    leaves = _ends(inputs)
    if not leaves:
        raise ValueError("grad requires non-empty inputs.")
    if is_grads_batched:
        result = _grad_of_batch(outputs, inputs, grad_outputs, retain_graph, create_graph, allowed)
    else:
        roots = _ends(outputs)
        weights = _as_tuple(grad_outputs, len(roots))
        if len(weights) != len(roots):
            raise RuntimeError(f"got {len(roots)} tensors and {len(weights)} gradients")
        retain = create_graph if retain_graph is None else retain_graph
        result = _core.grad(roots, leaves, weights, retain, create_graph, allowed)
    if materialize_grads:
        given = (inputs,) if isinstance(inputs, Tensor) or hasattr(inputs, "output_nr") else inputs
        for gradient, leaf in zip(result, given, strict=True):
            if gradient is None and not isinstance(leaf, Tensor):
                raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
        return tuple(
            _core.zeros_like(leaf).requires_grad_(create_graph) if gradient is None else gradient
            for gradient, leaf in zip(result, leaves, strict=True)
        )
    return result  # type: ignore[return-value]  # None only where allow_unused asked for it
