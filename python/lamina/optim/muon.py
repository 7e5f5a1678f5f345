"""Muon: momentum whose matrix is made orthogonal."""

from __future__ import annotations

from math import sqrt

from .. import _core
from .options import number
from .parameterwise import ParameterwiseOptimizer, follow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["Muon"]


class Muon(ParameterwiseOptimizer):
    """Steps by the orthogonal matrix nearest to the running mean of the gradient; for weights with two axes alone.

    Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024. The matrix is approximated
    by `ns_steps` of Newton and Schulz's iteration with the polynomial of `ns_coefficients`, in bfloat16. `weight_decay`
    shrinks the parameters themselves. `adjust_lr_fn` fits the rate to the shape: ``"original"`` (the default) keeps
    what a step does to outputs, ``"match_rms_adamw"`` the size of AdamW's steps (Liu et al., "Muon is scalable for LLM
    training", 2025). ValueError for options that make no sense, and for parameters without two axes.
    """

    counts_steps = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        if hasattr(lr, "numel") and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for name, value in (("Learning rate", lr), ("momentum", momentum), ("weight decay", weight_decay)):
            if not value >= 0:
                raise ValueError(f"{name} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {parameter.size()}"
                    )

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["momentum_buffer"] = _core.zeros_like(parameter)

    def _decayed(self, parameter: Tensor, gradient: Tensor, lr: Any, group: dict[str, Any]) -> Tensor:
        parameter.mul_(1 - lr * number(group["weight_decay"], False))
        return gradient

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        mean, momentum = state["momentum_buffer"], group["momentum"]
        follow(mean, gradient, momentum)
        direction = gradient + (mean - gradient) * momentum if group["nesterov"] else mean
        direction = _orthogonal(direction, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = parameter.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            lr = lr * 0.2 * sqrt(max(rows, columns))
        else:
            lr = lr * sqrt(max(1, rows / columns))
        parameter.sub_(direction.to(parameter.dtype) * lr)


def _orthogonal(matrix: Tensor, coefficients: tuple[float, ...], steps: int, eps: float) -> Tensor:
    """``a X + b (X Xᵀ) X + c (X Xᵀ)² X``, again and again, which takes singular values near 1."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    rows, columns = matrix.shape
    x = _rounded(matrix.mT if rows > columns else matrix)
    x = _rounded(x / _rounded(x.norm()).clamp(min=eps))
    for _ in range(steps):
        gram = _rounded(x @ x.mT)
        x = _rounded(a * x + _rounded(b * gram + c * (gram @ gram)) @ x)
    return x.mT if rows > columns else x


def _rounded(x: Tensor) -> Tensor:
    """To bfloat16's digits, in the type that products are computed in anyway."""
    return x.bfloat16().float()
