"""Masks of attention as functions of positions, and which blocks of the scores they leave."""

from __future__ import annotations

from inspect import Parameter, signature

from ... import _core
from ..._core import Tensor
from ...autograd.batching import vmap
from ..functional import pad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..._typing import Device

__all__ = ["BlockMask", "and_masks", "create_block_mask", "create_mask", "map_positions", "noop_mask", "or_masks"]

_DEFAULT_SPARSE_BLOCK_SIZE = 128


def noop_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    """True: every query sees every key."""
    return batch.new_ones((), dtype=_core.bool)


def and_masks(*mask_mods: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The mask of what all of `mask_mods` show."""
    return _joined(mask_mods, Tensor.logical_and, True)


def or_masks(*mask_mods: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The mask of what any of `mask_mods` shows."""
    return _joined(mask_mods, Tensor.logical_or, False)


def _joined(
    mask_mods: tuple[Callable[..., Tensor], ...], join: Callable[[Tensor, Tensor], Tensor], start: bool
) -> Callable[..., Tensor]:
    if not all(callable(mask_mod) for mask_mod in mask_mods):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mask_mods}")

    def joined(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        result = b.new_full((), start, dtype=_core.bool)
        for mask_mod in mask_mods:
            result = join(result, mask_mod(b, h, q_idx, kv_idx))
        return result

    return joined


def map_positions(
    function: Callable[..., Tensor],
    shape: tuple[int, ...],
    scores: Tensor | None = None,
    device: Device | None = None,
) -> Tensor:
    """`function` of every batch, head, query and key, all 0-d, of `shape`; before them of the score there, if given."""
    first = () if scores is None else (0,)
    mapped = function
    for axis in (3, 2, 1, 0):
        mapped = vmap(mapped, in_dims=(*first, *(0 if axis == other else None for other in range(4))))
    where = device if scores is None else scores.device
    places = [_core.arange(size, device=where) for size in shape]
    return mapped(*places) if scores is None else mapped(scores, *places)


def _takes_scores(function: Callable[..., Tensor]) -> bool:
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    required = [
        parameter
        for parameter in signature(function).parameters.values()
        if parameter.kind in kinds and parameter.default is Parameter.empty
    ]
    if len(required) not in (4, 5):
        raise AssertionError(
            f"expected a function of (b, h, q, kv) or (score, b, h, q, kv), got one of {len(required)}"
        )
    return len(required) == 5


def create_mask(
    mod_fn: Callable[..., Tensor],
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Device | None = None,
) -> Tensor:
    """Where `mod_fn` is True, as a tensor of shape (B, H, Q_LEN, KV_LEN); None counts as 1.

    Of a function of scores: where what it makes of 0 is more than -inf.

    >>> lamina.nn.attention.flex_attention.create_mask(lambda b, h, q, kv: q >= kv, 1, 1, 2, 2)
    tensor([[[[ True, False],
              [ True,  True]]]])
    """
    shape = (B or 1, H or 1, Q_LEN, KV_LEN)
    if _takes_scores(mod_fn):
        return ~map_positions(mod_fn, shape, _core.zeros(shape, device=device)).isneginf()
    return map_positions(mod_fn, shape, device=device).to(_core.bool)


class BlockMask:
    """A mask function, and which blocks of `BLOCK_SIZE` queries and keys it leaves, wholly or in part.

    `kv_indices` lists for each block of queries the blocks of keys that it sees in part, `kv_num_blocks` how many these
    are; `full_kv_indices` and `full_kv_num_blocks` those it sees wholly. `seq_lengths` are the numbers of queries and
    keys. Here `flex_attention` asks `mask_mod` alone, and multiplies whole matrices.
    """

    kv_num_blocks: Tensor
    kv_indices: Tensor
    full_kv_num_blocks: Tensor | None
    full_kv_indices: Tensor | None
    BLOCK_SIZE: tuple[int, int]
    seq_lengths: tuple[int, int]

    def __init__(
        self,
        seq_lengths: tuple[int, int],
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None,
        full_kv_indices: Tensor | None,
        BLOCK_SIZE: tuple[int, int],
        mask_mod: Callable[..., Tensor],
    ) -> None:
        if kv_indices.dim() < 2:
            raise RuntimeError("BlockMask must have at least 2 dimensions")
        if (full_kv_num_blocks is None) != (full_kv_indices is None):
            raise AssertionError("full_kv_num_blocks and full_kv_indices must be both provided or omitted")
        self.seq_lengths = seq_lengths
        self.kv_num_blocks, self.kv_indices = kv_num_blocks, kv_indices
        self.full_kv_num_blocks, self.full_kv_indices = full_kv_num_blocks, full_kv_indices
        self.BLOCK_SIZE = BLOCK_SIZE
        self.mask_mod = mask_mod

    @classmethod
    def from_kv_blocks(
        cls,
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None = None,
        full_kv_indices: Tensor | None = None,
        BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
        mask_mod: Callable[..., Tensor] | None = None,
        seq_lengths: tuple[int, int] | None = None,
    ) -> BlockMask:
        """From lists of blocks; without `seq_lengths` they fill all queries and keys."""
        block = _pair(BLOCK_SIZE)
        if seq_lengths is None:
            seq_lengths = (kv_indices.shape[-2] * block[0], kv_indices.shape[-1] * block[1])
        lists = (kv_num_blocks, kv_indices, full_kv_num_blocks, full_kv_indices)
        return cls(seq_lengths, *lists, block, mask_mod or noop_mask)

    @property
    def shape(self) -> tuple[int, ...]:
        """Batches, heads, queries, keys."""
        return (*self.kv_indices.shape[:-2], *self.seq_lengths)

    def numel(self) -> int:
        """The number of scores."""
        return _core.Size(self.shape).numel()

    def to_dense(self) -> Tensor:
        """1 for every block of which something is seen, in the place of its queries and keys."""
        seen = _listed(self.kv_num_blocks, self.kv_indices)
        if self.full_kv_num_blocks is not None and self.full_kv_indices is not None:
            seen = seen | _listed(self.full_kv_num_blocks, self.full_kv_indices)
        return seen.to(_core.int32)

    def sparsity(self) -> float:
        """The percentage of scores in blocks of which nothing is seen."""
        kept = int(self.to_dense().sum()) * self.BLOCK_SIZE[0] * self.BLOCK_SIZE[1]
        return 100 * (1 - kept / self.numel())

    def to(self, device: Device) -> BlockMask:
        """The mask on `device`."""
        return self._with(lambda blocks: blocks.to(device))

    def __getitem__(self, index: Any) -> BlockMask:
        """The mask of some batches and heads; its `mask_mod` is not moved to them."""
        index = index if isinstance(index, tuple) else (index,)
        kept = tuple(slice(i, i + 1 or None) if isinstance(i, int) else i for i in index)
        return self._with(lambda blocks: blocks[kept])

    def _with(self, change: Callable[[Tensor], Tensor]) -> BlockMask:
        count, full = self.full_kv_num_blocks, self.full_kv_indices
        return BlockMask(
            self.seq_lengths,
            change(self.kv_num_blocks),
            change(self.kv_indices),
            None if count is None else change(count),
            None if full is None else change(full),
            self.BLOCK_SIZE,
            self.mask_mod,
        )

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%)"


