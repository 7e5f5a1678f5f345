"""RAdam: Adam that trusts its mean square only once enough gradients are in it."""

from __future__ import annotations

from .. import _core
from .options import check_betas, check_options
from .parameterwise import ParameterwiseOptimizer, follow, follow_square

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["RAdam"]


class RAdam(ParameterwiseOptimizer):
    """Adam whose steps are scaled by how certain the mean square is; steps along the mean gradient until it is.

    Source: Liu et al., On the Variance of the Adaptive Learning Rate and Beyond, 2020. `weight_decay` adds to the
    gradient, or shrinks the parameter directly if `decoupled_weight_decay`. ValueError for options that make no sense.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(foreach, lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = 0
        state["exp_avg"] = _core.zeros_like(parameter)
        state["exp_avg_sq"] = _core.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        (beta1, beta2), count = group["betas"], state["step"]
        mean, spread = state["exp_avg"], state["exp_avg_sq"]
        follow(mean, gradient, beta1)
        follow_square(spread, gradient, beta2)
        correction2 = 1 - beta2**count
        # The length of the moving average that the mean square is, at last and now.
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * count * beta2**count / correction2
        step = mean * (lr / (1 - beta1**count))
        if length > 5:
            certainty = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            step = step * (certainty * correction2) ** 0.5 / (spread.sqrt() + group["eps"])
        parameter.sub_(step)
