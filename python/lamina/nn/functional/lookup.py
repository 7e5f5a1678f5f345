"""Between class or token numbers and vectors."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ...autograd import no_grad

__all__ = ["embedding", "one_hot"]


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Whole numbers of any shape (*) as vectors (*, num_classes) of zeros and a one, int64.

    Without `num_classes` it is the largest number plus one. RuntimeError for numbers below 0 or too large.
    """
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
    that `norm_type`-norm. `scale_grad_by_freq` divides each row's gradient by how often it is used. ValueError for
    `sparse`: gradients are dense.
    """
    if sparse:
        raise ValueError("embedding: sparse gradients do not exist here; leave sparse=False")
    if input.dtype not in (_core.int64, _core.int32):
        raise RuntimeError(f"embedding: expected indices of dtype int64 or int32, got {input.dtype}")
    if weight.ndim != 2:
        raise RuntimeError(f"embedding: 'weight' must be 2-D, got shape {tuple(weight.shape)}")
    if padding_idx is not None:
        if not -weight.shape[0] <= padding_idx < weight.shape[0]:
            raise AssertionError(f"Padding_idx must be within num_embeddings, got {padding_idx} for {weight.shape[0]}")
        padding_idx %= weight.shape[0]
    numbers = input.reshape(-1).to(_core.int64)
    if max_norm is not None:
        _shorten_rows(weight, numbers, max_norm, norm_type)
    rows = weight.index_select(0, numbers)
    if scale_grad_by_freq and rows.requires_grad:
        frequency = _core.zeros(weight.shape[0], dtype=rows.dtype)
        frequency = frequency.scatter_add(0, numbers, _core.ones(numbers.shape, dtype=rows.dtype))
        scale = frequency.index_select(0, numbers).unsqueeze(1)
        rows.register_hook(lambda gradient: gradient / scale)
    if padding_idx is not None:
        rows = _core.where((numbers == padding_idx).unsqueeze(1), rows.detach(), rows)
    return _core._labelled(rows.reshape((*input.shape, weight.shape[1])), "Embedding")


def _shorten_rows(weight: Tensor, numbers: Tensor, max_norm: float, norm_type: float) -> None:
    with no_grad():
        length = weight.norm(norm_type, 1, keepdim=True)
        used = _core.zeros(weight.shape[0]).scatter(0, numbers, 1.0).unsqueeze(1) > 0
        scale = _core.where(used & (length > max_norm), max_norm / (length + 1e-7), 1.0)
        weight.mul_(scale)
