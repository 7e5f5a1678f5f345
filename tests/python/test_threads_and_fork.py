"""Many threads at once, any size of the pool, and children forked after work in threads."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn

fork_available = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = lamina.get_num_threads()
    yield lamina.set_num_threads
    lamina.set_num_threads(before)


def _train(seed: int, steps: int = 20) -> list[float]:
    generator = lamina.Generator().manual_seed(seed)
    net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    for parameter in net.parameters():
        parameter.data.normal_(0, 0.1, generator=generator)
    x = lamina.randn(64, 8, generator=generator)
    y = x.sum(1, keepdim=True)
    optimizer = lamina.optim.SGD(net.parameters(), lr=0.05)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (net(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_number_of_threads(threads: Callable[[int], None]) -> None:
    for count in (1, 2, 3, 1):
        threads(count)
        assert lamina.get_num_threads() == count
        assert lamina.ones(300_000).sum().item() == 300_000
    for wrong in (0, -1):
        with pytest.raises((RuntimeError, ValueError), match="positive"):
            threads(wrong)
    with pytest.raises(TypeError):
        threads("two")  # type: ignore[arg-type]


def _python(code: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_number_of_threads_from_the_environment() -> None:
    code = "import lamina; print(lamina.get_num_threads())"
    assert _python(code, LAMINA_NUM_THREADS="1") == "1"
    assert _python(code, LAMINA_NUM_THREADS="3") == "3"


REDUCTIONS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x.sum(),
    "sum of rows": lambda x: x.sum(1),
    "sum of columns": lambda x: x.sum(0),
    "mean": lambda x: x.mean(),
    "var": lambda x: x.var(1),
    "norm": lambda x: x.norm(),
    "prod": lambda x: (1 + x * 1e-4).prod(),
    "logsumexp": lambda x: x.logsumexp(0),
    "softmax": lambda x: x.softmax(1),
    "softmax of columns": lambda x: x.softmax(0),
    "cumsum": lambda x: x.cumsum(0),
    "matmul": lambda x: x.t() @ x,
    "chain": lambda x: ((x * 2).exp() - x).tanh().sum(0),
    "max": lambda x: x.max(),
    "argmax": lambda x: x.argmax(0),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_same_bits_for_any_number_of_threads(name: str, threads: Callable[[int], None]) -> None:
    array = np.random.default_rng(0).normal(size=(701, 331)).astype(np.float32)
    results = []
    for count in (1, 2, 3):
        threads(count)
        results.append(REDUCTIONS[name](lamina.tensor(array)).numpy())
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_python_threads_compute_at_once() -> None:
    alone = [_train(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(_train, range(4)))
    for one, other in zip(alone, together, strict=True):
        assert one == pytest.approx(other, rel=1e-5)
        assert one[-1] < one[0]


def test_python_threads_sum_many_numbers_accurately() -> None:
    """Pairwise, whoever else is at it: the error does not grow with the number of elements."""
    numbers = np.random.default_rng(0).random(10**7, dtype=np.float32)
    expected = numbers.sum(dtype=np.float64)
    x = lamina.from_numpy(numbers)
    with ThreadPoolExecutor(3) as pool:
        sums = list(pool.map(lambda _: float(x.sum()), range(6)))
    assert len(set(sums)) == 1
    assert abs(sums[0] - expected) <= 2**-23 * expected


def test_a_short_plan_does_not_wait_for_a_long_one() -> None:
    x = lamina.rand(512, 512)
    (x @ x).numpy()  # found out before: its plan, and how long it takes
    begin = time.perf_counter()
    (x @ x).numpy()
    products = 2 + int(0.2 / (time.perf_counter() - begin))
    started, ends = threading.Event(), {}

    def long() -> None:
        y = x
        for _ in range(products):
            y = y @ x
        started.set()
        lamina.flush()
        ends["long"] = time.perf_counter()

    worker = threading.Thread(target=long)
    worker.start()
    started.wait()
    time.sleep(0.02)  # until the interpreter's lock is free the long plan has it
    assert (lamina.ones(10) + 1).sum().item() == 20
    ends["short"] = time.perf_counter()
    worker.join()
    assert ends["short"] < ends["long"]


def test_results_of_a_running_plan_are_waited_for() -> None:
    x = lamina.rand(512, 512)
    expected = ((x @ x) @ x).sum().item()
    for _ in range(3):
        made: list[lamina.Tensor] = []
        recorded = threading.Event()

        def make(made: list[lamina.Tensor] = made, recorded: threading.Event = recorded) -> None:
            y = x
            for _ in range(8):
                z = (x @ x) @ x  # the same numbers each time, so that whoever reads early is found out
                y = z
            made.append(y)
            recorded.set()
            lamina.flush()

        worker = threading.Thread(target=make)
        worker.start()
        recorded.wait()
        assert made[0].sum().item() == pytest.approx(expected, rel=1e-5)
        worker.join()


def test_fork_waits_for_plans_of_other_threads() -> None:
    code = """
import os, threading, lamina
x = lamina.rand(256, 256)
done = threading.Event()
def work():
    while not done.is_set():
        (x @ x @ x).sum().item()
