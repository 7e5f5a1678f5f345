"""A module whose gradients several processes average, of which there is one."""

from __future__ import annotations

from ..modules import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """ValueError, as PyTorch's before `init_process_group`: lamina has no groups of processes.

    Programs ask of their modules whether they are one.
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        raise ValueError(
            "Default process group has not been initialized: lamina runs in one process. Use the module itself."
        )
