"""Single operations (operations.py) in the words of `torch`, which is PyTorch or lamina."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import arrays, operations
from . import Prepared


def forward(torch: Any, expression: str, size: int) -> Prepared:
    of, values = _function(torch, expression, size)

    def run() -> Any:
        result = of(**values)
        return result.numpy() if isinstance(result, torch.Tensor) else result

    return Prepared(run, _probe(expression, run))


def backward(torch: Any, expression: str, size: int) -> Prepared:
    """The result and its gradients by all floats that it is of, for a gradient of its own that is not uniform."""
    of, values = _function(torch, expression, size)
    leaves = [value.requires_grad_() for value in values.values() if value.is_floating_point()]
    gradient = torch.tensor(arrays.normal(*of(**values).shape))

    def run() -> Any:
        gradients = [found.numpy() for found in torch.autograd.grad(of(**values), leaves, gradient)]
        return gradients[0]

    return Prepared(run, _probe(expression, run))


def _function(torch: Any, expression: str, size: int) -> tuple[Callable[..., Any], dict[str, Any]]:
    values = {name: torch.tensor(value) for name, value in operations.operands(expression, size).items()}
    return eval(f"lambda {', '.join(values)}: {expression}", {"torch": torch, "F": torch.nn.functional}), values


def _probe(expression: str, run: Callable[[], Any]) -> Callable[[], Any]:
    return (lambda: run().shape) if operations.is_random(expression) else run
