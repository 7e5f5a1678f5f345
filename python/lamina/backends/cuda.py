"""There are no GPUs: see ``lamina.cuda``. How one should multiply can be written and read; it changes nothing."""

from __future__ import annotations

__all__ = ["is_built", "matmul"]


class _Matmul:
    """PyTorch's settings of products on GPUs, with its first values."""

    __slots__ = (
        "allow_bf16_reduced_precision_reduction",
        "allow_fp16_accumulation",
        "allow_fp16_reduced_precision_reduction",
        "allow_tf32",
    )

    def __init__(self) -> None:
        self.allow_tf32 = False
        self.allow_fp16_reduced_precision_reduction = True
        self.allow_bf16_reduced_precision_reduction = True
        self.allow_fp16_accumulation = False


matmul = _Matmul()


def is_built() -> bool:
    """False."""
    return False
