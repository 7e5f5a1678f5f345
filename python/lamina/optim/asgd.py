"""Averaged stochastic gradient descent."""

from __future__ import annotations

from .. import _core
from .options import check_options, number
from .parameterwise import ParameterwiseOptimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["ASGD"]


class ASGD(ParameterwiseOptimizer):
    """SGD with a falling rate; ``state[p]["ax"]`` is the average of the parameter over the steps since `t0`.

    Source: Polyak and Juditsky, 1992. The rate is ``lr / (1 + lambd * lr * step) ** alpha``, and every step shrinks the
    parameter by `lambd` times it. ValueError for options that make no sense.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_options(foreach, lr=lr, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = 0
        state["eta"] = number(group["lr"], group["differentiable"])
        state["mu"] = 1.0
        state["ax"] = _core.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        differentiable, average = group["differentiable"], state["ax"]
        eta, mu = number(state["eta"], differentiable), number(state["mu"], False)
        parameter.mul_(1 - group["lambd"] * eta)
        parameter.sub_(gradient * eta)
        if mu == 1:
            average.copy_(parameter)
        else:
            average.add_((parameter - average) * mu)
        state["eta"] = lr / (1 + group["lambd"] * lr * state["step"]) ** group["alpha"]
        state["mu"] = 1 / max(1, state["step"] - group["t0"])
