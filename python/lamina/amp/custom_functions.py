"""Decorators for the methods of an `autograd.Function` that is used under autocast."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .._wrapping import wraps
from . import state
from .autocast_mode import autocast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._core import dtype as DType

__all__ = ["custom_bwd", "custom_fwd"]


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: DType | None = None
) -> Callable[..., Any]:
    """For ``forward``: `custom_bwd` shall find autocast as it is now.

    With `cast_inputs` the floating-point tensors among the arguments come in that type, in nested lists and dicts,
    too, and autocast is off within, if it is on; else nothing is changed.
    """
    _check(device_type)
    if fwd is None:
        return lambda function: custom_fwd(function, device_type=device_type, cast_inputs=cast_inputs)
    forward = fwd

    @wraps(forward)
    def call(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        on = state.is_autocast_enabled(device_type)
        ctx._dtype = state.get_autocast_dtype(device_type)
        ctx._fwd_used_autocast = on and cast_inputs is None
        if cast_inputs is None or not on:
            return forward(ctx, *args, **kwargs)
        with autocast(device_type, enabled=False):
            return forward(ctx, *_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return call


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """For ``backward``: autocast is as it was in a ``forward`` with `custom_fwd`."""
    _check(device_type)
    if bwd is None:
        return lambda function: custom_bwd(function, device_type=device_type)
    backward = bwd

    @wraps(backward)
    def call(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, ctx._dtype, ctx._fwd_used_autocast):
            return backward(ctx, *args, **kwargs)

    return call


def _check(device_type: str) -> None:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")


def _cast(value: Any, device_type: str, dtype: DType) -> Any:
    if isinstance(value, Tensor):
        fits = value.is_floating_point() and value.dtype != _core.float64 and value.device.type == device_type
        return value.to(dtype) if fits else value
    if isinstance(value, dict):
        return {_cast(k, device_type, dtype): _cast(v, device_type, dtype) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(item, device_type, dtype) for item in value)
    return value
