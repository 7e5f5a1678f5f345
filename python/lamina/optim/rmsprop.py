"""RMSprop: gradients over the root of their running mean square."""

from __future__ import annotations

from .. import _core
from .options import check_options
from .parameterwise import ParameterwiseOptimizer, follow, follow_square

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["RMSprop"]


class RMSprop(ParameterwiseOptimizer):
    """Steps by the gradient over the root of its running mean square, whose rate is `alpha`.

    Source: Tieleman and Hinton, lecture 6.5 of Neural Networks for Machine Learning, 2012; `centered` takes the
    square of the running mean off (Graves, 2013). With `momentum` the steps add up as in SGD. ValueError for options
    that make no sense.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(foreach, lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = 0
        state["square_avg"] = _core.zeros_like(parameter)
        if group["momentum"] > 0:
            state["momentum_buffer"] = _core.zeros_like(parameter)
        if group["centered"]:
            state["grad_avg"] = _core.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        spread = state["square_avg"]
        follow_square(spread, gradient, group["alpha"])
        if group["centered"]:
            mean = state["grad_avg"]
            follow(mean, gradient, group["alpha"])
            spread = spread - mean * mean
        step = gradient / (spread.sqrt() + group["eps"])
        if group["momentum"] > 0:
            step = state["momentum_buffer"].mul_(group["momentum"]).add_(step)
        parameter.sub_(step * lr)
