"""NAdam: Adam with Nesterov momentum."""

from __future__ import annotations

from .. import _core
from .options import check_betas, check_options, number
from .parameterwise import ParameterwiseOptimizer, follow, follow_square

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["NAdam"]


class NAdam(ParameterwiseOptimizer):
    """Adam that looks one step of the momentum ahead; the momentum grows from half of ``betas[0]`` to all of it.

    Source: Dozat, 2016, with the schedule of the momentum of its section 2, whose speed is `momentum_decay`.
    `weight_decay` adds to the gradient, or shrinks the parameter directly if `decoupled_weight_decay`. ValueError for
    options that make no sense.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(foreach, lr=lr, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
        check_betas(betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = 0
        state["mu_product"] = 1.0
        state["exp_avg"] = _core.zeros_like(parameter)
        state["exp_avg_sq"] = _core.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        (beta1, beta2), count = group["betas"], state["step"]
        now, ahead = (beta1 * (1 - 0.5 * 0.96 ** (step * group["momentum_decay"])) for step in (count, count + 1))
        product = number(state["mu_product"], group["differentiable"]) * now
        state["mu_product"] = product
        mean, spread = state["exp_avg"], state["exp_avg_sq"]
        follow(mean, gradient, beta1)
        follow_square(spread, gradient, beta2)
        divisor = (spread / (1 - beta2**count)).sqrt() + group["eps"]
        parameter.sub_(gradient * (lr * (1 - now) / (1 - product)) / divisor)
        parameter.sub_(mean * (lr * ahead / (1 - product * ahead)) / divisor)
