"""Datasets, samplers and collation: what comes in which order and form, and what is refused."""

from __future__ import annotations

import warnings
from collections import Counter, OrderedDict, defaultdict, namedtuple
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    get_worker_info,
    random_split,
)

Pair = namedtuple("Pair", "a b")


class Count(IterableDataset[int]):
    """0 to n - 1, in order."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.n))


class Sized(Count):
    def __len__(self) -> int:
        return 3


class Bulk(Dataset[int]):
    """Squares, asked for many at a time."""

    def __getitem__(self, index: int) -> int:
        raise AssertionError("asked for one")

    def __getitems__(self, indices: list[int]) -> list[int]:
        return [index**2 for index in indices]

    def __len__(self) -> int:
        return 5


def seeded(seed: int) -> lamina.Generator:
    return lamina.Generator().manual_seed(seed)


def test_tensor_dataset() -> None:
    X, y = lamina.arange(6.0).reshape(3, 2), lamina.arange(3)
    dataset = TensorDataset(X, y)
    assert len(dataset) == 3
    assert [part.tolist() for part in dataset[1]] == [[2, 3], 1]
    assert [part.tolist() for part in dataset[[0, 2]]] == [[[0, 1], [4, 5]], [0, 2]]


def test_stack_dataset() -> None:
    assert StackDataset([1, 2], "ab")[1] == (2, "b")
    assert StackDataset(x=[1, 2], y="ab")[0] == {"x": 1, "y": "a"}
    assert StackDataset(Bulk(), range(5)).__getitems__([1, 3]) == [(1, 1), (9, 3)]
    assert len(StackDataset([1, 2])) == 2


def test_concatenated_and_chained() -> None:
    both = ConcatDataset([[1, 2], [], [3]])
    assert [both[i] for i in range(-3, 3)] == [1, 2, 3, 1, 2, 3]
    assert both.cumulative_sizes == [2, 2, 3]
    three = TensorDataset(lamina.arange(2)) + TensorDataset(lamina.arange(3)) + TensorDataset(lamina.arange(1))
    assert len(three) == 6
    chained = Count(2) + Sized(3)
    assert isinstance(chained, ChainDataset)
    assert list(chained) == [0, 1, 0, 1, 2]
    assert len(ChainDataset([Sized(3), Sized(4)])) == 6


def test_subsets() -> None:
    assert list(Subset("abcd", [3, 1])) == ["d", "b"]
    assert Subset(Bulk(), [4, 2]).__getitems__([1, 0]) == [4, 16]
    inner = Subset(TensorDataset(lamina.arange(5) * 10), [4, 3, 0])
    assert Subset(inner, [2, 0])[:][0].tolist() == [0, 40]


@pytest.mark.parametrize(
    ("length", "lengths", "expected"),
    [(6, [2, 4], [2, 4]), (6, [0.5, 0.5], [3, 3]), (106, [0.1, 0.2, 0.3, 0.4], [11, 22, 31, 42]), (3, [1.0], [3])],
)
def test_random_split(length: int, lengths: list[float], expected: list[int]) -> None:
    parts = random_split(range(length), lengths, seeded(1))
    assert [len(part) for part in parts] == expected
    assert sorted(value for part in parts for value in part) == list(range(length))
    again = random_split(range(length), lengths, seeded(1))
    assert [list(part) for part in parts] == [list(part) for part in again]
    assert all(type(index) is int for part in parts for index in part.indices)


def test_an_empty_part_warns() -> None:
    with pytest.warns(UserWarning, match="index 0 is 0"):
        random_split(range(3), [0.0, 1.0])


def test_random_samplers() -> None:
    data = range(7)
    assert sorted(RandomSampler(data)) == list(data)
    assert len(list(RandomSampler(data, num_samples=3))) == 3
    assert Counter(RandomSampler(data, num_samples=14)) == dict.fromkeys(data, 2)
    with pytest.raises(ValueError, match="got an empty data_source"):
        list(RandomSampler([], num_samples=1))
    drawn = list(RandomSampler(data, replacement=True, num_samples=100, generator=seeded(3)))
    assert len(drawn) == 100
    assert set(drawn) == set(data)
    assert sorted(SubsetRandomSampler([4, 5, 9])) == [4, 5, 9]
    lamina.manual_seed(0)
    first, second = list(RandomSampler(range(50))), list(RandomSampler(range(50)))
    assert first != second
    lamina.manual_seed(0)
    assert list(RandomSampler(range(50))) == first


def test_growing_data() -> None:
    data = [1, 2]
    loader = DataLoader(data, shuffle=True)
    data.append(3)
    assert len(loader) == len(list(loader)) == 3


def test_weighted_sampler() -> None:
    counts = Counter(WeightedRandomSampler([0, 1, 3], 4000, generator=seeded(1)))
    assert counts[0] == 0
    assert counts[2] / counts[1] == pytest.approx(3, rel=0.2)
    assert sorted(WeightedRandomSampler([1, 2, 3], 3, replacement=False)) == [0, 1, 2]


def test_batch_sampler() -> None:
    assert list(BatchSampler(SequentialSampler(range(5)), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert [len(BatchSampler(range(n), 2, last)) for n in (4, 5) for last in (False, True)] == [2, 2, 3, 2]


def test_distributed_sampler() -> None:
    def shares(**options: Any) -> list[list[int]]:
        return [list(DistributedSampler(range(7), 3, rank, **options)) for rank in range(3)]

    assert shares(shuffle=False) == [[0, 3, 6], [1, 4, 0], [2, 5, 1]]
    assert shares(shuffle=False, drop_last=True) == [[0, 3], [1, 4], [2, 5]]
    assert {index for share in shares() for index in share} == set(range(7))
    sampler = DistributedSampler(range(50), 1, 0)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first
    assert len(sampler) == 50


def equal(a: Any, b: Any) -> bool:
    """Equality of nested containers, with tensors equal in numbers and dtype."""
    if isinstance(b, lamina.Tensor):
        return isinstance(a, lamina.Tensor) and a.dtype == b.dtype and lamina.equal(a, b)
    if isinstance(b, dict):
        return type(a) is type(b) and a.keys() == b.keys() and all(equal(a[key], b[key]) for key in b)
    if isinstance(b, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)


class Custom(list[Any]):
    pass


f64 = lamina.float64
COLLATED: list[tuple[Any, Any]] = [
    ([1, 2], lamina.tensor([1, 2])),
    ([1.5, 2], lamina.tensor([1.5, 2], dtype=f64)),
    ([True, False], lamina.tensor([True, False])),
    (["a", "b"], ["a", "b"]),
    ([b"a"], [b"a"]),
    ([lamina.ones(2), lamina.zeros(2)], lamina.tensor([[1.0, 1], [0, 0]])),
    ([np.ones(2), np.zeros(2)], lamina.tensor([[1.0, 1], [0, 0]], dtype=f64)),
    ([np.float32(1), np.float32(2)], lamina.tensor([1.0, 2])),
    ([np.float64(1), np.float64(2)], lamina.tensor([1.0, 2], dtype=f64)),
    ([np.array(1), np.array(2)], lamina.tensor([1, 2])),
    ([(np.ones(2), 1), (np.zeros(2), 2)], [lamina.tensor([[1.0, 1], [0, 0]], dtype=f64), lamina.tensor([1, 2])]),
    (
        [{"a": np.bool_(True), "b": [np.array([2], "int8"), np.float32(3)], "c": np.str_("x")}],
        {"a": lamina.tensor([True]), "b": [lamina.tensor([[2]], dtype=lamina.int8), lamina.tensor([3.0])], "c": ["x"]},
    ),
    ([(1, 2.0), (3, 4.0)], [lamina.tensor([1, 3]), lamina.tensor([2.0, 4], dtype=f64)]),
    ([[1, "a"], [2, "b"]], [lamina.tensor([1, 2]), ("a", "b")]),
    ([range(2), range(2)], [lamina.tensor([0, 0]), lamina.tensor([1, 1])]),
    ([Pair(1, "a"), Pair(2, "b")], Pair(lamina.tensor([1, 2]), ("a", "b"))),
    ([Custom([1]), Custom([2])], Custom([lamina.tensor([1, 2])])),
    ([{"a": 1, "b": {"c": 2}}] * 2, {"a": lamina.tensor([1, 1]), "b": {"c": lamina.tensor([2, 2])}}),
    ([OrderedDict(a=1)], OrderedDict(a=lamina.tensor([1]))),
]


@pytest.mark.parametrize(("batch", "expected"), COLLATED)
def test_default_collate(batch: Any, expected: Any) -> None:
    assert equal(default_collate(batch), expected)
    assert equal(default_collate(batch), default_collate(tuple(batch))) or isinstance(batch[0], (str, bytes))


def test_collating_keeps_what_else_a_container_knows() -> None:
    sample = defaultdict(list, a=1)
    assert default_collate([sample, sample])["missing"] == []
    assert sample == {"a": 1}


def test_default_convert() -> None:
    data = {"x": np.ones(2, np.float32), "y": [1, "a", (2, None)], "z": Pair(np.int64(3), np.array(["s"]))}
    converted = default_convert(data)
    assert equal(converted["x"], lamina.ones(2))
    assert converted["y"] == [1, "a", [2, None]]
    assert equal(converted["z"].a, lamina.tensor(3))
    assert converted["z"].b is data["z"].b


def test_loader_orders_and_batches() -> None:
    data = TensorDataset(lamina.arange(5), lamina.arange(5) * 2)
    assert [[part.tolist() for part in batch] for batch in DataLoader(data, 2)] == [
        [[0, 1], [0, 2]],
        [[2, 3], [4, 6]],
        [[4], [8]],
    ]
    assert len(DataLoader(data, 2)) == 3
    assert len(list(DataLoader(data, 2, drop_last=True))) == len(DataLoader(data, 2, drop_last=True)) == 2
    assert [batch[0].tolist() for batch in DataLoader(data, sampler=[3, 1], batch_size=2)] == [[3, 1]]
    assert [batch[0].tolist() for batch in DataLoader(data, batch_sampler=[[0], [4, 2]])] == [[0], [4, 2]]
    assert list(DataLoader(range(3), batch_size=None)) == [0, 1, 2]
    assert list(DataLoader(range(4), batch_size=3, collate_fn=list)) == [[0, 1, 2], [3]]
    assert [batch.tolist() for batch in DataLoader(Bulk(), 3)] == [[0, 1, 4], [9, 16]]
    assert get_worker_info() is None


def test_shuffling_follows_the_generator() -> None:
    def epochs(seed: int) -> list[list[int]]:
        loader = DataLoader(range(30), shuffle=True, batch_size=7, generator=seeded(seed))
        return [[value for batch in loader for value in batch.tolist()] for _ in range(2)]

    first, second = epochs(1)
    assert sorted(first) == sorted(second) == list(range(30))
    assert first != second
    assert epochs(1) == [first, second]
    assert epochs(2) != [first, second]


def test_iterable_datasets() -> None:
    assert [batch.tolist() for batch in DataLoader(Count(5), 2)] == [[0, 1], [2, 3], [4]]
    assert [batch.tolist() for batch in DataLoader(Count(5), 2, drop_last=True)] == [[0, 1], [2, 3]]
    assert list(DataLoader(Count(3), batch_size=None)) == [0, 1, 2]
    assert [len(DataLoader(Sized(5), n)) for n in (1, 2, 3, None)] == [3, 2, 1, 3]
    with pytest.raises(TypeError, match="no len"):
        len(DataLoader(Count(5)))
    loader = DataLoader(Sized(4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(loader)  # nobody asked for the length
    assert len(loader) == 3
    with pytest.warns(UserWarning, match="was reported to be 3"):
        list(loader)


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: Dataset()[0], NotImplementedError, "should implement __getitem__"),
    (lambda: TensorDataset(lamina.ones(2), lamina.ones(3)), AssertionError, "Size mismatch between tensors"),
    (lambda: StackDataset(), ValueError, "At least one dataset should be passed"),
    (lambda: StackDataset([1], a=[1]), ValueError, "Supported either"),
    (lambda: StackDataset([1], [1, 2]), ValueError, "Size mismatch between datasets"),
    (lambda: ConcatDataset([]), AssertionError, "should not be an empty iterable"),
    (lambda: ConcatDataset([Count(1)]), AssertionError, "does not support IterableDataset"),
    (lambda: ConcatDataset([[1], [2]])[2], IndexError, "out of range"),
    (lambda: ConcatDataset([[1], [2]])[-3], ValueError, "should not exceed dataset length"),
    (lambda: list(ChainDataset([[1]])), AssertionError, "only supports IterableDataset"),
    (lambda: random_split([1, 2, 3], [1, 1]), ValueError, "Sum of input lengths"),
    (lambda: random_split([1, 2, 3], [0.5]), ValueError, "Sum of input lengths"),
    (lambda: random_split([1, 2, 3], [1.5, -0.5]), ValueError, "index 0 is not between 0 and 1"),
    (lambda: RandomSampler([1], replacement=0), TypeError, "replacement should be a boolean value"),
    (lambda: RandomSampler([]), ValueError, "num_samples should be a positive integer value, but got num_samples=0"),
    (lambda: WeightedRandomSampler([1], True), ValueError, "num_samples should be a positive integer"),
    (lambda: WeightedRandomSampler([[1.0]], 1), ValueError, "weights should be a 1d sequence"),
    (lambda: BatchSampler([1], 0, False), ValueError, "batch_size should be a positive integer"),
    (lambda: BatchSampler([1], 1, 2), ValueError, "drop_last should be a boolean"),
    (lambda: DistributedSampler([1], 3, 3), ValueError, "Invalid rank 3"),
    (lambda: DistributedSampler([1]), ValueError, "needs num_replicas and rank"),
    (lambda: default_collate([None]), TypeError, "batch must contain tensors"),
    (lambda: default_collate([np.array(["a"])]), TypeError, "batch must contain tensors"),
    (lambda: default_collate([[1], [1, 2]]), RuntimeError, "each element in list of batch should be of equal size"),
    (lambda: DataLoader([1], num_workers=-1), ValueError, "num_workers option should be non-negative"),
    (lambda: DataLoader([1], timeout=-1), ValueError, "timeout option should be non-negative"),
    (lambda: DataLoader([1], prefetch_factor=2), ValueError, "only be specified in multiprocessing"),
    (lambda: DataLoader([1], persistent_workers=True), ValueError, "needs num_workers > 0"),
    (lambda: DataLoader([1], multiprocessing_context="fork"), ValueError, "multi-process loading"),
    (lambda: DataLoader([1], num_workers=1, multiprocessing_context="x"), ValueError, "valid start method"),
    (lambda: DataLoader([1], num_workers=1, multiprocessing_context=1), TypeError, "valid context object"),
    (lambda: DataLoader([1], sampler=[0], shuffle=True), ValueError, "mutually exclusive with shuffle"),
    (lambda: DataLoader([1], batch_sampler=[[0]], batch_size=2), ValueError, "batch_sampler option is mutually"),
    (lambda: DataLoader([1], batch_size=None, drop_last=True), ValueError, "disables auto-batching"),
    (lambda: DataLoader(Count(1), shuffle=True), ValueError, "expected unspecified shuffle option"),
    (lambda: DataLoader(Count(1), sampler=[1]), ValueError, "expected unspecified sampler option"),
    (lambda: DataLoader(Count(1), batch_sampler=[[1]]), ValueError, "expected unspecified batch_sampler option"),
    (lambda: setattr(DataLoader([1]), "batch_size", 2), ValueError, "should not be set after DataLoader"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS)
def test_errors(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_pinning_warns() -> None:
    with pytest.warns(UserWarning, match="no accelerator is found"):
        batch = next(iter(DataLoader([1], pin_memory=True)))
    assert not batch.is_pinned()
