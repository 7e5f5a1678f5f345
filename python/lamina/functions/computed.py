"""Results that are found by looking at numbers or at bits, with the gradient that they are to have."""

from __future__ import annotations

from .._core import Tensor, is_grad_enabled
from ..autograd.function import Function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

__all__ = ["with_gradient", "without_derivative"]


class _Computed(Function):
    @staticmethod
    def forward(ctx: Any, result: list[Tensor], gradients: Callable[[Tensor], Sequence[Tensor]], *_: Tensor) -> Tensor:
        ctx.gradients = gradients
        return result[0]

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, *ctx.gradients(*upstream)


def with_gradient(result: Tensor, gradients: Callable[[Tensor], Sequence[Tensor]], *operands: Tensor) -> Tensor:
    """`result`, new and without history, as a function of `operands`: `gradients` of its own gradient gives theirs."""
    if not is_grad_enabled() or not any(x.requires_grad for x in operands):
        return result
    return _Computed.apply([result], gradients, *operands)  # type: ignore[no-any-return]


def without_derivative(name: str, result: Tensor, *operands: Tensor) -> Tensor:
    """`result` as a function of `operands` that cannot be differentiated: whoever tries is told so.

    A result that just required no gradient would count as a constant, silently.
    """

    def refuse(_: Tensor) -> NoReturn:
        raise NotImplementedError(f"the derivative for '{name}' is not implemented.")

    return with_gradient(result, refuse, *operands)
