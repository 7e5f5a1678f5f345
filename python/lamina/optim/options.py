"""What optimisers may be told: checks of their options, and options that are tensors."""

from __future__ import annotations

from .._core import Tensor
from ..autograd import enable_grad
from ..profiled_ranges import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["check_betas", "check_options", "number", "required", "run_closure"]


class _Required:
    """Stands for an option that has no default."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def check_options(
    foreach: bool | None = None, fused: bool | None = None, differentiable: bool = False, **at_least_zero: Any
) -> None:
    """Refuse what no step can do. `foreach` and `fused` are hints, and every step here is fused."""
    names = {"lr": "learning rate", "eps": "epsilon value"}
    for name, value in at_least_zero.items():
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(f"Tensor {name} must be 1-element")
        described = names.get(name, name + " value")
        if isinstance(value, str) or value is None:  # as from a file of settings: YAML reads 1e-3 as text
            raise TypeError(f"Invalid {described}: expected a number, got {value!r}")
        if not value >= 0.0:
            raise ValueError(f"Invalid {described}: {value}")
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if foreach and fused:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def check_betas(betas: tuple[Any, Any]) -> None:
    """Refuse other than two rates of running means, and rates outside of [0, 1)."""
    if len(betas) != 2:
        raise ValueError(f"Invalid betas: expected two, got {betas}")
    for index, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}")


def number(option: Any, differentiable: bool) -> Any:
    """An option as a plain number, which enters a program as a scalar; a tensor stays one if it is differentiated."""
    return float(option) if isinstance(option, Tensor) and not differentiable else option


def run_closure(closure: Callable[[], Any] | None) -> Any:
    """The loss that `closure` computes, with gradients; None without one."""
    if closure is None:
        return None
    with enable_grad(), Phase(0):
        return closure()
