"""Checkpoints whose backward is a pass of its own: PyTorch's first kind."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .._warning import warn_caller
from ..amp import autocast
from ..amp.state import get_autocast_dtype, is_autocast_cache_enabled, is_autocast_enabled
from ..autograd.engine import backward
from ..autograd.function import Function
from ..autograd.modes import enable_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["CheckpointFunction", "get_device_states", "set_device_states", "with_state"]


def with_state(call: Callable[..., Any], state: Tensor | None) -> Callable[..., Any]:
    """`call` with autocast as it is now, and with the random generator set back to `state`, if one is given."""
    mixed = autocast("cpu", get_autocast_dtype("cpu"), is_autocast_enabled("cpu"), is_autocast_cache_enabled())

    def again(*args: Any) -> Any:
        with mixed:
            if state is None:
                return call(*args)
            now = _core.get_rng_state()
            _core.set_rng_state(state)
            try:
                return call(*args)
            finally:
                _core.set_rng_state(now)

    return again


def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """The other devices that the tensors of `args` are on, and their generators' states: there are none.

    Reversible layers keep these beside the state of the CPU's generator (`get_rng_state`).
    """
    return [], []


def set_device_states(devices: list[int], states: list[Tensor], *, device_type: str | None = None) -> None:
    """Set the generators of other devices to what `get_device_states` gave. RuntimeError for any other device."""
    if devices:
        raise RuntimeError(f"set_device_states: there is no device but the CPU, got states of {devices}")


class CheckpointFunction(Function):
    """``apply(function, preserve_rng_state, *args)``: `function` without a history, and with one in backward."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        if not any(isinstance(x, Tensor) and x.requires_grad for x in args):
            warn_caller("None of the inputs have requires_grad=True. Gradients will be None")
        state = _core.get_rng_state() if preserve else None
        ctx.others = [None if isinstance(x, Tensor) else x for x in args]
        ctx.places = [i for i, x in enumerate(args) if isinstance(x, Tensor)]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        ctx.run = with_state(function, state)
        return function(*args)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        if _core._current_walk_is_selective():
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` "
                "parameter to .backward(). To resolve this error, you can either set use_reentrant=False, or call "
                ".backward() without passing the `inputs` argument."
            )
        _core.flush()  # the first pass ends here, so that its intermediate results are gone
        given = list(ctx.others)
        for place, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            given[place] = tensor.detach().requires_grad_(tensor.requires_grad)
        with enable_grad():
            results = ctx.run(*given)
        results = (results,) if isinstance(results, Tensor) else results
        reached = [
            (result, gradient)
            for result, gradient in zip(results, gradients, strict=True)
            if isinstance(result, Tensor) and result.requires_grad
        ]
        if not reached:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([result for result, _ in reached], [gradient for _, gradient in reached])
        return (None, None, *(x.grad if isinstance(x, Tensor) else None for x in given))
