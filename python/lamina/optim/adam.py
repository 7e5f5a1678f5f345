"""Adam, and AdamW with its decoupled weight decay."""

from __future__ import annotations

from .. import _core
from .options import check_betas, check_options
from .parameterwise import ParameterwiseOptimizer, follow, follow_square

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["Adam", "AdamW"]


class Adam(ParameterwiseOptimizer):
    """Steps by the running mean of the gradient over the root of the running mean of its square (Kingma and Ba, 2015).

    `betas` are the rates of the two means, whose start at 0 is made up for. `weight_decay` adds to the gradient, or
    shrinks the parameter directly if `decoupled_weight_decay`. `amsgrad` divides by the largest root so far (Reddi et
    al., 2018). ValueError for options that make no sense.

    >>> optimizer = optim.Adam(net.parameters(), lr=1e-3)
    >>> for X, y in loader:
    ...     optimizer.zero_grad()
    ...     loss(net(X), y).backward()
    ...     optimizer.step()
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_options(foreach, fused, differentiable, lr=lr, eps=eps, weight_decay=weight_decay)
        check_betas(betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _step_group(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        if group["differentiable"]:
            super()._step_group(group, params, grads)
            return
        states = [self.state[parameter] for parameter in params]
        for parameter, state in zip(params, states):
            if not state:
                self._start(parameter, state, group)
        beta1, beta2 = group["betas"]
        _core.adam_step(
            params,
            grads,
            states,
            float(group["lr"]),
            float(beta1),
            float(beta2),
            group["eps"],
            group["weight_decay"],
            group["amsgrad"],
            group["decoupled_weight_decay"],
            group["maximize"],
        )

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = 0
        state["exp_avg"] = _core.zeros_like(parameter)
        state["exp_avg_sq"] = _core.zeros_like(parameter)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = _core.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        beta1, beta2 = group["betas"]
        mean, spread = state["exp_avg"], state["exp_avg_sq"]
        follow(mean, gradient, beta1)
        follow_square(spread, gradient, beta2)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            # The gradient of maximum reads its operands: not what is overwritten here.
            spread = largest.copy_(_core.maximum(largest.clone(), spread))
        correction1, correction2 = 1 - beta1 ** state["step"], 1 - beta2 ** state["step"]
        divisor = spread.sqrt() / correction2**0.5 + group["eps"]
        parameter.sub_(mean * (lr / correction1) / divisor)


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters by ``lr * weight_decay`` (Loshchilov and Hutter, 2019)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # whatever optimizer the state came from
