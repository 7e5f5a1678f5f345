"""Fetchers: numbers of samples in, a batch out; the same in a worker as in the process itself."""

from __future__ import annotations

from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Fetcher"]


class Fetcher:
    """Takes samples of `dataset`, by number or, of an `iterable` one, the next ones.

    With `batched` an index is a list of numbers and the samples are collated; without, it is one number and
    `collate_fn` gets one sample. StopIteration at the end of an iterable dataset.
    """

    def __init__(
        self, dataset: Any, iterable: bool, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool
    ) -> None:
        self._dataset = dataset
        self._batched = batched
        self._collate_fn = collate_fn
        self._drop_last = drop_last
        self._samples = iter(dataset) if iterable else None

    def fetch(self, index: Any) -> Any:
        """The batch of `index`."""
        return self._collate_fn(self._next(index) if self._samples is not None else self._at(index))

    def _at(self, index: Any) -> Any:
        if not self._batched:
            return self._dataset[index]
        if callable(getattr(self._dataset, "__getitems__", None)):
            return self._dataset.__getitems__(index)
        return [self._dataset[number] for number in index]

    def _next(self, index: Any) -> Any:
        assert self._samples is not None
        if not self._batched:
            return next(self._samples)
        samples = []
        for _ in index:
            try:
                samples.append(next(self._samples))
            except StopIteration:
                break
        if not samples or (self._drop_last and len(samples) < len(index)):
            raise StopIteration
        return samples
