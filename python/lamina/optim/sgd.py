"""Stochastic gradient descent."""

from __future__ import annotations

from .. import _core
from .options import check_options
from .parameterwise import ParameterwiseOptimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["SGD"]


class SGD(ParameterwiseOptimizer):
    """``p -= lr * v`` with ``v = g``, or with momentum ``v = momentum * v + (1 - dampening) * g``, from ``v = g`` on.

    g is the gradient (its negative with `maximize`) plus ``weight_decay * p``. With `nesterov`, ``g + momentum * v``
    takes the place of v (Sutskever et al., 2013). ValueError for options that make no sense.
    """

    counts_steps = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_options(foreach, fused, differentiable, lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _step_group(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        if group["differentiable"]:
            super()._step_group(group, params, grads)
            return
        momentum = float(group["momentum"])
        _core.sgd_step(
            params,
            grads,
            [self.state[parameter] for parameter in params] if momentum != 0 else None,
            float(group["lr"]),
            momentum,
            group["dampening"],
            float(group["weight_decay"]),
            group["nesterov"],
            group["maximize"],
        )

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        pass  # the first gradient is the momentum's start

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        momentum = group["momentum"]
        if momentum != 0:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                state["momentum_buffer"] = buffer = gradient.clone()
            else:
                buffer.mul_(momentum).add_(gradient * (1 - group["dampening"]))
            gradient = gradient + buffer * momentum if group["nesterov"] else buffer
        parameter.sub_(gradient * lr)
