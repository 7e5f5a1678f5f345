"""What authors of distributions use, under PyTorch's name for it."""

from __future__ import annotations

from ... import _core
from ..parameters import broadcast_all, clamp_probs, lazy_property, logits_to_probs, probs_to_logits
from ..parameters import sum_rightmost as _sum_rightmost
from ..triangles import tril_matrix_to_vec, vec_to_tril_matrix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..._core import Tensor

__all__ = [
    "_standard_normal",
    "_sum_rightmost",
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]


def _standard_normal(shape: Sequence[int], dtype: Any, device: Any) -> Tensor:
    return _core.randn(shape, dtype=dtype, device=device)
