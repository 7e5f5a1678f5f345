"""Stochastic gradient descent."""

from __future__ import annotations

from .. import _core
from .optimizer import Optimizer, check_options, run_closure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["SGD"]


class SGD(Optimizer):
    """``p -= lr * v`` with ``v = g``, or with momentum ``v = momentum * v + (1 - dampening) * g``, from ``v = g`` on.

    g is the gradient (its negative with `maximize`) plus ``weight_decay * p``. With `nesterov`, ``g + momentum * v``
    takes the place of v (Sutskever et al., 2013). ValueError for options that make no sense.
    """

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

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; returns what `closure` returned."""
        loss = run_closure(closure)
        for group, params, grads in self._batches():
            momentum = group["momentum"]
            buffers: list[Tensor | None] = [None] * len(params)
            if momentum != 0:
                buffers = [self.state[parameter].get("momentum_buffer") for parameter in params]
            buffers = _core.sgd_step(
                params,
                grads,
                buffers,
                float(group["lr"]),
                momentum,
                group["dampening"],
                group["weight_decay"],
                group["nesterov"],
                group["maximize"],
            )
            if momentum != 0:
                for parameter, buffer in zip(params, buffers):
                    self.state[parameter]["momentum_buffer"] = buffer
        return loss
