"""Schedules: each against its closed form, states, composition, momentum, the order of calls, errors."""

from __future__ import annotations

import gc
import math
import pickle
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import lamina
from lamina import nn, optim
from lamina.optim import lr_scheduler as schedules

BASE = [0.05, 0.5]


def make_optimizer(make: Any = optim.SGD, **options: Any) -> optim.Optimizer:
    groups = [{"params": [nn.Parameter(lamina.ones(1))]}, {"params": [nn.Parameter(lamina.ones(1))], "lr": BASE[1]}]
    return make(groups, lr=BASE[0], **options)


def rates(optimizer: optim.Optimizer) -> list[float]:
    return [float(group["lr"]) for group in optimizer.param_groups]


def run(optimizer: optim.Optimizer, schedule: Any, epochs: int) -> list[list[float]]:
    """The rates of the first `epochs` epochs."""
    seen = []
    for _ in range(epochs):
        seen.append(rates(optimizer))
        assert [float(rate) for rate in schedule.get_last_lr()] == seen[-1]
        optimizer.step()
        schedule.step()
    return seen


def cosine(t: float, period: float) -> float:
    return (1 + math.cos(math.pi * t / period)) / 2


def triangle(t: float, up: int, down: int) -> float:
    t %= up + down
    return t / up if t <= up else (up + down - t) / down


def one_cycle(t: int) -> float:
    """The rates of max_lr=1, total_steps=10, linear, div_factor=10, final_div_factor=10, pct_start=0.3."""
    return 0.1 + 0.9 * t / 2 if t <= 2 else 1 + (0.01 - 1) * (t - 2) / 7


