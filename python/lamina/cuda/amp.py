"""``lamina.cuda.amp``: what `lamina.amp` does for CUDA, which is not there, under its old names."""

from __future__ import annotations

from .. import _core, amp
from ..amp.autocast_mode import warn_of_old_name
from ..amp.old_names import GradScalerOfDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._core import dtype as DType

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


class autocast(amp.autocast):  # noqa: N801  # PyTorch's name
    """``lamina.amp.autocast("cuda", …)``: a warning, and no effect."""

    def __init__(self, enabled: bool = True, dtype: DType = _core.float16, cache_enabled: bool = True) -> None:
        warn_of_old_name("cuda", "autocast")
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(GradScalerOfDevice):
    """``lamina.amp.GradScaler("cuda", …)``: a warning, and no effect."""

    device_type = "cuda"


def custom_fwd(fwd: Callable[..., Any] | None = None, *, cast_inputs: DType | None = None) -> Callable[..., Any]:
    """``lamina.amp.custom_fwd`` for CUDA."""
    warn_of_old_name("cuda", "custom_fwd", "args..., device_type='cuda'")
    return amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd: Callable[..., Any]) -> Callable[..., Any]:
    """``lamina.amp.custom_bwd`` for CUDA."""
    warn_of_old_name("cuda", "custom_bwd", "args..., device_type='cuda'")
    return amp.custom_bwd(bwd, device_type="cuda")
