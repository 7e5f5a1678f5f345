"""What runs in a loader's worker process."""

from __future__ import annotations

import os
from typing import Any

from .fetch import Fetcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["End", "Failure", "Resume", "WorkerInfo", "get_worker_info", "run"]

_POLL_SECONDS = 5.0

_worker_info: Any = None


class WorkerInfo:
    """Which worker this is: `id` of `num_workers`, the `seed` of its random numbers, its copy of the `dataset`."""

    id: int
    num_workers: int
    seed: int
    dataset: Any

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        raise RuntimeError(f"Cannot assign attributes to {type(self).__name__} objects")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in self.__dict__.items())})"


def get_worker_info() -> WorkerInfo | None:
    """In a worker process, which one it is; None elsewhere. Iterable datasets choose their share by it."""
    return _worker_info  # type: ignore[no-any-return]


class Failure:
    """An exception on its way from a worker: it is raised again with the worker's traceback in its message."""

    def __init__(self, error: BaseException, where: str) -> None:
        from traceback import format_exception

        self.kind: Any = type(error)
        self.where = where
        self.text = "".join(format_exception(error))

    def reraise(self) -> None:
        """Raise an exception of the same type; RuntimeError if the type takes no message."""
        message = f"Caught {self.kind.__name__} {self.where}.\nOriginal {self.text}"
        if self.kind is KeyError:
            raise KeyError(_Verbatim(message))
        try:
            error = self.kind(message)
        except Exception:
            raise RuntimeError(message) from None
        try:
            raise error
        finally:
            del error  # a frame that holds what it raised is a cycle, and keeps all below it alive


class _Verbatim(str):
    """A message that KeyError prints as it is, with its lines."""

    def __repr__(self) -> str:
        return str(self)


class End:
    """What a worker answers to an index when its iterable dataset has ended."""


class Resume:
    """Tells a worker that the next epoch begins, with the seed of its random numbers."""

    def __init__(self, seed: int) -> None:
        self.seed = seed


def run(
    make_fetcher: dict[str, Any],
    tasks: Any,
    results: Any,
    base_seed: int,
    init_fn: Callable[[int], Any] | None,
    worker_id: int,
    num_workers: int,
    inherited: list[Any],
) -> None:
    """Answer every ``(number, index)`` of the queue `tasks` by ``(number, batch)`` on the connection `results`.

    It ends on None, when nobody reads the results any more, or with the process that started it. `inherited` are ends
    of pipes that only that process must hold.
    """
    import signal

    from ...._core import set_num_threads

    # Ctrl-C goes to all processes of a terminal: it is for the loader's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for connection in inherited:
        connection.close()
    _end_with_parent()
    set_num_threads(1)
    _seed(base_seed, worker_id)
    global _worker_info
    _worker_info = WorkerInfo(
        id=worker_id, num_workers=num_workers, seed=base_seed + worker_id, dataset=make_fetcher["dataset"]
    )
    failure: Failure | None = None
    fetcher: Fetcher | None = None
    where = f"in DataLoader worker process {worker_id}"
    try:
        if init_fn is not None:
            init_fn(worker_id)
        fetcher = Fetcher(**make_fetcher)
    except Exception as error:
        failure = Failure(error, where)
    while (task := tasks.get()) is not None:
        if isinstance(task, Resume):
            _seed(task.seed, worker_id)
            try:
                fetcher, failure = Fetcher(**make_fetcher), None
            except Exception as error:
                failure = Failure(error, where)
            continue
        number, index = task
        answer: Any = failure
        if failure is None:
            assert fetcher is not None
            try:
                answer = fetcher.fetch(index)
            except StopIteration:
                answer = End()
            except Exception as error:
                answer = Failure(error, where)
        try:
            results.send((number, answer))
        except OSError:  # nobody reads any more
            return
        except Exception as error:  # the batch cannot be pickled
            results.send((number, Failure(error, where)))


def _seed(base_seed: int, worker_id: int) -> None:
    """Give every generator that samples may be drawn from a stream of this worker's own."""
    import random
    import sys

    from ...._core import manual_seed

    random.seed(base_seed + worker_id)
    manual_seed(base_seed + worker_id)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(numpy.random.SeedSequence([base_seed, worker_id]).generate_state(4))


def _end_with_parent() -> None:
    """Watch the parent from a thread, and end this process at once when it is gone, whatever it is waiting for."""
    from multiprocessing import parent_process
    from multiprocessing.connection import wait
    from threading import Thread

    parent = parent_process()
    if parent is None:
        return
    sentinel, pid = parent.sentinel, os.getppid()

    def watch() -> None:
        # Sisters forked later hold the other end of a fork's sentinel too: the parent's number tells as well.
        while not wait([sentinel], _POLL_SECONDS) and os.getppid() == pid:
            pass
        os._exit(1)

    Thread(target=watch, daemon=True).start()