# A schedule, and its rate at an epoch for the initial rate `lr`.
CASES: list[tuple[Callable[[Any], Any], Callable[[float, int], float]]] = [
    (lambda o: schedules.LambdaLR(o, lambda e: 0.9**e), lambda lr, e: lr * 0.9**e),
    (lambda o: schedules.LambdaLR(o, [lambda e: 1 + e] * 2), lambda lr, e: lr * (1 + e)),
    (lambda o: schedules.MultiplicativeLR(o, lambda e: 1 / (1 + e)), lambda lr, e: lr / math.factorial(e + 1)),
    (lambda o: schedules.StepLR(o, 3, gamma=0.5), lambda lr, e: lr * 0.5 ** (e // 3)),
    (lambda o: schedules.MultiStepLR(o, [2, 5, 5]), lambda lr, e: lr * 0.1 ** ((e >= 2) + 2 * (e >= 5))),
    (lambda o: schedules.ConstantLR(o, 0.25, 4), lambda lr, e: lr * (0.25 if e < 4 else 1)),
    (lambda o: schedules.LinearLR(o, 0.25, 0.75, 4), lambda lr, e: lr * (0.25 + 0.5 * min(e, 4) / 4)),
    (lambda o: schedules.ExponentialLR(o, 0.9), lambda lr, e: lr * 0.9**e),
    (lambda o: schedules.PolynomialLR(o, 5, 1.5), lambda lr, e: lr * (1 - min(e, 5) / 5) ** 1.5),
    (lambda o: schedules.CosineAnnealingLR(o, 4, 0.01), lambda lr, e: 0.01 + (lr - 0.01) * cosine(e, 4)),
    (
        lambda o: schedules.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
        lambda lr, e: (
            0.01 + (lr - 0.01) * (cosine(e, 3) if e < 3 else cosine(e - 3, 6) if e < 9 else cosine(e - 9, 12))
        ),
    ),
    (
        lambda o: schedules.CyclicLR(o, 0.1, 0.4, 2, 3, cycle_momentum=False),
        lambda lr, e: 0.1 + 0.3 * triangle(e, 2, 3),
    ),
    (
        lambda o: schedules.CyclicLR(o, 0.1, 0.4, 2, 3, mode="triangular2", cycle_momentum=False),
        lambda lr, e: 0.1 + 0.3 * triangle(e, 2, 3) / 2 ** (e // 5),
    ),
    (
        lambda o: schedules.CyclicLR(o, 0.1, 0.4, 2, 3, mode="exp_range", gamma=0.8, cycle_momentum=False),
        lambda lr, e: 0.1 + 0.3 * triangle(e, 2, 3) * 0.8**e,
    ),
    (
        lambda o: schedules.CyclicLR(o, 0.1, 0.4, 2, 3, scale_fn=lambda x: 1 / x, cycle_momentum=False),
        lambda lr, e: 0.1 + 0.3 * triangle(e, 2, 3) / (1 + e // 5),
    ),
    (
        lambda o: schedules.OneCycleLR(
            o, 1.0, 10, anneal_strategy="linear", div_factor=10, final_div_factor=10, cycle_momentum=False
        ),
        lambda lr, e: one_cycle(min(e, 9)) if e < 10 else float("nan"),
    ),
    (lambda o: optim.swa_utils.SWALR(o, 0.2, 4, "linear"), lambda lr, e: lr + (0.2 - lr) * min(e, 4) / 4),
    (lambda o: optim.swa_utils.SWALR(o, [0.2, 0.2], 4), lambda lr, e: 0.2 + (lr - 0.2) * cosine(min(e, 4), 4)),
    (
        lambda o: schedules.SequentialLR(o, [schedules.ExponentialLR(o, 0.5), schedules.StepLR(o, 2)], [3]),
        lambda lr, e: lr * (0.5**e if e < 3 else 0.1 ** ((e - 3) // 2)),
    ),
    (
        lambda o: schedules.SequentialLR(
            o, [schedules.ConstantLR(o, 0.5), schedules.ChainedScheduler([schedules.ExponentialLR(o, 0.5)])], [2]
        ),
        lambda lr, e: lr * (0.5 if e < 2 else 0.5 ** (e - 2)),
    ),
    (
        lambda o: schedules.ChainedScheduler([schedules.ConstantLR(o, 0.5, 2), schedules.ExponentialLR(o, 0.9)]),
        lambda lr, e: lr * (0.5 if e < 2 else 1) * 0.9**e,
    ),
]


@pytest.mark.parametrize(("make", "rate"), CASES)
@pytest.mark.parametrize("as_tensor", [False, True])
def test_rates(make: Any, rate: Any, as_tensor: bool) -> None:
    optimizer = make_optimizer()
    if as_tensor:
        for group in optimizer.param_groups:
            group["lr"] = lamina.tensor(group["lr"], dtype=lamina.float64)
    own = [group["lr"] for group in optimizer.param_groups]
    schedule = make(optimizer)
    for epoch, seen in enumerate(run(optimizer, schedule, 10)):
        assert seen == pytest.approx([rate(lr, epoch) for lr in BASE], abs=1e-12), epoch
    if as_tensor:  # a tensor is changed in place: whoever holds it sees the schedule
        assert all(group["lr"] is tensor for group, tensor in zip(optimizer.param_groups, own))


def test_every_schedule_has_a_case() -> None:
    made = {type(make(make_optimizer(momentum=0.9))) for make, _ in CASES}
    classes = {value for name in schedules.__all__ if isinstance(value := getattr(schedules, name), type)}
    assert classes - made == {schedules.LRScheduler, schedules.ReduceLROnPlateau}


@pytest.mark.parametrize("make", [make for make, _ in CASES])
def test_a_state_goes_on_where_it_was(make: Any) -> None:
    optimizer = make_optimizer()
    schedule = make(optimizer)
    run(optimizer, schedule, 4)
    state = pickle.loads(pickle.dumps(schedule.state_dict()))
    saved = pickle.loads(pickle.dumps(optimizer.state_dict()))
    expected = run(optimizer, schedule, 4)
    optimizer = make_optimizer()
    schedule = make(optimizer)
    optimizer.load_state_dict(saved)
    schedule.load_state_dict(state)
    assert run(optimizer, schedule, 4) == expected


def closed_forms() -> list[Any]:
    return [make for make, _ in CASES if hasattr(make(make_optimizer()), "_get_closed_form_lr")]


@pytest.mark.parametrize("make", closed_forms())
def test_an_epoch_given_to_step_uses_the_closed_form(make: Any) -> None:
    optimizer, other = make_optimizer(), make_optimizer()
    expected, schedule = run(optimizer, make(optimizer), 8), make(other)
    other.step()
    for epoch in (5, 2, 7, 0):
        with pytest.warns(UserWarning, match="^The epoch parameter in `scheduler.step\\(\\)`") as caught:
            schedule.step(epoch)
        assert caught[0].message.args == (schedules.EPOCH_DEPRECATION_WARNING,)
        assert rates(other) == pytest.approx(expected[epoch])


def test_warm_restarts_take_fractions_of_epochs() -> None:
    optimizer = make_optimizer()
    schedule = schedules.CosineAnnealingWarmRestarts(optimizer, T_0=10, T_mult=2)
    for epoch in (0.5, 9.75, 10.0, 25.0, 31.5, 3.0):
        schedule.step(epoch)
        run_length, start = (10, 0) if epoch < 10 else (20, 10) if epoch < 30 else (40, 30)
        assert rates(optimizer)[0] == pytest.approx(BASE[0] * cosine(epoch - start, run_length))
        assert schedule.last_epoch == int(epoch)


def test_warm_restarts_begin_anywhere() -> None:
    for last_epoch in range(2, 9):
        optimizer = make_optimizer()
        for group in optimizer.param_groups:
            group["initial_lr"] = BASE[0]
        schedules.CosineAnnealingWarmRestarts(optimizer, T_0=3, last_epoch=last_epoch)
        assert rates(optimizer)[0] == pytest.approx(BASE[0] * cosine((last_epoch + 1) % 3, 3))


@pytest.mark.parametrize("name", ["momentum", "betas"])
@pytest.mark.parametrize("one_cycle", [False, True])
def test_momentum_goes_the_other_way(name: str, one_cycle: bool) -> None:
    optimizer = make_optimizer(optim.SGD, momentum=0.3) if name == "momentum" else make_optimizer(optim.Adam)
    bounds: dict[str, Any] = {"base_momentum": 0.5, "max_momentum": [0.9, 0.7]}
    if one_cycle:
        schedule: Any = schedules.OneCycleLR(optimizer, 1.0, 5, pct_start=0.6, anneal_strategy="linear", **bounds)
    else:
        schedule = schedules.CyclicLR(optimizer, 0.1, 0.2, 2, **bounds)

    def momenta() -> list[float]:
        return [group[name] if name == "momentum" else group[name][0] for group in optimizer.param_groups]

    seen = [momenta()]
    for _ in range(4):
        optimizer.step()
        schedule.step()
        seen.append(momenta())
    assert [first for first, _ in seen] == pytest.approx([0.9, 0.7, 0.5, 0.7, 0.9])
    assert [second for _, second in seen] == pytest.approx([0.7, 0.6, 0.5, 0.6, 0.7])
    if name == "betas":
        assert all(group["betas"][1] == 0.999 for group in optimizer.param_groups)


def test_one_cycle_in_three_phases_ends() -> None:
    optimizer = make_optimizer()
    schedule = schedules.OneCycleLR(
        optimizer, 25, epochs=5, steps_per_epoch=2, pct_start=0.4, anneal_strategy="linear", final_div_factor=4,
        three_phase=True, cycle_momentum=False,
    )  # fmt: skip
    assert [first for first, _ in run(optimizer, schedule, 10)] == pytest.approx(
        [1, 9, 17, 25, 17, 9, 1, 0.75, 0.5, 0.25]
    )
    with pytest.raises(ValueError, match="Tried to step 11 times"):
        schedule.step()


@pytest.mark.parametrize(
    ("options", "measures", "expected"),
    [
        ({"patience": 1}, [3, 2, 2, 2, 2, 1], [1, 1, 1, 0.1, 0.1, 0.1]),
        ({"mode": "max", "patience": 0, "factor": 0.5}, [1, 2, 2, 3, 3], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 0, "threshold": 0.5, "threshold_mode": "abs"}, [3, 2.6, 2.1, 1.5], [1, 0.1, 0.1, 0.1]),
        ({"patience": 0, "threshold": 0.5}, [4, 1.9, 1.5, 0.9], [1, 1, 0.1, 0.1]),
        ({"patience": 0, "cooldown": 2}, [1, 1, 1, 1, 1], [1, 0.1, 0.1, 0.1, 0.01]),
        ({"patience": 0, "min_lr": 0.3}, [1, 1, 1], [1, 0.3, 0.3]),
        ({"patience": 0}, [float("nan"), 1, float("nan")], [0.1, 0.1, 0.01]),
    ],
)
def test_reduce_on_plateau(options: dict[str, Any], measures: list[float], expected: list[float]) -> None:
    optimizer = optim.SGD([nn.Parameter(lamina.ones(1))], lr=1.0)
    schedule = schedules.ReduceLROnPlateau(optimizer, **options)
    assert schedule.get_last_lr() == [1.0]
    half = len(measures) // 2
    seen = []
    for number, measure in enumerate(measures):
        if number == half:
            state = schedule.state_dict()
            schedule = schedules.ReduceLROnPlateau(optimizer, mode="max", factor=0.9)
            schedule.load_state_dict(state)
        schedule.step(lamina.tensor(float(measure)))
        seen += schedule.get_last_lr()
    assert seen == pytest.approx(expected)


def test_plateau_and_groups_that_join_later() -> None:
    optimizer = make_optimizer()
    schedule = schedules.ReduceLROnPlateau(optimizer, patience=0)
    fixed = schedules.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.1, 0.1])
    optimizer.add_param_group({"params": [nn.Parameter(lamina.ones(1))], "lr": 2.0})
    for _ in range(2):
        schedule.step(1)
    assert rates(optimizer) == pytest.approx([0.005, 0.05, 0.2])
    fixed.step(1)
    with pytest.raises(RuntimeError, match="number of param groups"):
        fixed.step(1)


def test_resuming_needs_and_keeps_the_initial_rates() -> None:
    optimizer = make_optimizer()
    with pytest.raises(KeyError, match="initial_lr"):
        schedules.StepLR(optimizer, 3, last_epoch=4)
    for group in optimizer.param_groups:
        group["initial_lr"] = 1.0
    for make in (schedules.ExponentialLR(optimizer, 0.5, last_epoch=2), schedules.LinearLR(optimizer, last_epoch=1)):
        assert rates(optimizer) == BASE
        assert make.base_lrs == [1, 1]
    assert schedules.LambdaLR(optimizer, lambda e: 0.1**e, last_epoch=1).get_last_lr() == pytest.approx([0.01, 0.01])


def test_objects_as_functions_are_part_of_the_state() -> None:
    class Factor:
        def __init__(self, base: float) -> None:
            self.base = base

        def __call__(self, epoch: float) -> float:
            return self.base**epoch

    optimizer = make_optimizer()
    makers: list[Any] = [
        lambda base: schedules.LambdaLR(optimizer, Factor(base)),
        lambda base: schedules.CyclicLR(optimizer, 0.1, 1, scale_fn=Factor(base), cycle_momentum=False),
    ]
    for make in makers:
        state, other = make(0.5).state_dict(), make(0.25)
        pickle.dumps(state)
        other.load_state_dict(state)
        function = getattr(other, "_scale_fn_custom", None) or other.lr_lambdas[0]
        assert function.base == 0.5
    assert schedules.LambdaLR(optimizer, lambda e: e).state_dict()["lr_lambdas"] == [None, None]


def test_order_of_calls() -> None:
    def warned(act: Callable[[], Any]) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            act()
        return [str(warning.message) for warning in caught]

    optimizer = make_optimizer()
    schedule = schedules.StepLR(optimizer, 3)
    (message,) = warned(schedule.step)
    assert "`lr_scheduler.step()` before `optimizer.step()`" in message
    assert "how-to-adjust-learning-rate" in message
    assert warned(schedule.step) == []  # told once
    optimizer = make_optimizer()
    schedule = schedules.StepLR(optimizer, 3)
    optimizer.step()
    assert warned(schedule.step) == []
    optimizer = make_optimizer()
    schedule = schedules.StepLR(optimizer, 3)
    optimizer.step = lambda: None  # type: ignore[assignment, method-assign, misc]
    optimizer.step()
    assert "has been overridden" in warned(schedule.step)[0]
    assert "get_last_lr" in warned(schedule.get_lr)[0]


def test_nothing_keeps_optimizer_or_schedule_alive() -> None:
    gc.disable()
    try:
        optimizer = make_optimizer()
        schedule = schedules.CyclicLR(optimizer, 0.1, 0.2, cycle_momentum=False)
        run(optimizer, schedule, 2)
        gone = weakref.ref(schedule)
        del schedule
        assert gone() is None
        gone = weakref.ref(optimizer)
        del optimizer
        assert gone() is None
    finally:
        gc.enable()


def test_a_schedule_of_ones_own() -> None:
    class Halving(schedules.LRScheduler):
        def get_lr(self) -> list[Any]:
            return [base / 2**self.last_epoch for base in self.base_lrs]

    optimizer = make_optimizer()
    assert run(optimizer, Halving(optimizer), 3)[2] == pytest.approx([0.0125, 0.125])
    with pytest.raises(NotImplementedError):
        schedules.LRScheduler(optimizer)
    assert schedules._LRScheduler is schedules.LRScheduler


ERRORS: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda o: schedules.StepLR(3, 3), TypeError, "int is not an Optimizer"),
    (lambda o: schedules.ReduceLROnPlateau(3), TypeError, "int is not an Optimizer"),
    (lambda o: schedules.LambdaLR(o, [abs]), ValueError, "Expected 2 lr_lambdas, but got 1"),
    (lambda o: schedules.ConstantLR(o, factor=2), ValueError, "factor expected to be between 0 and 1"),
    (lambda o: schedules.LinearLR(o, start_factor=0), ValueError, "Starting multiplicative factor"),
    (lambda o: schedules.LinearLR(o, end_factor=-1), ValueError, "Ending multiplicative factor"),
    (lambda o: schedules.CosineAnnealingWarmRestarts(o, 0), ValueError, "Expected positive integer T_0, but got 0"),
    (lambda o: schedules.CosineAnnealingWarmRestarts(o, 1, 0), ValueError, "Expected integer T_mult >= 1, but got 0"),
    (lambda o: schedules.CosineAnnealingWarmRestarts(o, 1).step(-1), ValueError, "non-negative epoch, but got -1"),
    (lambda o: schedules.CyclicLR(o, 0.1, 0.2, mode="dogs"), ValueError, "mode is invalid and scale_fn is None"),
    (lambda o: schedules.CyclicLR(o, [0.1], 0.2), ValueError, "base_lr must have the same length"),
    (lambda o: schedules.CyclicLR(make_optimizer(optim.Rprop), 0.1, 0.2), ValueError, "must support momentum"),
    (lambda o: schedules.OneCycleLR(o, 1.0), ValueError, "either total_steps OR"),
    (lambda o: schedules.OneCycleLR(o, 1.0, 1.5), ValueError, "positive integer total_steps, but got 1.5"),
    (lambda o: schedules.OneCycleLR(o, 1.0, epochs=0, steps_per_epoch=1), ValueError, "integer epochs, but got 0"),
    (lambda o: schedules.OneCycleLR(o, 1.0, 9, pct_start=2), ValueError, "between 0 and 1 pct_start, but got 2"),
    (lambda o: schedules.OneCycleLR(o, 1.0, 9, anneal_strategy="x"), ValueError, "anneal_strategy must be one of"),
    (lambda o: schedules.ReduceLROnPlateau(o, factor=1), ValueError, "Factor should be < 1.0."),
    (lambda o: schedules.ReduceLROnPlateau(o, mode="x"), ValueError, "mode x is unknown"),
    (lambda o: schedules.ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "threshold mode x is unknown"),
    (lambda o: schedules.ReduceLROnPlateau(o, min_lr=[0]), ValueError, "expected 2 min_lrs, got 1"),
    (lambda o: schedules.ChainedScheduler([]), ValueError, "at least one scheduler"),
    (
        lambda o: schedules.ChainedScheduler([schedules.StepLR(o, 1), schedules.StepLR(make_optimizer(), 1)]),
        ValueError,
        "StepLR at index 1",
    ),
    (lambda o: schedules.SequentialLR(o, [], []), ValueError, "at least one scheduler"),
    (lambda o: schedules.SequentialLR(o, [3], []), TypeError, "at index 0 should have `optimizer`"),
    (lambda o: schedules.SequentialLR(o, [schedules.StepLR(o, 1)], [1]), ValueError, "number of schedulers 1"),
    (lambda o: schedules.SequentialLR(o, [schedules.ReduceLROnPlateau(o)], []), ValueError, "does not support"),
    (lambda o: optim.swa_utils.SWALR(o, 0.1, anneal_strategy="x"), ValueError, "anneal_strategy must be"),
    (lambda o: optim.swa_utils.SWALR(o, 0.1, anneal_epochs=1.5), ValueError, "anneal_epochs must be"),
    (lambda o: optim.swa_utils.SWALR(o, [0.1]), ValueError, "swa_lr must have the same length"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS)
def test_errors(make: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(make_optimizer())
