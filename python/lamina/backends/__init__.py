"""``lamina.backends``: the answers to code that asks for, or sets up, libraries PyTorch may use: there are none."""

from __future__ import annotations

from . import cuda, cudnn, mkl, mkldnn, mps, openmp

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]
