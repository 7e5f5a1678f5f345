"""Adam, and AdamW with its decoupled weight decay."""

from __future__ import annotations

from .. import _core
from .optimizer import Optimizer, check_options, run_closure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps by the running mean of the gradient over the root of the running mean of its square (Kingma and Ba, 2015).

    `betas` are the rates of the two means, whose start at 0 is made up for. `weight_decay` adds to the gradient, or
    shrinks the parameter directly if `decoupled_weight_decay`. `amsgrad` divides by the largest root so far (Reddi et
    al., 2018). ValueError for options that make no sense.
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
        for index, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {index}: {beta}")
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

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; returns what `closure` returned."""
        loss = run_closure(closure)
        for group, params, grads in self._batches():
            # One update has one step count; parameters that missed steps (no gradient) form updates of their own.
            by_count: dict[int, list[tuple[Tensor, Tensor, dict[str, Any]]]] = {}
            for parameter, gradient in zip(params, grads):
                state = self.state[parameter]
                if not state:
                    _start(state, parameter, group["amsgrad"])
                by_count.setdefault(state["step"], []).append((parameter, gradient, state))
            for count, members in by_count.items():
                _update(group, count + 1, members)
        return loss


def _start(state: dict[str, Any], parameter: Tensor, amsgrad: bool) -> None:
    state["step"] = 0  # a plain number: it enters the recorded program as a scalar, so no step makes a new plan
    state["exp_avg"] = _core.zeros_like(parameter)
    state["exp_avg_sq"] = _core.zeros_like(parameter)
    if amsgrad:
        state["max_exp_avg_sq"] = _core.zeros_like(parameter)


def _update(group: dict[str, Any], count: int, members: list[tuple[Tensor, Tensor, dict[str, Any]]]) -> None:
    params, grads, states = (list(column) for column in zip(*members))
    beta1, beta2 = group["betas"]
    _core.adam_step(
        params,
        grads,
        [state["exp_avg"] for state in states],
        [state["exp_avg_sq"] for state in states],
        count,
        float(group["lr"]),
        float(beta1),
        float(beta2),
        group["eps"],
        group["weight_decay"],
        [state["max_exp_avg_sq"] for state in states] if group["amsgrad"] else None,
        group["decoupled_weight_decay"],
        group["maximize"],
    )
    for state in states:
        state["step"] = count


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
