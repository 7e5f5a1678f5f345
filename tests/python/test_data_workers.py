"""Workers: the same batches in the same order, seeds, failures that are told, and no process left behind."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, get_worker_info

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create", "ignore:This process.*is multi-threaded")


class Probe(Dataset[Any]):
    """What `act` says of a sample's number; at module level, so that spawned workers find it."""

    def __init__(self, act: Any, length: int = 6) -> None:
        self.act = act
        self.length = length

    def __getitem__(self, index: int) -> Any:
        return self.act(index)

    def __len__(self) -> int:
        return self.length


class Shared(IterableDataset[int]):
    """0 to n - 1, divided among the workers."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()
        return iter(range(self.n)) if info is None else iter(range(info.id, self.n, info.num_workers))


def twice(index: int) -> Any:
    return index, lamina.full((2,), index * 2.0)


def identify(index: int) -> tuple[int, int, int, int, int]:
    info = get_worker_info()
    assert info is not None
    return os.getpid(), info.id, info.num_workers, info.seed, len(info.dataset)


def draw(index: int) -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), lamina.rand(1, dtype=lamina.float64).item()


def fail(index: int) -> int:
    if index == 3:
        raise KeyError("no such sample")
    return index


class PickyError(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(one, two)


def fail_pickily(index: int) -> int:
    raise PickyError(1, 2)


def die(index: int) -> int:
    os._exit(3)


def sleep(index: int) -> int:
    time.sleep(60)
    return index


def unpicklable(index: int) -> Any:
    return lambda: None


def lists(batch: Any) -> Any:
    return batch


def seeded(seed: int) -> lamina.Generator:
    return lamina.Generator().manual_seed(seed)


def gone(pids: list[int], seconds: float = 10) -> bool:
    """Whether these processes end within some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(os.path.exists(f"/proc/{pid}/stat") and not _is_zombie(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("options", [{}, {"prefetch_factor": 1}, {"persistent_workers": True}, {"batch_size": None}])
def test_batches_are_those_of_one_process(options: dict[str, Any]) -> None:
    plain = {name: value for name, value in options.items() if name == "batch_size"}
    own = DataLoader(Probe(twice), **{"batch_size": 4, **plain})
    loader = DataLoader(Probe(twice), **{"batch_size": 4, "num_workers": 2, **options})
    for _ in range(2):
        batches, expected = list(loader), list(own)
        assert len(batches) == len(expected)
        for (indices, tensors), (their_indices, their_tensors) in zip(batches, expected):
            assert np.array_equal(indices, their_indices)
            assert lamina.equal(tensors, their_tensors)
            assert tensors.dtype == their_tensors.dtype
    del loader


def test_shuffling_is_the_same_with_workers() -> None:
    orders = [
        [batch.tolist() for batch in DataLoader(range(20), 3, shuffle=True, num_workers=n, generator=seeded(5))]
        for n in (0, 1, 3)
    ]
    assert orders[0] == orders[1] == orders[2]


def test_iterable_datasets_are_divided() -> None:
    loader = DataLoader(Shared(7), batch_size=2, num_workers=2)
    assert [batch.tolist() for batch in loader] == [[0, 2], [1, 3], [4, 6], [5]]
    loader = DataLoader(Shared(7), batch_size=None, num_workers=3, persistent_workers=True)
    assert sorted(loader) == sorted(loader) == list(range(7))


def test_workers_know_who_they_are_and_may_persist() -> None:
    def epoch(loader: Any) -> list[Any]:
        return [sample for batch in loader for sample in batch]

    loader = DataLoader(Probe(identify), num_workers=2, collate_fn=lists, generator=seeded(1))
    first, second = epoch(loader), epoch(loader)
    assert {(worker, workers, length) for _, worker, workers, _, length in first} == {(0, 2, 6), (1, 2, 6)}
    seeds = {worker: seed for _, worker, _, seed, _ in first}
    assert seeds[1] == seeds[0] + 1
    pids = [sample[0] for sample in first + second]
    assert len(set(pids)) == 4
    assert gone(pids)
    loader = DataLoader(Probe(identify), num_workers=2, collate_fn=lists, persistent_workers=True)
    pids = [sample[0] for sample in epoch(loader) + epoch(loader)]
    assert len(set(pids)) == 2
    assert not gone(pids, 0.1)
    del loader
    assert gone(pids)


def test_random_numbers_differ_by_worker_and_epoch_and_follow_the_generator() -> None:
    def epochs(persistent: bool) -> list[Any]:
        loader = DataLoader(
            Probe(draw), num_workers=2, collate_fn=lists, generator=seeded(9), persistent_workers=persistent
        )
        return [[sample for batch in loader for sample in batch] for _ in range(2)]

    first, second = epochs(False)
    for kind in zip(*first, *second):
        assert len(set(kind)) == 12
    assert epochs(False) == epochs(True) == [first, second]


def init_fine(worker_id: int) -> None:
    random.seed(100 + worker_id)


def init_broken(worker_id: int) -> None:
    raise RuntimeError("Error in worker_init_fn")


def test_worker_init_fn() -> None:
    loader = DataLoader(Probe(lambda i: random.random()), num_workers=1, collate_fn=lists, worker_init_fn=init_fine)
    random.seed(100)
    assert next(iter(loader)) == [random.random()]
    with pytest.raises(RuntimeError, match="Error in worker_init_fn"):
        list(DataLoader([1, 2], num_workers=2, worker_init_fn=init_broken))


def test_a_failure_comes_with_the_workers_traceback_and_others_go_on() -> None:
    iterator = iter(DataLoader(Probe(fail), num_workers=2))
    seen: list[Any] = []
    for _ in range(6):
        try:
            seen.append(next(iterator).item())
        except KeyError as error:
            text = str(error)
            assert "Caught KeyError in DataLoader worker process 1." in text
            assert "in fail" in text
            assert "no such sample" in text
            seen.append("failed")
    assert seen == [0, 1, 2, "failed", 4, 5]
    with pytest.raises(StopIteration):
        next(iterator)


@pytest.mark.parametrize(
    ("act", "options", "message"),
    [
        (fail_pickily, {}, "Caught PickyError in DataLoader worker process 0"),
        (unpicklable, {"collate_fn": lists}, "local object .unpicklable"),
        (die, {}, r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly"),
        (sleep, {"timeout": 0.2}, r"DataLoader timed out after 0.2 seconds"),
    ],
)
def test_failures_are_told_and_leave_no_process(act: Any, options: dict[str, Any], message: str) -> None:
    iterator = iter(DataLoader(Probe(act), num_workers=2, **options))
    pids = [worker.pid for worker in iterator._workers]
    with pytest.raises(Exception, match=message):
        next(iterator)
    del iterator
    assert gone(pids)


def test_an_epoch_may_be_left_early() -> None:
    big = TensorDataset(lamina.zeros(64, 50_000))
    iterator = iter(DataLoader(big, batch_size=4, num_workers=2))  # batches larger than a pipe holds
    next(iterator)
    pids = [worker.pid for worker in iterator._workers]
    del iterator
    assert gone(pids)
    loader = DataLoader(range(20), num_workers=2, persistent_workers=True)
    for count, batch in enumerate(loader):
        assert batch.item() == count
        if count == 2:
            break
    assert [batch.item() for batch in loader] == list(range(20))
    del loader


def test_batches_out_of_order() -> None:
    loader = DataLoader(range(12), num_workers=3, in_order=False)
    assert sorted(batch.item() for batch in loader) == list(range(12))


def test_spawned_workers() -> None:
    context = multiprocessing.get_context("spawn")
    loader = DataLoader(Probe(twice, 3), num_workers=1, multiprocessing_context=context)
    assert [indices.item() for indices, _ in loader] == [0, 1, 2]
    assert loader.multiprocessing_context is context


def test_workers_end_with_the_process_that_started_them() -> None:
    code = (
        "import lamina, time\n"
        "from lamina.utils.data import DataLoader, TensorDataset\n"
        "it = iter(DataLoader(TensorDataset(lamina.zeros(64, 50_000)), batch_size=4, num_workers=2))\n"
        "next(it)\n"
        "print(*[w.pid for w in it._workers], flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        assert not gone(pids, 0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert gone(pids, 20)


@pytest.mark.parametrize(
    "lines",
    [
        # The traceback keeps the iterator until the interpreter ends, when no thread can start any more.
        "sampler = (1 // 0 for _ in range(3))\niter(DataLoader(data, sampler=sampler, num_workers=2))\n",
        "held = iter(DataLoader(data, num_workers=2))\nheld.itself = held\nnext(held)\n1 // 0\n",
    ],
    ids=["before the first task", "in a cycle"],
)
def test_a_process_ends_by_its_error_whatever_the_workers_do(lines: str) -> None:
    code = (
        "import lamina\n"
        "from lamina.utils.data import DataLoader, TensorDataset\n"
        f"data = TensorDataset(lamina.zeros(8, 2))\n{lines}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("ZeroDivisionError: integer division or modulo by zero"), done.stderr
