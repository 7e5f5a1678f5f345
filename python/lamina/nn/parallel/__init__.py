"""``nn.parallel``: one batch on several devices, of which there is one."""

from __future__ import annotations

from .data_parallel import DataParallel
from .distributed import DistributedDataParallel
from .scatter_gather import gather, scatter

__all__ = ["DataParallel", "DistributedDataParallel", "gather", "scatter"]
