"""Between class or token numbers and vectors."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ...autograd import no_grad
from ...looking import holds_somewhere

__all__ = ["embedding", "embedding_bag", "one_hot"]


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Whole numbers of any shape (*) as vectors (*, num_classes) of zeros and a one, int64.

    Without `num_classes` it is the largest number plus one. RuntimeError for numbers below 0 or too large.
    """
    if num_classes < -1:
        raise RuntimeError("num_classes should be positive")
    return _core._one_hot(tensor, num_classes)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of `weight` (V, D) by number: (*) to (*, D).

    The row `padding_idx` gets no gradient. With `max_norm`, the rows that are used are first shortened, in place, to
    that `norm_type`-norm. `scale_grad_by_freq` divides each row's gradient by how often it is used. With `sparse`, too,
    the gradient is a dense tensor, of the same numbers.
    """
    _require_whole("embedding", input)
    if weight.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, got shape {tuple(weight.shape)}")
    if padding_idx is not None:
        if not -weight.shape[0] <= padding_idx < weight.shape[0]:
            raise AssertionError(f"Padding_idx must be within num_embeddings, got {padding_idx} for {weight.shape[0]}")
        padding_idx %= weight.shape[0]
    numbers = input.reshape(-1).to(_core.int64)
    if max_norm is not None:
        _shorten_rows(weight, numbers, max_norm, norm_type)
    rows = weight.index_select(0, numbers)
    if scale_grad_by_freq and rows.requires_grad:
        frequency = rows.new_zeros(weight.shape[0])
        frequency = frequency.scatter_add(0, numbers, rows.new_ones(numbers.shape))
        scale = frequency.index_select(0, numbers).unsqueeze(1)
        rows.register_hook(lambda gradient: gradient / scale)
    if padding_idx is not None:
        rows = _core.where((numbers == padding_idx).unsqueeze(1), rows.detach(), rows)
    return _core._labelled(rows.reshape((*input.shape, weight.shape[1])), "Embedding")


def _require_whole(name: str, numbers: Tensor) -> None:
    if numbers.dtype not in (_core.int64, _core.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{numbers.type()} instead (while checking arguments for {name})"
        )


def _shorten_rows(weight: Tensor, numbers: Tensor, max_norm: float, norm_type: float) -> None:
    weight = weight.detach()  # its tangent, if it is a dual tensor, stays
    with no_grad():
        length = weight.norm(norm_type, 1, keepdim=True)
        used = weight.new_zeros(weight.shape[0]).scatter(0, numbers, 1.0).unsqueeze(1) > 0
        # A little shorter, so that rounding leaves no row too long.
        scale = _core.where(used & (length > max_norm), max_norm / (length + 1e-7) * (1 - 2.0**-22), 1.0)
        weight.mul_(scale)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima (`mode`) of bags of rows of `weight` (V, D): to (bags, D).

    Bags are the rows of a matrix of numbers; of a vector, they begin at `offsets` (the last of which is the vector's
    end with `include_last_offset`). `per_sample_weights`, for "sum" only, multiply the rows. Rows `padding_idx` do not
    count. A bag of nothing is 0. The other options are those of embedding.
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if per_sample_weights is not None:
        if tuple(per_sample_weights.shape) != tuple(input.shape):
            raise ValueError(
                f"embedding_bag: If per_sample_weights ({list(per_sample_weights.shape)}) is not None, then it must "
                f"have the same shape as the input ({list(input.shape)})"
            )
        if mode != "sum":
            raise NotImplementedError(
                "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
                f"(got mode='{mode}')."
            )
        if per_sample_weights.dtype != weight.dtype:
            raise RuntimeError(
                f"embedding_bag: expected per_sample_weights ({per_sample_weights.dtype}) to have the same type as "
                f"weight ({weight.dtype})"
            )
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    lengths = _bag_lengths(input, offsets, include_last_offset)
    total = sum(lengths)
    if padding_idx is not None:
        if not -weight.shape[0] <= padding_idx < weight.shape[0]:
            raise RuntimeError(f"padding_idx must be within the number of embeddings, got {padding_idx}")
        padding_idx %= weight.shape[0]
    numbers = input.reshape(-1).narrow(0, 0, total)
    if holds_somewhere((numbers < 0) | (numbers >= weight.shape[0])):
        raise RuntimeError(
            f"embedding_bag: Expected idx >= 0 && idx < num_embeddings to be true, got {int(numbers.min())} to "
            f"{int(numbers.max())} for {weight.shape[0]} embeddings"
        )
    plain = padding_idx is None and max_norm is None and not scale_grad_by_freq
    if mode != "max" and plain and weight.dtype in _WEIGHED and lengths and min(lengths) == max(lengths) > 0:
        sums = _weighed(numbers.reshape(len(lengths), lengths[0]), weight, mode, per_sample_weights)
        return _core._labelled(sums, "EmbeddingBag") if sums.requires_grad else sums
    rows = embedding(numbers, weight, None, max_norm, norm_type, scale_grad_by_freq, sparse)
    counted = None if padding_idx is None else numbers != padding_idx
    if mode == "max":
        return _largest(rows, lengths, counted)
    if counted is not None:
        rows = _core.where(counted.unsqueeze(1), rows, 0.0)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1, 1).narrow(0, 0, total)
    sums = _sums(rows, lengths)
    if mode == "mean":
        sums = sums / _counts(weight, lengths, counted)
    return _core._labelled(sums, "EmbeddingBag") if sums.requires_grad else sums


_WEIGHED = (_core.float32, _core.float64)


def _weighed(numbers: Tensor, weight: Tensor, mode: str, per_sample_weights: Tensor | None) -> Tensor:
    """Sums or means of bags of one length, in one step."""
    bags, length = numbers.shape
    if per_sample_weights is None:
        factors = weight.new_full((1, bags, length), 1 / length if mode == "mean" else 1.0)
    else:
        factors = per_sample_weights.reshape(1, bags, length)
    index = numbers.to(_core.int64).unsqueeze(0)
    return _core._weighted_take(weight.unsqueeze(0).unsqueeze(0), index, factors).squeeze(0).squeeze(0)


def _counts(weight: Tensor, lengths: list[int], counted: Tensor | None) -> Tensor | int:
    """How many rows each bag's sum is divided by, at least 1."""
    if counted is None and len(set(lengths)) == 1:
        return max(lengths[0], 1)
    counts = weight.new_tensor(lengths) if counted is None else _sums(counted.to(weight.dtype), lengths)
    return counts.clamp_min(1.0).unsqueeze(1)


