"""What ``lamina.cpu.amp`` and ``lamina.cuda.amp`` have in common."""

from __future__ import annotations

from .autocast_mode import warn_of_old_name
from .grad_scaler import GradScaler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

__all__ = ["GradScalerOfDevice"]


class GradScalerOfDevice(GradScaler):
    """A `GradScaler` whose class says the device."""

    if TYPE_CHECKING:
        device_type: ClassVar[str]

    def __init__(
        self,
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        warn_of_old_name(self.device_type, "GradScaler")
        super().__init__(self.device_type, init_scale, growth_factor, backoff_factor, growth_interval, enabled)
