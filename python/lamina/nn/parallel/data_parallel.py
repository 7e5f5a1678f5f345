"""A module on several GPUs, of which there are none."""

from __future__ import annotations

from ..modules import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["DataParallel"]


class DataParallel(Module):
    """Calls `module`, whose names in the state dict begin with ``module.``, as PyTorch's does where it finds no GPU.

    `device_ids`, `output_device` and `dim` say how a batch is divided among GPUs: there is nothing to divide.
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[Any] | None = None,
        output_device: Any = None,
        dim: int = 0,
    ) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[Any] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module gives."""
        return self.module(*inputs, **kwargs)
