"""Worker processes of one loader: batches are asked for ahead, and come back in order."""

from __future__ import annotations

import os
from multiprocessing.connection import wait
from time import monotonic
from typing import Any
from weakref import finalize

from ._utils.worker import End, Failure, Resume, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["WorkerPool"]

_JOIN_SECONDS = 2.0


class WorkerPool:
    """Starts `num_workers` processes and keeps `prefetch_factor` batches a worker on their way.

    Each worker has a queue of indices and a pipe for its batches, so that one that dies hangs nobody and is noticed at
    once. `shut_down` ends them; so do the pool's end and the end of the process.
    """

    def __init__(
        self,
        fetcher: dict[str, Any],
        num_workers: int,
        prefetch_factor: int,
        context: Any,
        base_seed: int,
        init_fn: Callable[[int], Any] | None,
        timeout: float,
        in_order: bool,
    ) -> None:
        self._prefetch = prefetch_factor
        self._timeout = timeout
        self._in_order = in_order
        self.workers: list[Any] = []
        self._tasks: list[Any] = []
        self._results: list[Any] = []
        self._fed: set[int] = set()  # the workers that were given a task
        # Not by __del__: in a cycle that would find pipes whose own __del__ has closed them.
        self._end = finalize(self, _end_workers, self.workers, self._tasks, self._results, self._fed, os.getpid())
        for worker_id in range(num_workers):
            tasks = context.Queue()
            tasks.cancel_join_thread()  # what a dead worker did not take must not keep this process
            reader, writer = context.Pipe(duplex=False)
            # A fork has copies of these: with one of them open nobody would notice that this process reads no more.
            inherited = [*self._results, reader] if context.get_start_method() == "fork" else []
            arguments = (fetcher, tasks, writer, base_seed, init_fn, worker_id, num_workers, inherited)
            process = context.Process(target=run, args=arguments, daemon=True)
            process.start()
            writer.close()
            self.workers.append(process)
            self._tasks.append(tasks)
            self._results.append(reader)

    def begin(self, indices: Iterator[Any], seed: int | None = None) -> None:
        """Begin an epoch over `indices`; with a `seed` the workers, which had one before, start anew."""
        if seed is not None:
            self._drain()
            for worker in range(len(self.workers)):
                self._put(worker, Resume(seed))
        self._indices = indices
        self._active = [True] * len(self.workers)
        self._outstanding = [0] * len(self.workers)
        self._turn = 0
        self._sent = 0  # the number of the next task
        self._next = 0  # the number of the next batch to hand out
        self._arrived: dict[int, Any] = {}
        for _ in range(self._prefetch * len(self.workers)):
            self._send_one()

    @property
    def is_open(self) -> bool:
        """Whether the workers are still there."""
        return self._end.alive

    def _put(self, worker: int, task: Any) -> None:
        self._fed.add(worker)
        self._tasks[worker].put(task)

    def _drain(self) -> None:
        """Take what the epoch before left on its way."""
        while any(self._outstanding):
            self._receive()

    def _send_one(self) -> None:
        """Give the next index to the next worker that has not ended."""
        for _ in self.workers:
            worker = self._turn
            self._turn = (self._turn + 1) % len(self.workers)
            if self._active[worker]:
                break
        else:
            return
        try:
            index = next(self._indices)
        except StopIteration:
            return
        self._put(worker, (self._sent, index))
        self._outstanding[worker] += 1
        self._sent += 1

    def take(self) -> Any:
        """The next batch. StopIteration behind the last; an exception of a worker is raised here."""
        while True:
            ready = self._next if self._in_order else min(self._arrived, default=-1)
            if ready in self._arrived:
                answer = self._arrived.pop(ready)
                self._next += 1
                self._send_one()
                if isinstance(answer, End):
                    continue
                if isinstance(answer, Failure):
                    answer.reraise()
                return answer
            if self._next >= self._sent:
                raise StopIteration
            self._receive()

    def _receive(self) -> None:
        """Wait for batches, and note those that came."""
        waiting: dict[Any, int] = {
            self._results[worker]: worker for worker, count in enumerate(self._outstanding) if count
        }
        ready = wait(list(waiting), self._timeout or None)
        if not ready:
            self.shut_down()
            raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
        connection: Any
        for connection in ready:
            worker = waiting[connection]
            try:
                number, answer = connection.recv()
            except (EOFError, OSError):
                pid = self.workers[worker].pid
                self.shut_down()
                raise RuntimeError(f"DataLoader worker (pid(s) {pid}) exited unexpectedly") from None
            self._outstanding[worker] -= 1
            self._arrived[number] = answer
            if isinstance(answer, End):
                self._active[worker] = False

    def shut_down(self) -> None:
        """End the workers: they are asked first, then terminated."""
        self._end()


def _end_workers(workers: list[Any], tasks: list[Any], results: list[Any], fed: set[int], owner: int) -> None:
    if os.getpid() != owner:  # a forked process has a copy of the pool, but not the workers
        return
    for worker, process in enumerate(workers):
        if worker in fed:
            tasks[worker].put(None)
        else:  # a queue's first task starts a thread, which is too late at the end of the process
            process.terminate()
        results[worker].close()  # a worker that is sending ends on this
    deadline = monotonic() + _JOIN_SECONDS
    for process in workers:
        process.join(max(0.0, deadline - monotonic()))
        if process.is_alive():
            process.terminate()
            process.join()
    for queue in tasks:
        queue.close()
