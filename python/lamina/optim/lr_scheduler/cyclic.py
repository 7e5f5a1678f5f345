"""Schedules that raise the rate and let it fall again, and the momentum the other way round (Smith, 2017 and 2018)."""

from __future__ import annotations

from math import cos, floor, pi
from types import FunctionType

from .scheduler import LRScheduler, copied, set_option, value_for_each_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    from ..optimizer import Optimizer

__all__ = ["CyclicLR", "OneCycleLR"]


class _MomentumCycler(LRScheduler):
    """A schedule that moves the momentum too: ``group["momentum"]``, or the first of ``group["betas"]``."""

    cycle_momentum: bool
    use_beta1: bool

    def _find_momentum(self, optimizer: Optimizer) -> None:
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in optimizer.defaults

    def _set_momentum(self, group: dict[str, Any], value: Any) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            set_option(group, "momentum", value)


def _triangular(gamma: float, x: float) -> float:
    return 1.0


def _triangular2(gamma: float, x: float) -> float:
    return float(1 / 2.0 ** (x - 1))


def _exp_range(gamma: float, x: float) -> float:
    return float(gamma**x)


_MODES = {
    "triangular": (_triangular, "cycle"),
    "triangular2": (_triangular2, "cycle"),
    "exp_range": (_exp_range, "iterations"),
}


class CyclicLR(_MomentumCycler):
    """From `base_lr` to `max_lr` in `step_size_up` batches and back in `step_size_down`, again and again.

    The height of a cycle is scaled: not at all ("triangular"), by half each cycle ("triangular2"), by `gamma` each
    batch ("exp_range"), or by `scale_fn`, of the cycle's number or the batch's as `scale_mode` says. With
    `cycle_momentum` the momentum goes from `max_momentum` to `base_momentum` meanwhile. Call `step` after each batch.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        base_lrs = [copied(value) for value in value_for_each_group("base_lr", optimizer, base_lr)]
        if last_epoch == -1:
            for group, value in zip(optimizer.param_groups, base_lrs):
                set_option(group, "lr", value)
        self.max_lrs = [copied(value) for value in value_for_each_group("max_lr", optimizer, max_lr)]
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in _MODES and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self.scale_mode: str = scale_mode if scale_fn is not None else _MODES[mode][1]
        self._scale_fn_custom = scale_fn
        self._find_scale_fn()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._find_momentum(optimizer)
            self._start_momentum(optimizer, base_momentum, max_momentum, first=last_epoch == -1)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _find_scale_fn(self) -> None:
        self._scale_fn_ref = None if self._scale_fn_custom is not None else _MODES[self.mode][0]

    def _start_momentum(self, optimizer: Optimizer, base: Any, top: Any, *, first: bool) -> None:
        self.base_momentums = [copied(value) for value in value_for_each_group("base_momentum", optimizer, base)]
        self.max_momentums = [copied(value) for value in value_for_each_group("max_momentum", optimizer, top)]
        if first:
            for low, high, group in zip(self.base_momentums, self.max_momentums, optimizer.param_groups):
                self._set_momentum(group, copied(high))
                group["max_momentum"] = high
                group["base_momentum"] = low

    def scale_fn(self, x: float) -> float:
        """What the height of cycle (or of batch) `x` is multiplied by."""
        if self._scale_fn_ref is not None:
            return self._scale_fn_ref(self.gamma, x)
        assert self._scale_fn_custom is not None
        return self._scale_fn_custom(x)

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        cycle = floor(1 + self.last_epoch / self.total_size)
        along = 1.0 + self.last_epoch / self.total_size - cycle
        height = along / self.step_ratio if along <= self.step_ratio else (along - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            groups = self.optimizer.param_groups
            for low, high, group in zip(self.base_momentums, self.max_momentums, groups):
                self._set_momentum(group, high - (high - low) * height)
        return [low + (high - low) * height for low, high in zip(self.base_lrs, self.max_lrs)]

    def state_dict(self) -> dict[str, Any]:
        """All but the optimizer and a scale function; of an object that can be called, its attributes."""
        state = self._state_without("_scale_fn_ref", "_scale_fn_custom")
        custom = self._scale_fn_custom
        plain = custom is None or isinstance(custom, FunctionType)
        state["_scale_fn_custom"] = None if plain else custom.__dict__.copy()
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned; a scale function stays the one the schedule was made with."""
        attributes = state_dict["_scale_fn_custom"]
        self.__dict__.update({name: value for name, value in state_dict.items() if name != "_scale_fn_custom"})
        if attributes is not None and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(attributes)
        self._find_scale_fn()