worker = threading.Thread(target=work)
worker.start()
for _ in range(5):
    child = os.fork()
    if child == 0:
        ok = lamina.ones(1000, 1000).sum().item() == 1e6 and (x @ x).sum().item() > 0
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
done.set()
worker.join()
print("done")
"""
    assert _python(code) == "done"


def test_python_threads_share_one_tensor() -> None:
    """Many readers of pending work: each sees the same numbers."""
    for _ in range(10):
        x = lamina.rand(200, 200)
        pending = (x @ x).exp().sum()
        barrier = threading.Barrier(4)

        def read(pending: Any = pending, barrier: threading.Barrier = barrier) -> float:
            barrier.wait(30)
            return float(pending + 1) - 1

        with ThreadPoolExecutor(4) as pool:
            values = [future.result(60) for future in [pool.submit(read) for _ in range(4)]]
        assert len(set(values)) == 1


def test_python_threads_accumulate_into_their_own_gradients() -> None:
    shared = lamina.ones(50, 50)

    def work(i: int) -> float:
        x = lamina.full((50, 50), float(i), requires_grad=True)
        for _ in range(20):
            (x @ shared).sum().backward()
        return float(x.grad.sum())

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(8))) == [50.0 * 50 * 50 * 20] * 8


def test_modes_belong_to_their_thread() -> None:
    seen = []
    with lamina.no_grad():
        thread = threading.Thread(target=lambda: seen.append(lamina.is_grad_enabled()))
        thread.start()
        thread.join(30)
        assert not lamina.is_grad_enabled()
    assert seen == [True]


def _raises_in_another_thread(work: Callable[[], object]) -> bool:
    with ThreadPoolExecutor(1) as pool:
        return isinstance(pool.submit(work).exception(60), RuntimeError)


def test_permission_to_change_saved_tensors_belongs_to_its_thread() -> None:
    def change() -> None:
        w, factor = lamina.ones(2, requires_grad=True), lamina.ones(2)
        product = (w * factor).sum()
        factor.add_(1)
        product.backward()

    with lamina.autograd.graph.allow_mutation_on_saved_tensors():
        change()
        assert _raises_in_another_thread(change)


@pytest.mark.filterwarnings("ignore:Error detected in SqrtBackward0", "ignore:Anomaly Detection has been enabled")
def test_anomalies_are_detected_in_all_threads() -> None:
    """PyTorch's mode belongs to the process, too."""

    def make_nan() -> None:
        (lamina.zeros(1, requires_grad=True).sqrt() * 0).sum().backward()

    assert not _raises_in_another_thread(make_nan)
    with lamina.autograd.detect_anomaly():
        assert _raises_in_another_thread(make_nan)


def test_changing_the_pool_while_others_compute(threads: Callable[[int], None]) -> None:
    stop = threading.Event()
    wrong = []

    def compute() -> None:
        while not stop.is_set():
            if lamina.ones(200_000).sum().item() != 200_000:
                wrong.append(1)

    workers = [threading.Thread(target=compute) for _ in range(2)]
    for worker in workers:
        worker.start()
    for count in (1, 2, 3, 2, 1, 2):
        threads(count)
        lamina.rand(100_000).sum().item()
    stop.set()
    for worker in workers:
        worker.join(60)
        assert not worker.is_alive()
    assert not wrong


def _in_child(connection: Any, seed: int) -> None:
    x = lamina.ones(400_000)
    connection.send((float((x * 2).sum()), _train(seed)))
    connection.close()


def _forked(seed: int) -> tuple[float, list[float]]:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_in_child, args=(sender, seed))
    child.start()
    sender.close()
    try:
        assert receiver.poll(60), "the child hangs"
        answer: tuple[float, list[float]] = receiver.recv()
        child.join(60)
        assert child.exitcode == 0
    finally:
        if child.is_alive():
            child.kill()
    return answer


@fork_available
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_after_work_in_threads(threads: Callable[[int], None]) -> None:
    threads(2)
    assert lamina.ones(400_000).sum().item() == 400_000  # the pool is up
    pending = lamina.ones(400_000) * 3
    wanted = _train(1)
    for _ in range(3):
        total, losses = _forked(1)
        assert total == 800_000
        assert losses == pytest.approx(wanted, rel=1e-5)
    assert pending.sum().item() == 1_200_000
    assert _train(1) == pytest.approx(wanted, rel=1e-5)


@fork_available
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_while_another_thread_computes(threads: Callable[[int], None]) -> None:
    threads(2)
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            lamina.rand(300, 300).softmax(0).sum().item()

    worker = threading.Thread(target=compute)
    worker.start()
    try:
        for seed in range(5):
            total, losses = _forked(seed)
            assert total == 800_000
            assert len(losses) == 20
    finally:
        stop.set()
        worker.join(60)
    assert not worker.is_alive()


@fork_available
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_pool_with_pending_work() -> None:
    """Children get what was pending in the parent, and their writes stay their own."""
    x = lamina.arange(6.0) * 2
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def child(connection: Any) -> None:
        x.add_(1)
        connection.send(x.tolist())

    process = context.Process(target=child, args=(sender,))
    process.start()
    try:
        assert receiver.poll(60)
        assert receiver.recv() == [1.0, 3.0, 5.0, 7.0, 9.0, 11.0]
        process.join(60)
    finally:
        if process.is_alive():
            process.kill()
    assert x.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]


def test_exit_while_a_daemon_thread_computes() -> None:
    code = """
import lamina, threading
def compute():
    while True:
        lamina.rand(300, 300).softmax(0).sum().item()
threading.Thread(target=compute, daemon=True).start()
print(lamina.ones(400_000).sum().item())
"""
    assert _python(code) == "400000.0"


def test_exit_with_pending_work() -> None:
    assert _python("import lamina; x = lamina.ones(10) * 2; y = [x, x + 1]; y.append(y); print('done')") == "done"
