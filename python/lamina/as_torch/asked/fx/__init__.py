"""``torch.fx`` where no function is traced symbolically: the question whether something is a part of such a trace."""

from __future__ import annotations

__all__ = ["Proxy"]


class Proxy:
    """What stands for a value in PyTorch's traces. Nothing is traced, so no value is one."""
