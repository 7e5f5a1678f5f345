"""Which steps of a program a profile looks at."""

from __future__ import annotations

from enum import Enum

from .._warning import warn_caller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ProfilerAction", "ProfilerActivity", "schedule", "supported_activities"]


class ProfilerAction(Enum):
    """What a profile does in a step; after RECORD_AND_SAVE `on_trace_ready` is called."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


class ProfilerActivity(Enum):
    """What can be looked at: lamina computes on the CPU."""

    CPU = 0
    CUDA = 2


def supported_activities() -> set[ProfilerActivity]:
    return {ProfilerActivity.CPU}


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """After `skip_first` steps, cycles of `wait`, `warmup` and `active` steps: `repeat` of them, or without end for 0.

    With `skip_first_wait` the first cycle does not wait. Nothing is looked at in steps of the warm-up.
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active < 1:
        raise AssertionError(
            f"Invalid profiler schedule arguments. Got wait={wait} (need >= 0), warmup={warmup} (need >= 0), "
            f"active={active} (need > 0), repeat={repeat} (need >= 0), skip_first={skip_first} (need >= 0)."
        )
    if warmup == 0:
        warn_caller("Profiler won't be using warmup, this can skew profiler results")

    def action_of(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        if skip_first_wait:
            step += wait
        cycle, at = divmod(step, wait + warmup + active)
        if 0 < repeat <= cycle or at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if at + 1 == wait + warmup + active else ProfilerAction.RECORD

    return action_of
