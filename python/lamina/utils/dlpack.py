"""``lamina.utils.dlpack``: memory lent to other array libraries, and theirs borrowed."""

from __future__ import annotations

from .._core import Tensor
from ..exchange import dlpack_capsule, from_dlpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule of `tensor`'s own memory, to be taken once."""
    return dlpack_capsule(tensor)
