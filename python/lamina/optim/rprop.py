"""Rprop: only the signs of gradients count."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .options import check_options
from .parameterwise import ParameterwiseOptimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


__all__ = ["Rprop"]


class Rprop(ParameterwiseOptimizer):
    """Each element has a step size: it grows while the gradient's sign stays, and shrinks when the sign turns.

    Source: Riedmiller and Braun, 1993. `etas` are the factors of shrinking and growing, `step_sizes` the least and the
    largest size; they start at `lr`. After a turn the element rests for a step. ValueError for options that make no
    sense.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(foreach, lr=lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = 0
        state["prev"] = _core.zeros_like(parameter)
        lr = group["lr"]
        size = lr.item() if isinstance(lr, Tensor) else float(lr)
        state["step_size"] = _core.full_like(parameter, complex(size, size) if parameter.is_complex() else size)  # type: ignore[arg-type]

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        shrink, grow = group["etas"]
        least, largest = group["step_sizes"]
        before, size = state["prev"], state["step_size"]
        agreement = gradient * before
        turned = agreement < 0
        size.copy_(
            _core.where(turned, size * shrink, _core.where(agreement > 0, size * grow, size)).clamp(least, largest)
        )
        gradient = _core.where(turned, _core.zeros_like(gradient), gradient)
        parameter.sub_(gradient.sign() * size)
        before.copy_(gradient)