def create_block_mask(
    mask_mod: Callable[..., Tensor],
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Device | None = None,
    BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
    _compile: bool = False,
) -> BlockMask:
    """What `mask_mod`, a function of (b, h, q_idx, kv_idx), leaves of the scores. B or H of None: the same for all.

    AssertionError for a function of another number of arguments.
    """
    if _takes_scores(mask_mod):
        raise AssertionError("create_block_mask requires a mask_mod function of (b, h, q_idx, kv_idx)")
    rows, columns = _pair(BLOCK_SIZE)
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device)
    mask = pad(mask, (0, -KV_LEN % columns, 0, -Q_LEN % rows))
    count = mask.unflatten(-1, (-1, columns)).unflatten(-3, (-1, rows)).sum((-3, -1))
    whole = count == rows * columns
    lists = (*_ordered((count > 0) & ~whole), *_ordered(whole))
    return BlockMask((Q_LEN, KV_LEN), *lists, (rows, columns), mask_mod)


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _ordered(seen: Tensor) -> tuple[Tensor, Tensor]:
    """How many blocks of each row are seen, and the numbers of all its blocks, those first."""
    numbers = seen.int()
    order = numbers.argsort(dim=-1, descending=True, stable=True)
    return numbers.sum(-1, dtype=_core.int32), order.to(_core.int32)


def _listed(counts: Tensor, indices: Tensor) -> Tensor:
    """The inverse of `_ordered`."""
    blocks = indices.shape[-1]
    places = _core.where(_core.arange(blocks) < counts.unsqueeze(-1), indices, blocks)
    return _core.zeros((*indices.shape[:-1], blocks + 1), dtype=_core.bool).scatter(-1, places.long(), True)[..., :-1]
