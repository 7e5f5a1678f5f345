"""Sequences of unequal lengths: padded to one length, or packed step by step."""

from __future__ import annotations

from itertools import groupby, pairwise

from ... import _core
from ..._core import Tensor
from ..functional import pad
from ..packed_sequence import PackedSequence, invert_permutation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Sequences of the given `lengths`, padded to (T, N, *), or (N, T, *) with `batch_first`, packed.

    RuntimeError for lengths that do not decrease, unless `enforce_sorted` is off, and for lengths that do not fit.
    """
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    sizes = _core.as_tensor(lengths, dtype=_core.int64)
    if sizes.ndim != 1:
        raise RuntimeError(f"'lengths' argument should be a 1D CPU int64 tensor, but got {sizes.ndim}D cpu Long tensor")
    indices: Tensor | None = None
    if not enforce_sorted:
        sizes, indices = _core.sort(sizes, descending=True)
        input = input.index_select(0 if batch_first else 1, indices)
    steps = input.transpose(0, 1) if batch_first else input
    counts: list[int] = sizes.tolist()
    if len(counts) != steps.shape[1]:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} (batch_size={steps.shape[1]})"
        )
    if any(after > before for before, after in pairwise(counts)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you "
            "do not need ONNX exportability."
        )
    if counts[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if counts[0] > steps.shape[0]:
        raise RuntimeError(f"Expected lengths of at most {steps.shape[0]}, the padded length, but got {counts[0]}")
    batches = [sum(count > t for count in counts) for t in range(counts[0])]
    parts, first = [], 0
    for size, length in _runs(batches):
        parts.append(steps[first : first + length, :size].flatten(0, 1))
        first += length
    return PackedSequence(_core.cat(parts), _core.tensor(batches, dtype=_core.int64), indices, None)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """A packed sequence padded to (T, N, *), or (N, T, *) with `batch_first`, and the lengths.

    ValueError for a `total_length` that is less than the longest one's.
    """
    batches: list[int] = sequence.batch_sizes.tolist()
    count, longest = batches[0], len(batches)
    if total_length is not None and total_length < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {longest}"
        )
    rest = sequence.data.shape[1:]
    parts, first = [], 0
    for size, length in _runs(batches):
        block = sequence.data[first : first + size * length].reshape(length, size, *rest)
        parts.append(_filled(block, 1, count - size, padding_value))
        first += size * length
    padded = _filled(_core.cat(parts), 0, (total_length or longest) - longest, padding_value)
    lengths = _core.tensor([sum(size > n for size in batches) for n in range(count)], dtype=_core.int64)
    if sequence.unsorted_indices is not None:
        padded = padded.index_select(1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices]
    return padded.transpose(0, 1) if batch_first else padded, lengths


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (L, *) padded to the longest: (T, N, *), or (N, T, *) with `batch_first`.

    RuntimeError for no sequences, and for a `padding_side` that is neither "right" nor "left".
    """
    if not hasattr(sequences, "__iter__"):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    tensors = list(sequences)
    if not tensors:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    longest = max(len(tensor) for tensor in tensors)
    padded = []
    for tensor in tensors:
        spare = longest - len(tensor)
        widths = [0] * (2 * tensor.ndim - 2) + ([spare, 0] if padding_side == "left" else [0, spare])
        padded.append(pad(tensor, widths, value=padding_value).to(tensors[0].dtype))
    return _core.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences (L, *) of which a padded tensor was made."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[:length] for row, length in zip(rows, lengths.tolist())]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (L, *), packed; they must come by decreasing length, unless `enforce_sorted` is off."""
    lengths = [len(sequence) for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences (L, *) of which a packed one was made."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def _runs(batches: list[int]) -> list[tuple[int, int]]:
    """Each batch size, and how many steps it lasts."""
    return [(size, len(list(steps))) for size, steps in groupby(batches)]


def _filled(block: Tensor, axis: int, count: int, value: float) -> Tensor:
    return pad(block, [0] * (2 * (block.ndim - 1 - axis)) + [0, count], value=value) if count else block