def _sums(rows: Tensor, lengths: list[int]) -> Tensor:
    """Of each bag's rows; bags of one length are a tensor's."""
    bags, rest = len(lengths), rows.shape[1:]
    if len(set(lengths)) == 1:
        return rows.reshape(bags, lengths[0], *rest).sum(1)
    of_bag = _core.arange(bags).repeat_interleave(_core.tensor(lengths, dtype=_core.int64))
    return rows.new_zeros(bags, *rest).index_add(0, of_bag, rows)


def _bag_lengths(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> list[int]:
    """How many numbers belong to each bag."""
    _require_whole("embedding_bag", input)
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated as a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        return [input.shape[1]] * input.shape[0]
    if input.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    _require_whole("embedding_bag", offsets)
    count = input.shape[0]
    # What nobody knows is all in the first bag.
    starts: list[int] = [0, *[count] * (len(offsets) - 1)][: len(offsets)] if offsets.is_meta else offsets.tolist()
    if include_last_offset:
        if not starts:
            raise ValueError("include_last_offset: number of offset should be at least 1")
        starts = starts[:-1]  # the last bag goes to the end, whatever the last offset is
    ends = [*starts[1:], count] if starts else []
    if starts and starts[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
            f"got {starts[0]}"
        )
    if ends and ends[-1] > count:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {count} but got offsets[-1] of {ends[-1]}"
        )
    lengths = [end - start for start, end in zip(starts, ends)]
    if any(length < 0 for length in lengths):
        raise RuntimeError(f"embedding_bag: expected offsets in ascending order, got {offsets.tolist()}")
    return lengths


def _largest(rows: Tensor, lengths: list[int], counted: Tensor | None) -> Tensor:
    """The largest of each bag's rows, element by element; the first of equal ones has the gradient."""
    if counted is None and len(set(lengths)) == 1 and lengths[0]:
        return rows.reshape(len(lengths), lengths[0], rows.shape[1]).max(1).values
    kept: list[bool] = [True] * len(rows) if counted is None or counted.is_meta else counted.tolist()
    bags: list[list[int]] = []
    start = 0
    for length in lengths:
        bags.append([position for position in range(start, start + length) if kept[position]])
        start += length
    longest = max(map(len, bags), default=0)
    if longest == 0:
        return rows.narrow(0, 0, 0).sum(0).expand(len(bags), -1).clone()  # zeros, with a gradient of zeros
    # Shorter bags repeat their first row; those of nothing take any, and are 0 in the end.
    index = _core.tensor([bag + (bag or [0])[:1] * (longest - len(bag)) for bag in bags], dtype=_core.int64)
    largest = rows.index_select(0, index.reshape(-1)).reshape(len(bags), longest, -1).max(1).values
    return _core.where(rows.new_tensor([bool(bag) for bag in bags], dtype=_core.bool).unsqueeze(1), largest, 0.0)