class OneCycleLR(_MomentumCycler):
    """One rise from ``max_lr / div_factor`` to `max_lr`, and a fall to ``initial / final_div_factor``.

    The whole takes `total_steps`, or ``epochs * steps_per_epoch``, batches; the rise takes `pct_start` of it. With
    `three_phase` the fall stops over at the initial rate. The momentum goes from `max_momentum` to `base_momentum` and
    back. ValueError for what makes no sense, and for steps behind the end. Call `step` after each batch.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        rise = float(pct_start * self.total_steps) - 1
        ends: list[tuple[float, str, str]] = [(rise, "max_lr", "base_momentum")]
        if three_phase:
            ends.append((2 * rise, "initial_lr", "max_momentum"))
        ends.append((self.total_steps - 1, "min_lr", "max_momentum"))
        self._schedule_phases: list[dict[str, Any]] = []
        lr, momentum = "initial_lr", "max_momentum"
        for end, end_lr, end_momentum in ends:
            self._schedule_phases.append(
                {
                    "end_step": end,
                    "start_lr": lr,
                    "end_lr": end_lr,
                    "start_momentum": momentum,
                    "end_momentum": end_momentum,
                }
            )
            lr, momentum = end_lr, end_momentum
        self._anneal_func_type: str = anneal_strategy
        max_lrs = value_for_each_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, value in zip(optimizer.param_groups, max_lrs):
                group["initial_lr"] = value / div_factor
                group["max_lr"] = copied(value)
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._find_momentum(optimizer)
            lows = value_for_each_group("base_momentum", optimizer, base_momentum)
            highs = value_for_each_group("max_momentum", optimizer, max_momentum)
            if last_epoch == -1:
                for low, high, group in zip(lows, highs, optimizer.param_groups):
                    self._set_momentum(group, copied(high))
                    group["max_momentum"] = copied(high)
                    group["base_momentum"] = copied(low)
        super().__init__(optimizer, last_epoch)

    def _anneal_func(self, start: Any, end: Any, pct: float) -> Any:
        if hasattr(self, "_anneal_func_type"):
            anneal = self._annealing_cos if self._anneal_func_type == "cos" else self._annealing_linear
        else:
            anneal = self.anneal_func  # type: ignore[attr-defined]  # the name in old state dicts
        return anneal(start, end, pct)

    @staticmethod
    def _annealing_cos(start: Any, end: Any, pct: float) -> Any:
        return end + (start - end) / 2.0 * (cos(pi * pct) + 1)

    @staticmethod
    def _annealing_linear(start: Any, end: Any, pct: float) -> Any:
        return (end - start) * pct + start

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        start = 0.0
        for phase in self._schedule_phases:
            end: Any = phase["end_step"]
            if step <= end or phase is self._schedule_phases[-1]:
                break
            start = end
        pct = (step - start) / (end - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._anneal_func(group[phase["start_lr"]], group[phase["end_lr"]], pct))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, self._anneal_func(*ends, pct))
        return rates


def _total_steps(total: Any, epochs: Any, steps_per_epoch: Any) -> int:
    def positive(name: str, value: Any) -> int:
        if value <= 0 or not isinstance(value, int):
            raise ValueError(f"Expected positive integer {name}, but got {value}")
        return value

    if total is not None:
        return positive("total_steps", total)
    if epochs is None or steps_per_epoch is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    return positive("epochs", epochs) * positive("steps_per_epoch", steps_per_epoch)
