"""Adadelta: steps whose size follows from the sizes of gradients and steps before."""

from __future__ import annotations

from .. import _core
from .options import check_options
from .parameterwise import ParameterwiseOptimizer, follow_square

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["Adadelta"]


class Adadelta(ParameterwiseOptimizer):
    """Steps by the gradient times the ratio of two roots of running mean squares: of the steps, and of the gradients.

    Source: Zeiler, ADADELTA, 2012. `rho` is the rate of both means, `eps` is added under both roots. ValueError for
    options that make no sense.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(foreach, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)
        if rho > 1:
            raise ValueError(f"Invalid rho value: {rho}")
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "capturable": capturable,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = 0
        state["square_avg"] = _core.zeros_like(parameter)
        state["acc_delta"] = _core.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        rho, eps = group["rho"], group["eps"]
        squares, steps = state["square_avg"], state["acc_delta"]
        follow_square(squares, gradient, rho)
        delta = (steps + eps).sqrt() / (squares + eps).sqrt() * gradient
        follow_square(steps, delta, rho)
        parameter.sub_(delta * lr)
