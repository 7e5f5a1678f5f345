"""Numerical checks of gradients: central differences in double precision against what lamina derives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import lamina

from .row import to_numpy

__all__ = ["check_gradient", "check_second_gradient"]

_STEP = 1e-5


def check_gradient(
    function: Callable[..., Sequence[Any]],
    operands: Sequence[np.ndarray],
    *,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    seed: int = 7,
) -> None:
    """Compares derivatives of a seeded sum of the results with respect to every float operand.

    `function` takes and gives tensors. Results that need no gradient must not vary with the operands.
    """
    tensors = [_leaf(array) for array in operands]
    results = [r for r in function(*tensors) if r.dtype.is_floating_point]
    rng = np.random.default_rng(seed)
    seeds = [rng.uniform(0.5, 1.5, tuple(r.shape)) for r in results]
    leaves = [t for t in tensors if t.requires_grad]
    reached = [(r, s) for r, s in zip(results, seeds, strict=True) if r.requires_grad]
    given: Sequence[Any] = [None] * len(leaves)
    if reached:
        given = lamina.autograd.grad(
            [r for r, _ in reached], leaves, [lamina.tensor(s) for _, s in reached], allow_unused=True
        )
    floats = [position for position, array in enumerate(operands) if array.dtype.kind == "f"]
    for position, gradient in zip(floats, given, strict=True):
        wanted = _central_differences(function, operands, position, seeds)
        got = np.zeros(operands[position].shape) if gradient is None else to_numpy(gradient)
        assert got.shape == operands[position].shape
        np.testing.assert_allclose(got, wanted, rtol, atol, err_msg=f"gradient of operand {position}")


def check_second_gradient(
    function: Callable[..., Sequence[Any]], operands: Sequence[np.ndarray], **tolerances: float
) -> None:
    """The first gradient, itself a function of the operands and of the incoming gradient, checked the same way."""
    shapes = [tuple(r.shape) for r in function(*[_leaf(a) for a in operands]) if r.dtype.is_floating_point]
    rng = np.random.default_rng(11)
    seeds = [rng.uniform(0.5, 1.5, shape) for shape in shapes]

    def gradient(*tensors: Any) -> list[Any]:
        inputs, incoming = tensors[: len(operands)], tensors[len(operands) :]
        with lamina.enable_grad():
            # Outside of the recorded call nothing asks for gradients, so the inputs are made to.
            inputs = [t if t.requires_grad or t.dtype != lamina.float64 else t.requires_grad_() for t in inputs]
            results = [r for r in function(*inputs) if r.dtype.is_floating_point]
            wanted = [t for t in inputs if t.requires_grad]
            reached = [(r, s) for r, s in zip(results, incoming, strict=True) if r.requires_grad]
            if not reached:
                return []
            gradients = lamina.autograd.grad(
                [r for r, _ in reached], wanted, [s for _, s in reached], create_graph=True, allow_unused=True
            )
        return [g for g in gradients if g is not None]

    check_gradient(gradient, [*operands, *seeds], **tolerances)


def _leaf(array: np.ndarray) -> Any:
    return lamina.tensor(array, requires_grad=array.dtype.kind == "f")


def _central_differences(
    function: Callable[..., Sequence[Any]],
    operands: Sequence[np.ndarray],
    position: int,
    seeds: Sequence[np.ndarray],
) -> np.ndarray:
    derivative = np.zeros(operands[position].shape)
    for place in np.ndindex(*derivative.shape):
        ends = []
        for step in (_STEP, -_STEP):
            moved = [array.copy() for array in operands]
            moved[position][place] += step
            with lamina.no_grad():
                results = [r for r in function(*[lamina.tensor(a) for a in moved]) if r.dtype.is_floating_point]
            ends.append(sum(float((to_numpy(r) * s).sum()) for r, s in zip(results, seeds, strict=True)))
        derivative[place] = (ends[0] - ends[1]) / (2 * _STEP)
    return derivative
