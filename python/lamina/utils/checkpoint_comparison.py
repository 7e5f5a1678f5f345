"""Whether a checkpointed function did the same when it was called again: what it saved for gradients is compared."""

from __future__ import annotations

from contextlib import contextmanager

from .. import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import Any

__all__ = [
    "CheckpointError",
    "SavedLog",
    "debugs",
    "early_stops",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]


class CheckpointError(RuntimeError):
    """What was computed again is not what was computed before."""


class _Setting:
    """A context manager that sets what `checkpoint` takes, until its end; None: what the call says."""

    current: bool | str | None = None

    def __init__(self, value: bool | None) -> None:
        self.value = value

    def __enter__(self) -> None:
        self.before, type(self).current = type(self).current, self.value

    def __exit__(self, *exception: object) -> None:
        type(self).current = self.before


class set_checkpoint_early_stop(_Setting):  # noqa: N801
    """Within it checkpoints take this for their `early_stop`, whatever the call says.

    In lamina the second call runs to its end either way, and what no gradient reads is recorded but never computed.
    With False it is an error if that call saves more for gradients than the first.
    """


class set_checkpoint_debug_enabled(_Setting):  # noqa: N801
    """Within it checkpoints take this for their `debug`, whatever the call says."""


def early_stops(given: bool) -> bool:
    """`early_stop` of a call that is given this."""
    return given if set_checkpoint_early_stop.current is None else bool(set_checkpoint_early_stop.current)


def debugs(given: bool) -> bool:
    """`debug` of a call that is given this."""
    return given if set_checkpoint_debug_enabled.current is None else bool(set_checkpoint_debug_enabled.current)


class SavedLog:
    """What the first call of a function saved for gradients, and the comparison with the second.

    `metadata`: compare shapes and types, not only how much was saved. `more`: the second call may save more. `debug`:
    list both in errors.
    """

    def __init__(self, metadata: bool, more: bool, debug: bool) -> None:
        self.metadata, self.more, self.debug = metadata, more, debug
        self.first: list[tuple[str, Any, Any]] = []

    @contextmanager
    def taken(self) -> Generator[None, None, None]:
        """Within it is the first call."""
        with _logged(self.first):
            yield

    @contextmanager
    def compared(self) -> Generator[None, None, None]:
        """Within it is the second call. CheckpointError at its end if it differs."""
        again: list[tuple[str, Any, Any]] = []
        with _logged(again):
            yield
        if len(again) > len(self.first) and not self.more:
            self._fail(
                "trying to save more tensors during recomputation than during the original forward pass. "
                f"{len(self.first)} were saved, now {len(again)}.",
                again,
            )
        if len(again) < len(self.first):
            self._fail(
                "A different number of tensors was saved during the original forward and recomputation.\n"
                f"Number of tensors saved during forward: {len(self.first)}\n"
                f"Number of tensors saved during recomputation: {len(again)}",
                again,
            )
        self._compare([entry[1:] for entry in self.first], [entry[1:] for entry in again[: len(self.first)]], again)

    def compare_results(self, before: Sequence[Any], now: Sequence[Any]) -> None:
        """CheckpointError if the function's results have other shapes or types."""
        self._compare(before, now, [])

    def _compare(self, before: Sequence[Any], now: Sequence[Any], again: list[Any]) -> None:
        if not self.metadata:
            return
        lines = [
            f"tensor at position {i}:\nsaved metadata: {one}\nrecomputed metadata: {other}"
            for i, (one, other) in enumerate(zip(before, now, strict=True))
            if one != other
        ]
        if lines:
            self._fail(
                "Recomputed values for the following tensors have different metadata than during the forward pass.\n"
                + "\n".join(lines),
                again,
            )

    def _fail(self, text: str, again: list[tuple[str, Any, Any]]) -> None:
        if self.debug:
            text = (
                "You are seeing this error because you passed `debug=True` to checkpoint and the tensors that were "
                f"saved in its two calls are not the same.\n{text}\nSaved by, in the forward pass: "
                f"{', '.join(entry[0] for entry in self.first)}\nSaved by, in the recomputation: "
                f"{', '.join(entry[0] for entry in again)}"
            )
        raise CheckpointError("torch.utils.checkpoint: " + text)


@contextmanager
def _logged(log: list[tuple[str, Any, Any]]) -> Generator[None, None, None]:
    before = _core._exchange_saved_log(log)
    try:
        yield
    finally:
        _core._exchange_saved_log(before)
