"""What lamina was built with, and runs on."""

from __future__ import annotations

from . import _core

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The kernels that this processor runs, and what lamina does without, as lines of text."""
    return f"lamina: kernels of its own, for {_core.isa()}; no BLAS, MKL, oneDNN, OpenMP or CUDA\n"


def parallel_info() -> str:
    """The number of threads, as lines of text."""
    return f"lamina: a pool of {_core.get_num_threads()} threads of its own; no OpenMP or MKL\n"
