"""``lamina.cpu.amp``: what `lamina.amp` does for the CPU, under its old names."""

from __future__ import annotations

from .. import _core, amp
from ..amp.autocast_mode import warn_of_old_name
from ..amp.old_names import GradScalerOfDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._core import dtype as DType

__all__ = ["GradScaler", "autocast"]


class autocast(amp.autocast):  # noqa: N801  # PyTorch's name
    """``lamina.amp.autocast("cpu", …)``."""

    def __init__(self, enabled: bool = True, dtype: DType = _core.bfloat16, cache_enabled: bool = True) -> None:
        warn_of_old_name("cpu", "autocast")
        super().__init__("cpu", dtype, enabled, cache_enabled)


class GradScaler(GradScalerOfDevice):
    """``lamina.amp.GradScaler("cpu", …)``."""

    device_type = "cpu"
