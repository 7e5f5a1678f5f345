"""Every optimiser: its steps against the formula in float64, its gradients, and the plans that it makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import optim_references as references
import pytest

import lamina
from lamina import nn, optim

CASES: list[tuple[type[optim.Optimizer], Any, dict[str, Any]]] = [
    (optim.SGD, references.sgd, {"lr": 0.1}),
    (optim.SGD, references.sgd, {"lr": 0.1, "weight_decay": 0.3, "maximize": True}),
    (optim.SGD, references.sgd, {"lr": 0.1, "momentum": 0.9}),
    (optim.SGD, references.sgd, {"lr": 0.1, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.2}),
    (optim.SGD, references.sgd, {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.2, "maximize": True}),
    (optim.Adam, references.adam, {"lr": 0.01}),
    (optim.Adam, references.adam, {"lr": 0.01, "betas": (0.5, 0.7), "eps": 1e-3, "weight_decay": 0.3}),
    (optim.Adam, references.adam, {"lr": 0.01, "amsgrad": True, "maximize": True}),
    (optim.Adam, references.adam, {"lr": 0.01, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    (optim.AdamW, references.adamw, {"lr": 0.01}),
    (optim.AdamW, references.adamw, {"lr": 0.01, "weight_decay": 0.5, "amsgrad": True}),
    (optim.Adadelta, references.adadelta, {}),
    (optim.Adadelta, references.adadelta, {"lr": 0.5, "rho": 0.7, "weight_decay": 0.1, "maximize": True}),
    (optim.Adagrad, references.adagrad, {}),
    (optim.Adagrad, references.adagrad, {"lr_decay": 0.1, "weight_decay": 0.2, "initial_accumulator_value": 0.3}),
    (optim.Adamax, references.adamax, {}),
    (optim.Adamax, references.adamax, {"weight_decay": 0.1, "betas": (0.5, 0.8), "maximize": True}),
    (optim.NAdam, references.nadam, {}),
    (optim.NAdam, references.nadam, {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    (optim.NAdam, references.nadam, {"weight_decay": 0.1, "momentum_decay": 0.1, "maximize": True}),
    (optim.RAdam, references.radam, {}),
    (optim.RAdam, references.radam, {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    (optim.RAdam, references.radam, {"weight_decay": 0.1, "betas": (0.8, 0.9), "maximize": True}),
    (optim.RMSprop, references.rmsprop, {}),
    (optim.RMSprop, references.rmsprop, {"centered": True, "momentum": 0.9, "weight_decay": 0.1}),
    (optim.RMSprop, references.rmsprop, {"momentum": 0.5, "alpha": 0.8, "maximize": True}),
    (optim.Rprop, references.rprop, {}),
    (optim.Rprop, references.rprop, {"etas": (0.3, 1.5), "step_sizes": (0.008, 0.02), "maximize": True}),
    (optim.ASGD, references.asgd, {}),
    (optim.ASGD, references.asgd, {"lambd": 0.1, "alpha": 0.5, "t0": 2, "weight_decay": 0.1, "maximize": True}),
    (optim.Adafactor, references.adafactor, {}),
    (optim.Adafactor, references.adafactor, {"lr": 0.5, "d": 2.0, "weight_decay": 0.1, "maximize": True}),
]


@pytest.mark.parametrize(("make", "reference", "options"), CASES)
@pytest.mark.parametrize("dtype", [lamina.float64, lamina.float32], ids=["float64", "float32"])
def test_steps(make: Any, reference: Any, options: dict[str, Any], dtype: Any) -> None:
    rng = np.random.default_rng(0)
    shapes = [(3, 4), (5,), (), (0, 2)]
    start = [rng.standard_normal(shape) for shape in shapes]
    steps = [[rng.standard_normal(shape) for shape in shapes] for _ in range(5)]
    params = [nn.Parameter(lamina.tensor(array, dtype=dtype)) for array in start]
    optimizer = make(params, **options)
    for gradients in steps:
        for parameter, gradient in zip(params, gradients):
            parameter.grad = lamina.tensor(gradient, dtype=dtype)
        assert optimizer.step() is None
    tolerance = 1e-12 if dtype == lamina.float64 else 1e-5
    for parameter, expected in zip(
        params, reference(start, {**options, "dtype": np.dtype(str(dtype).removeprefix("torch."))}, steps)
    ):
        assert parameter.is_leaf
        assert parameter.dtype == dtype
        np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=tolerance, atol=tolerance)


def test_every_optimizer_has_a_case() -> None:
    classes = {value for name in optim.__all__ if isinstance(value := getattr(optim, name), type)}
    assert classes - {make for make, _, _ in CASES} == {optim.Optimizer, optim.LBFGS, optim.Muon}


def test_asgd_averages_from_t0_on() -> None:
    parameter = nn.Parameter(lamina.tensor([1.0, 2.0], dtype=lamina.float64))
    optimizer = optim.ASGD([parameter], lr=0.1, lambd=0.0, t0=2)
    seen = []
    for _ in range(6):
        parameter.grad = parameter.detach() * 2
        optimizer.step()
        seen.append(parameter.detach().numpy().copy())
    np.testing.assert_allclose(optimizer.state[parameter]["ax"].numpy(), np.mean(seen[3:], 0), rtol=1e-12)


# A schedule for each: what it may not do is bake a number in. Some formulas take another course after the first steps.
PLANNED = {make: options for make, _, options in reversed(CASES)}


@pytest.mark.parametrize("make", PLANNED, ids=lambda make: make.__name__)
def test_a_schedule_makes_no_new_plans_and_leaks_nothing(make: Any) -> None:
    """Learning rate and step count enter the program as numbers: 1,000 steps, at most 3 plans."""
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    X, y = lamina.rand(10, 8), lamina.randint(0, 3, (10,))
    optimizer = make(net.parameters(), **PLANNED[make])
    lamina.flush()
    start = lamina.plan_stats()["compiled"]
    alive = set()
    for step in range(1000):
        optimizer.param_groups[0]["lr"] = 0.01 * 0.997**step
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X), y).backward()
        optimizer.step()
        if step >= 10:
            alive.add(lamina.memory_stats()["live_values"])
    assert lamina.plan_stats()["compiled"] - start <= 3
    assert len(alive) == 1


@pytest.mark.parametrize(("make", "options"), [(m, o) for m, _, o in CASES if m is not optim.Adafactor])
def test_differentiable_steps(make: Any, options: dict[str, Any]) -> None:
    """Two steps are differentiated by the parameter, both gradients, and the rate where the formula is linear in it."""
    start, first, second = (
        lamina.tensor(values, dtype=lamina.float64, requires_grad=True)
        for values in ([0.5, -1.25, 2.0], [0.3, 0.7, -1.1], [0.4, -0.2, -0.9])
    )
    plain = nn.Parameter(start.detach().clone())
    optimizer = make([plain], **options)
    for gradient in (first, second):
        plain.grad = gradient.detach()
        optimizer.step()
    rate = lamina.tensor(optimizer.defaults["lr"], dtype=lamina.float64, requires_grad=True)

    def two_steps(start: Any, first: Any, second: Any, lr: Any) -> Any:
        parameter = start.clone()
        optimizer = make([parameter], **{**options, "lr": lr, "differentiable": True})
        for gradient in (first, second):
            parameter.grad = gradient
            optimizer.step()
        return parameter

    differentiated = two_steps(start, first, second, rate)
    np.testing.assert_allclose(differentiated.detach().numpy(), plain.detach().numpy(), rtol=1e-12)
    shrinks = options.get("decoupled_weight_decay") or make in (optim.AdamW, optim.ASGD, optim.Rprop)
    lr = optimizer.defaults["lr"] if shrinks else rate
    assert lamina.autograd.gradcheck(two_steps, (start, first, second, lr))


def rosenbrock(x: Any) -> Any:
    return 100 * (x[1:] - x[:-1] ** 2).pow(2).sum() + (1 - x[:-1]).pow(2).sum()


@pytest.mark.parametrize("options", [{"line_search_fn": "strong_wolfe"}, {"line_search_fn": "strong_wolfe", "lr": 0.1}])
def test_lbfgs_finds_the_minimum(options: dict[str, Any]) -> None:
    """Of Rosenbrock's valley, from its usual start, spread over two parameters."""
    params = [nn.Parameter(lamina.tensor(values, dtype=lamina.float64)) for values in ([-1.2], [1.0, -0.5])]
    optimizer = optim.LBFGS(params, max_iter=100, **options)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = rosenbrock(lamina.cat(params))
        loss.backward()
        return loss

    start = optimizer.step(closure)
    assert start.item() == pytest.approx(rosenbrock(lamina.tensor([-1.2, 1.0, -0.5])).item())
    np.testing.assert_allclose(lamina.cat(params).detach().numpy(), 1, atol=1e-4)
    state = optimizer.state[params[0]]
    assert state["n_iter"] < 60
    assert state["func_evals"] < 100


