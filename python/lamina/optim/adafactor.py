"""Adafactor: Adam's mean square kept as one row and one column."""

from __future__ import annotations

from .. import _core
from .options import check_options
from .parameterwise import ParameterwiseOptimizer, follow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .._core import Tensor

__all__ = ["Adafactor"]


class Adafactor(ParameterwiseOptimizer):
    """Steps by the gradient over the root of an estimate of its mean square, of a size relative to the parameter's.

    Source: Shazeer and Stern, 2018. A matrix (the last two axes) keeps the means of rows and of columns, whose product
    over the mean of all is the estimate. `beta2_decay` says how fast the means lengthen: their rate at step t is
    ``1 - t ** beta2_decay``. `eps` bounds the estimate (by its square; None: the dtype's eps) and the parameter's size
    from below, `d` the size of an update from above. ValueError for options that make no sense.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_options(foreach, weight_decay=weight_decay)
        if not lr >= 0.0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0.0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0.0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = 0
        if parameter.dim() > 1:
            state["row_var"] = parameter.new_zeros((*parameter.shape[:-1], 1))
            state["col_var"] = parameter.new_zeros((*parameter.shape[:-2], 1, parameter.shape[-1]))
        else:
            state["variance"] = _core.zeros_like(parameter)

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        least, least_size = group["eps"]
        if least is None:
            from ..dtypes import finfo

            least = finfo(parameter.dtype).eps
        rate = 1 - state["step"] ** group["beta2_decay"]
        squares = gradient * gradient
        if parameter.dim() > 1:
            rows, columns = state["row_var"], state["col_var"]
            follow(rows, squares.mean(-1, keepdim=True), rate)
            follow(columns, squares.mean(-2, keepdim=True), rate)
            estimate = rows @ columns / rows.mean(-2, keepdim=True).clamp(min=least)
        else:
            estimate = state["variance"]
            follow(estimate, squares, rate)
        update = gradient * estimate.clamp(min=least * least).rsqrt()
        size = _size(parameter).clamp(min=least_size) * min(lr, state["step"] ** -0.5)
        parameter.mul_(1 - lr * group["weight_decay"])
        parameter.sub_(update * (size / (_size(update) / group["d"]).clamp(min=1)))

    def _decayed(self, parameter: Tensor, gradient: Tensor, lr: Any, group: dict[str, Any]) -> Tensor:
        return gradient  # the parameter shrinks in `_update`, after its size was taken


def _size(tensor: Tensor) -> Tensor:
    """The root of the mean square, 0-d."""
    return (tensor * tensor).mean().sqrt()
