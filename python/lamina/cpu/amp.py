"""``lamina.cpu.amp``: what `lamina.amp` does for the CPU, under its old names."""

from __future__ import annotations

from .. import _core, amp
from ..amp.autocast_mode import warn_of_old_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._core import dtype as DType

__all__ = ["GradScaler", "autocast"]


class autocast(amp.autocast):  # noqa: N801  # PyTorch's name
    """``lamina.amp.autocast("cpu", …)``."""

    def __init__(self, enabled: bool = True, dtype: DType = _core.bfloat16, cache_enabled: bool = True) -> None:
        warn_of_old_name("cpu", "autocast")
        super().__init__("cpu", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """``lamina.amp.GradScaler("cpu", …)``."""

    def __init__(
        self,
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        warn_of_old_name("cpu", "GradScaler")
        super().__init__("cpu", init_scale, growth_factor, backoff_factor, growth_interval, enabled)