def test_lbfgs_on_a_quadratic_without_a_search() -> None:
    """Fixed steps of the estimated Hessian's inverse: a quadratic in three dimensions takes few."""
    target = lamina.tensor([1.0, -2.0, 3.0], dtype=lamina.float64)
    scale = lamina.tensor([1.0, 5.0, 0.5], dtype=lamina.float64)
    x = nn.Parameter(lamina.zeros(3, dtype=lamina.float64))
    optimizer = optim.LBFGS([x], max_iter=30, history_size=5)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = ((x - target) ** 2 * scale).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(x.detach().numpy(), target.numpy(), atol=1e-5)


def test_lbfgs_errors() -> None:
    x = nn.Parameter(lamina.ones(1))
    with pytest.raises(ValueError, match="per-parameter options"):
        optim.LBFGS([{"params": [x]}, {"params": [nn.Parameter(lamina.ones(1))]}])
    optimizer = optim.LBFGS([x], line_search_fn="golden")
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optimizer.step(lambda: ((x**2).sum(), x.sum().backward())[0])


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_a_step_of_several_groups_is_one_program(make: Any) -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    groups: list[Any] = [{"params": net[0].parameters()}, {"params": net[2].parameters(), "lr": 0.5}]
    optimizer = make(groups, lr=0.1)
    x = lamina.rand(5, 3)
    lamina.flush()
    before = lamina.plan_stats()["flushes"]
    net(x).sum().backward()
    optimizer.step()
    assert lamina.plan_stats()["flushes"] == before + 1


def test_line_search_keeps_to_max_eval() -> None:
    """Down a straight line there is always more to find: each step goes further, as often as it may."""
    x, calls = nn.Parameter(lamina.tensor([1.0, 2.0])), []
    optimizer = optim.LBFGS([x], lr=0.1, max_eval=3, line_search_fn="strong_wolfe")

    def closure() -> lamina.Tensor:
        optimizer.zero_grad()
        loss = (x * lamina.tensor([1.0, 0.5])).sum()
        loss.backward()
        calls.append(loss)
        return loss

    optimizer.step(closure)
    assert len(calls) == 4  # and the first one of a line search in any case
    assert -10 < x[0].item() < 0
