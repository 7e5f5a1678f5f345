"""Adagrad: the more a parameter has moved, the less it moves."""

from __future__ import annotations

from .. import _core
from .options import check_options
from .parameterwise import ParameterwiseOptimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["Adagrad"]


class Adagrad(ParameterwiseOptimizer):
    """Steps by the gradient over the root of the sum of all squared gradients so far.

    Source: Duchi, Hazan and Singer, 2011. The sums start at `initial_accumulator_value`; the rate falls as
    ``lr / (1 + (step - 1) * lr_decay)``. ValueError for options that make no sense.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_options(
            foreach,
            fused,
            differentiable,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, whose sums start at once: ValueError for uninitialized ones."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for parameter in group["params"]:
            self._start(parameter, self.state[parameter], group)

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = 0
        start = group["initial_accumulator_value"]
        state["sum"] = _core.full_like(parameter, complex(start, start) if parameter.is_complex() else start)  # type: ignore[arg-type]

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        total = state["sum"]
        total.add_(gradient * gradient)
        rate = lr / (1 + (state["step"] - 1) * group["lr_decay"])
        parameter.sub_(gradient / (total.sqrt() + group["eps"]) * rate)
