"""PyTorch with torch.compile: nets, and losses with their backward, are compiled for one shape; fused optimisers."""

from __future__ import annotations

from typing import Any

import torch

from .torch_programs import Programs


def compiled(function: Any) -> Any:
    return torch.compile(function, dynamic=False)


def make(threads: int) -> Programs:
    torch.set_num_threads(threads)
    return Programs(torch, fused=True, compile=compiled)
