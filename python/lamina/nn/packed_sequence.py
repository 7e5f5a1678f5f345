"""PackedSequence: sequences of unequal lengths as one tensor, step by step."""

from __future__ import annotations

from typing import NamedTuple

from .. import _core
from .._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["PackedSequence", "invert_permutation"]


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """The first elements of all sequences, the longest sequence first, then all second ones, and so on, in `data`.

    `batch_sizes` says how many sequences have each step, `sorted_indices` where each of them was before they were
    sorted by length, and `unsorted_indices` where to find it.
    """

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:  # one pair instead of two arguments
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        assert batch_sizes is not None
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequence with its data converted as by Tensor.to; itself if nothing changes."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        return type(self)(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def cpu(self) -> PackedSequence:
        return self.to("cpu")

    def double(self) -> PackedSequence:
        return self.to(dtype=_core.float64)

    def float(self) -> PackedSequence:
        return self.to(dtype=_core.float32)

    def half(self) -> PackedSequence:
        return self.to(dtype=_core.float16)

    def long(self) -> PackedSequence:
        return self.to(dtype=_core.int64)

    def int(self) -> PackedSequence:
        return self.to(dtype=_core.int32)

    def short(self) -> PackedSequence:
        return self.to(dtype=_core.int16)

    def char(self) -> PackedSequence:
        return self.to(dtype=_core.int8)

    def byte(self) -> PackedSequence:
        return self.to(dtype=_core.uint8)

    @property
    def is_cuda(self) -> bool:
        """False: there is one device, the CPU."""
        return False

    def is_pinned(self) -> bool:
        """Whether the data is in pinned memory."""
        return self.data.is_pinned()


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Where each number of a permutation of 0 … n - 1 stands."""
    if permutation is None:
        return None
    places = _core.arange(permutation.numel(), dtype=permutation.dtype, device=permutation.device)
    return _core.empty_like(permutation).scatter_(0, permutation, places)
