"""PyTorch eager: inference mode where no gradient is wanted, fused optimisers."""

from __future__ import annotations

import torch

from .torch_programs import Programs


def make(threads: int) -> Programs:
    torch.set_num_threads(threads)
    return Programs(torch, fused=True)
