"""Adamax: Adam with the largest gradient in place of the mean square."""

from __future__ import annotations

from .. import _core
from .options import check_betas, check_options
from .parameterwise import ParameterwiseOptimizer, follow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["Adamax"]


class Adamax(ParameterwiseOptimizer):
    """Steps by the running mean of the gradient over its largest size so far, which fades.

    Source: Kingma and Ba, Adam, 2015, section 7.1. `betas` are the rates of the mean and of the fading. ValueError for
    options that make no sense.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_options(foreach, lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = 0
        state["exp_avg"] = _core.zeros_like(parameter)
        state["exp_inf"] = _core.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        beta1, beta2 = group["betas"]
        mean, largest = state["exp_avg"], state["exp_inf"]
        follow(mean, gradient, beta1)
        largest.copy_(_core.maximum(largest * beta2, gradient.abs() + group["eps"]))
        parameter.sub_(mean / largest * (lr / (1 - beta1 ** state["step"])))
