"""A sampler for one of several processes that share a dataset."""

from __future__ import annotations

from math import ceil
from typing import Any

from ... import _core
from ..._core import Generator
from .sampler import Sampler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sized

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th sample of an order that is the same in all processes, starting with the `rank`-th.

    All get equally many: samples from the start are repeated, or with `drop_last` some are left out. With `shuffle`
    the order follows from `seed` and the epoch, which `set_epoch` sets. There are no process groups to ask, so both
    numbers must be given (ValueError).
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise ValueError("DistributedSampler needs num_replicas and rank: there is no default process group")
        if rank >= num_replicas or rank < 0:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        self.shuffle = shuffle
        self.seed = seed
        length = len(dataset)
        self.num_samples = length // num_replicas if drop_last else ceil(length / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        order: Any = range(count)
        if self.shuffle:
            generator = Generator()
            generator.manual_seed(self.seed + self.epoch)
            order = _core.randperm(count, generator=generator).tolist()
        for position in range(self.rank, self.total_size, self.num_replicas):
            yield order[position % count]

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins: the order of each is another one."""
        self.epoch = epoch
