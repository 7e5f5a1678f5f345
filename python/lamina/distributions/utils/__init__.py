"""What authors of distributions use, under PyTorch's name for it."""

from __future__ import annotations

from ..parameters import broadcast_all, clamp_probs, lazy_property, logits_to_probs, probs_to_logits
from ..triangles import tril_matrix_to_vec, vec_to_tril_matrix

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]
