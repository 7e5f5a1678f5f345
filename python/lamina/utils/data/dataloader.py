"""The loader: batches of a dataset's samples, made in this process or in workers."""

from __future__ import annotations

import multiprocessing
from itertools import repeat
from typing import Any, Generic, TypeVar

from ..._warning import warn_caller
from ._utils.collate import default_collate, default_convert
from ._utils.fetch import Fetcher
from .dataset import IterableDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler, random_seed
from .worker_pool import WorkerPool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..._core import Generator

__all__ = ["DataLoader"]

T_co = TypeVar("T_co", covariant=True)
# What describes the order of samples: it cannot change once the loader is made.
_FIXED = frozenset(("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"))


class _Endless:
    """The sampler of an iterable dataset, whose samples have no numbers."""

    def __iter__(self) -> Iterator[None]:
        return repeat(None)


class DataLoader(Generic[T_co]):
    """Iterates over `dataset` in batches of `batch_size` samples, put together by `collate_fn`.

    The order is that of the dataset, random with `shuffle`, or that of `sampler` or `batch_sampler`. Without a batch
    size samples come one by one. `num_workers` processes make the batches ahead, `prefetch_factor` (default 2) each;
    ``worker_init_fn(worker_id)`` runs first in them, and with `persistent_workers` they live on from epoch to epoch.
    Random numbers follow from `generator`, in workers too. There is no memory to pin, so `pin_memory` warns and does
    nothing. ValueError for options that exclude each other.

    >>> for X, y in DataLoader(TensorDataset(inputs, labels), batch_size=32, shuffle=True): ...
    """

    dataset: Any
    _iterator: _Iterator | None = None

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing."
                "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
            )
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        if prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError("prefetch_factor option should be non-negative")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.in_order = in_order
        self.multiprocessing_context = multiprocessing_context
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            for name, value, unset in (
                ("shuffle", shuffle, (None, False)),
                ("sampler", sampler, (None,)),
                ("batch_sampler", batch_sampler, (None,)),
            ):
                if value not in unset:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if self._iterable:
                sampler = _Endless()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)
        self.persistent_workers = persistent_workers
        self._reported_length: int | None = None
        self._fixed = True
        _check_worker_number(num_workers)

    @property
    def multiprocessing_context(self) -> Any:
        """How workers are started: a context of `multiprocessing`, or None for its default."""
        return self.__multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if self.num_workers == 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                    f"num_workers={self.num_workers}"
                )
            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise ValueError(
                        "multiprocessing_context option should specify a valid start method in "
                        f"{methods!r}, but got multiprocessing_context={context!r}"
                    )
                context = multiprocessing.get_context(context)
            if not isinstance(context, multiprocessing.context.BaseContext):
                raise TypeError(
                    "multiprocessing_context option should be a valid context object or a string specifying the start "
                    f"method, but got multiprocessing_context={context}"
                )
        self.__multiprocessing_context = context

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and self.__dict__.get("_fixed"):
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __iter__(self) -> _Iterator:
        if not self.persistent_workers:
            return _Iterator(self)
        if self._iterator is None or not self._iterator._alive:
            self._iterator = _Iterator(self)
        else:
            self._iterator._begin(self, first=False)
        return self._iterator

    def __len__(self) -> int:
        """How many batches an epoch has. TypeError if the dataset, or its sampler, has no length."""
        if not self._iterable:
            return len(self._index_sampler)
        # A dataset that each worker iterates over as a whole has more: the iterator warns then.
        length = self._reported_length = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn if there are more workers than processors."""
        _check_worker_number(self.num_workers)


class _Iterator:
    """One epoch of a loader; with persistent workers, one after the other. It keeps no loader alive."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._persistent = loader.persistent_workers
        self._alive = True
        self._pool: WorkerPool | None = None
        if loader.pin_memory:
            warn_caller(
                "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be "
                "used."
            )
        self._begin(loader, first=True)

    def _begin(self, loader: DataLoader[Any], *, first: bool) -> None:
        seed = random_seed(loader.generator)
        self._index_sampler = loader._index_sampler
        self._indices = iter(self._index_sampler)
        self._dataset = loader.dataset
        self._fetched = 0
        # What was said about the length before: more batches are worth a warning.
        self._reported = loader._reported_length
        self._expected = None if self._reported is None else len(loader)
        fetcher = {
            "dataset": loader.dataset,
            "iterable": loader._iterable,
            "batched": loader._auto_collation,
            "collate_fn": loader.collate_fn,
            "drop_last": loader.drop_last,
        }
        if loader.num_workers == 0:
            self._fetcher = Fetcher(**fetcher)
            return
        if self._pool is None:
            assert loader.prefetch_factor is not None
            self._pool = WorkerPool(
                fetcher,
                loader.num_workers,
                loader.prefetch_factor,
                loader.multiprocessing_context or multiprocessing.get_context(),
                seed,
                loader.worker_init_fn,
                loader.timeout,
                loader.in_order,
            )
        self._pool.begin(self._indices, None if first else seed)

    @property
    def _workers(self) -> list[Any]:
        return self._pool.workers if self._pool is not None else []

    def __iter__(self) -> _Iterator:
        return self

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __next__(self) -> Any:
        if self._pool is None:
            batch = self._fetcher.fetch(next(self._indices))
        else:
            try:
                batch = self._pool.take()
            except StopIteration:
                if not self._persistent:
                    self._pool.shut_down()
                raise
            finally:
                self._alive = self._pool.is_open
        self._fetched += 1
        if self._expected is not None and self._fetched > self._expected:
            text = (
                f"Length of IterableDataset {self._dataset} was reported to be {self._reported} (when accessing "
                f"len(dataloader)), but {self._fetched} samples have been fetched. "
            )
            if self._pool is not None:
                text += (
                    "For multiprocessing data-loading, this happens where each worker iterates over the whole dataset: "
                    "give each a share, by get_worker_info()."
                )
            warn_caller(text)
        return batch


def _check_worker_number(num_workers: int) -> None:
    import os

    if not num_workers:
        return
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if processors is not None and num_workers > processors:
        warn_caller(
            f"This DataLoader will create {num_workers} worker processes in total. Our suggested max number of worker "
            f"in current system is {processors}, which is smaller than what this DataLoader is going to create. Please "
            "be aware that excessive worker creation might get DataLoader running slow or even freeze, lower the "
            "worker number to avoid potential slowness/freeze if necessary."
        )
