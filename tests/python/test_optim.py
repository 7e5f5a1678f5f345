"""What all optimisers share: groups, state, hooks, closures, copies, errors. Their formulas: test_optim_steps.py."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn, optim
from lamina.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.AdamW])
def test_a_step_leaves_gradients_and_other_parameters_alone(make: Any) -> None:
    used, unused = nn.Parameter(lamina.ones(2)), nn.Parameter(lamina.ones(2))
    optimizer = make([used, unused], lr=0.1)
    (used * 3).sum().backward()
    optimizer.step()
    assert used.grad.tolist() == [3, 3]
    assert unused.tolist() == [1, 1]
    assert unused not in optimizer.state
    assert used.tolist() != [1, 1]


def test_parameters_that_join_later_have_their_own_count() -> None:
    early, late = nn.Parameter(lamina.ones(1)), nn.Parameter(lamina.ones(1))
    optimizer = optim.Adam([early, late], lr=0.1)
    for step in range(3):
        early.grad = lamina.ones(1)
        late.grad = lamina.ones(1) if step == 2 else None
        optimizer.step()
    assert (optimizer.state[early]["step"], optimizer.state[late]["step"]) == (3, 1)
    assert late.item() == pytest.approx(0.9)
    assert early.item() == pytest.approx(0.7)


def test_groups_and_changing_options() -> None:
    a, b, c = (nn.Parameter(lamina.zeros(1)) for _ in range(3))
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": iter([c]), "lr": 1.0})
    for parameter in (a, b, c):
        parameter.grad = lamina.ones(1)
    optimizer.step()
    assert [p.item() for p in (a, b, c)] == pytest.approx([-0.1, -0.5, -1.0])
    optimizer.param_groups[0]["lr"] = 10.0
    optimizer.step()
    assert a.item() == pytest.approx(-10.1)


def test_named_parameters_as_input() -> None:
    optimizer = optim.SGD(nn.Linear(1, 1).named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert "param_names: ['weight', 'bias']" in repr(optimizer)


def test_zero_grad() -> None:
    parameter = nn.Parameter(lamina.ones(2))
    optimizer = optim.SGD([parameter], lr=0.1)
    parameter.sum().backward()
    gradient = parameter.grad
    optimizer.zero_grad(set_to_none=False)
    assert parameter.grad is gradient
    assert gradient.tolist() == [0, 0]
    optimizer.zero_grad()
    assert parameter.grad is None


def test_closure() -> None:
    parameter = nn.Parameter(lamina.tensor([2.0]))
    optimizer = optim.SGD([parameter], lr=0.25)

    def closure() -> lamina.Tensor:
        optimizer.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()
        return loss

    with lamina.no_grad():
        assert optimizer.step(closure).item() == 4
    assert parameter.item() == 1


def test_minimizes() -> None:
    for make in (lambda p: optim.SGD(p, lr=0.1, momentum=0.5), lambda p: optim.Adam(p, lr=0.2)):
        x = nn.Parameter(lamina.tensor([3.0, -2.0]))
        optimizer = make([x])
        for _ in range(200):
            optimizer.zero_grad()
            ((x - lamina.tensor([1.0, 5.0])) ** 2).sum().backward()
            optimizer.step()
        np.testing.assert_allclose(x.detach().numpy(), [1, 5], atol=1e-2)


def test_print() -> None:
    assert repr(optim.SGD([nn.Parameter(lamina.ones(1))], lr=0.1)) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n"
        "    lr: 0.1\n    maximize: False\n    momentum: 0\n    nesterov: False\n    weight_decay: 0\n)"
    )
    text = repr(optim.AdamW([nn.Parameter(lamina.ones(1))]))
    assert text.startswith("AdamW (\nParameter Group 0\n    amsgrad: False\n    betas: (0.9, 0.999)\n")
    assert "weight_decay: 0.01" in text


def make_trained(make: Any) -> tuple[list[nn.Parameter], optim.Optimizer]:
    params = [nn.Parameter(lamina.tensor([1.0, 2.0])), nn.Parameter(lamina.tensor([3.0]))]
    optimizer = make(params)
    for _ in range(3):
        advance(params, optimizer)
    return params, optimizer


def advance(params: list[nn.Parameter], optimizer: optim.Optimizer) -> None:
    optimizer.zero_grad()
    sum((p**2).sum() for p in params).backward()
    optimizer.step()


MAKERS: list[Callable[[Any], optim.Optimizer]] = [
    lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
    lambda p: optim.AdamW(p, lr=0.1),
]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("through", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_state_dict_goes_on_where_it_was(make: Any, through: Any) -> None:
    params, optimizer = make_trained(make)
    state = through(optimizer.state_dict())
    assert list(state) == ["state", "param_groups"]
    assert state["param_groups"][0]["params"] == [0, 1]
    fresh_params = [nn.Parameter(p.detach().clone()) for p in params]
    fresh = make(fresh_params)
    fresh.param_groups[0]["lr"] = 123.0
    fresh.load_state_dict(state)
    for _ in range(2):
        advance(params, optimizer)
        advance(fresh_params, fresh)
    for p, q in zip(params, fresh_params):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


def test_loading_copies_and_converts() -> None:
    _, optimizer = make_trained(MAKERS[1])
    state = optimizer.state_dict()
    params = [nn.Parameter(lamina.zeros(2, dtype=lamina.float64)), nn.Parameter(lamina.zeros(1))]
    fresh = MAKERS[1](params)
    fresh.load_state_dict(state)
    loaded = fresh.state[params[0]]
    assert loaded["exp_avg"].dtype == lamina.float64
    assert loaded["step"] == 3
    before = state["state"][0]["exp_avg"].tolist()
    loaded["exp_avg"].zero_()
    assert state["state"][0]["exp_avg"].tolist() == before
    # PyTorch keeps the count as a tensor.
    state["state"][0]["step"] = lamina.tensor(7.0)
    fresh.load_state_dict(state)
    assert fresh.state[params[0]]["step"] == 7


def test_loading_what_does_not_fit_changes_nothing() -> None:
    params, optimizer = make_trained(MAKERS[0])
    before = optimizer.state_dict()
    for wrong in (
        MAKERS[0]([nn.Parameter(lamina.ones(1))]).state_dict(),
        MAKERS[0]([{"params": params[:1]}, {"params": params[1:]}]).state_dict(),
    ):
        with pytest.raises(ValueError, match="loaded state dict"):
            optimizer.load_state_dict(wrong)
    assert optimizer.state_dict()["param_groups"] == before["param_groups"]
    assert optimizer.state[params[0]]["momentum_buffer"] is before["state"][0]["momentum_buffer"]


def test_copies_of_an_optimizer() -> None:
    params, optimizer = make_trained(MAKERS[1])
    twin_params, twin = copy.deepcopy((params, optimizer))
    advance(twin_params, twin)
    assert twin.param_groups[0]["params"][0] is twin_params[0]
    assert twin.state[twin_params[0]]["step"] == 4
    assert optimizer.state[params[0]]["step"] == 3
    assert repr(pickle.loads(pickle.dumps(optimizer))) == repr(optimizer)


def test_step_hooks() -> None:
    parameter = nn.Parameter(lamina.ones(1))
    optimizer = optim.SGD([parameter], lr=0.1)
    seen: list[str] = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("before"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("after"))
    optimizer.step()
    before.remove()
    optimizer.step()
    assert seen == ["before", "after", "after"]
    optimizer.register_step_pre_hook(lambda o, args, kwargs: (args, {"closure": lambda: "loss"}))
    assert optimizer.step() == "loss"
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="must return None or"):
        optimizer.step()


def test_an_optimizer_may_wrap_another_one() -> None:
    class Lookahead(optim.Optimizer):
        def __init__(self, inner: Any) -> None:  # as many are written: without Optimizer.__init__
            self.inner, self.param_groups, self.state = inner, inner.param_groups, inner.state
            self.slow = [[p.detach().clone() for p in group["params"]] for group in self.param_groups]

        @lamina.no_grad()
        def step(self, closure: Any = None) -> Any:
            loss = self.inner.step(closure)
            for group, slow in zip(self.param_groups, self.slow, strict=True):
                for p, q in zip(group["params"], slow, strict=True):
                    p.copy_(q.lerp_(p, 0.5))
            return loss

    p = nn.Parameter(lamina.ones(2))
    optimizer = Lookahead(optim.SGD([p], lr=1.0))
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    for _ in range(2):
        optimizer.zero_grad()
        p.sum().backward()
        optimizer.step()
        schedule.step()
    assert p.tolist() == [0.25, 0.25]
    assert optimizer.state_dict()["param_groups"][0]["lr"] == 0.25


def test_hooks_of_every_optimizer_surround_its_own() -> None:
    seen: list[str] = []
    optimizer = optim.SGD([nn.Parameter(lamina.ones(1))], lr=0.1)
    optimizer.register_step_pre_hook(lambda *_: seen.append("own before"))
    optimizer.register_step_post_hook(lambda *_: seen.append("own after"))
    with (
        register_optimizer_step_pre_hook(lambda *_: seen.append("before")),
        register_optimizer_step_post_hook(lambda *_: seen.append("after")),
    ):
        optimizer.step()
    assert seen == ["before", "own before", "own after", "after"]
    optimizer.step()
    assert len(seen) == 6


def test_state_dict_hooks() -> None:
    seen: list[Any] = []
    optimizer = optim.SGD([nn.Parameter(lamina.ones(1))], lr=0.1)
    optimizer.register_state_dict_pre_hook(lambda o: seen.append(o))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
    optimizer.register_state_dict_post_hook(lambda o, state: seen.append("more" in state), prepend=True)
    state = optimizer.state_dict()
    assert seen == [optimizer, False]
    assert state["more"] == 1
    optimizer.register_load_state_dict_pre_hook(lambda o, given: given.pop("more") and None)
    optimizer.register_load_state_dict_pre_hook(
        lambda o, given: {**given, "param_groups": [{**given["param_groups"][0], "lr": 7.0}]}
    )
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append(o.param_groups[0]["lr"]))
    optimizer.load_state_dict(state)
    assert seen[-1] == 7.0
    assert state["more"] == 1  # hooks had a copy
    assert state["param_groups"][0]["lr"] == 0.1


def test_an_optimizer_of_ones_own() -> None:
    class SignSGD(optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        def step(self, closure: Any = None) -> None:
            with lamina.no_grad():
                for group in self.param_groups:
                    for parameter in group["params"]:
                        parameter -= group["lr"] * parameter.grad.sign()

    parameter = nn.Parameter(lamina.tensor([1.0, -1.0]))
    optimizer = SignSGD([parameter], lr=0.5)
    (parameter**2).sum().backward()
    optimizer.step()
    assert parameter.tolist() == [0.5, -0.5]
    with pytest.raises(NotImplementedError):
        optim.Optimizer([parameter], {}).step()


def parameter() -> nn.Parameter:
    return nn.Parameter(lamina.ones(1))


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: optim.SGD([], lr=1), ValueError, "empty parameter list"),
    (lambda: optim.SGD(parameter(), lr=1), TypeError, "iterable of Tensors or dicts, but got Parameter"),
    (lambda: optim.SGD(3, lr=1), TypeError, "not iterable"),
    (lambda: optim.SGD([3], lr=1), TypeError, "one of the params is int"),
    (lambda: optim.SGD([{"lr": 1}]), KeyError, "params"),
    (lambda: optim.SGD([{"params": {parameter()}}]), TypeError, "in an order"),
    (lambda: optim.SGD([parameter() * 2], lr=1), ValueError, "can't optimize a non-leaf Tensor"),
    (lambda: optim.SGD([("a", parameter()), parameter()]), ValueError, "some params lack names|Some params lack names"),
    (lambda: optim.SGD([parameter()], lr=-1), ValueError, "Invalid learning rate: -1"),
    (lambda: optim.SGD([parameter()], momentum=-1), ValueError, "Invalid momentum value: -1"),
    (lambda: optim.SGD([parameter()], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
    (lambda: optim.SGD([parameter()], nesterov=True), ValueError, "Nesterov momentum requires"),
    (lambda: optim.SGD([parameter()], differentiable=True, fused=True), RuntimeError, "does not support `differen"),
    (lambda: optim.SGD([parameter()], fused=True, foreach=True), RuntimeError, "cannot be `True` together"),
    (lambda: optim.Adam([parameter()], lr=float("nan")), ValueError, "Invalid learning rate: nan"),
    (lambda: optim.Adam([parameter()], lr="1e-3"), TypeError, "Invalid learning rate: expected a number, got '1e-3'"),
    (lambda: optim.Adam([parameter()], eps=-1), ValueError, "Invalid epsilon value: -1"),
    (lambda: optim.Adam([parameter()], betas=(1.0, 0.9)), ValueError, "Invalid beta parameter at index 0: 1.0"),
    (lambda: optim.Adam([parameter()], betas=(0.9, -0.1)), ValueError, "Invalid beta parameter at index 1: -0.1"),
    (lambda: optim.Adam([parameter()], betas=(0.9,)), ValueError, r"expected two, got \(0.9,\)"),
    (lambda: optim.SGD([parameter()]).add_param_group(3), TypeError, "must be a dict"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS)
def test_errors(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_parameter_in_two_groups() -> None:
    shared = parameter()
    with pytest.raises(ValueError, match="more than one parameter group"):
        optim.SGD([{"params": [shared]}, {"params": [shared]}])
    with pytest.warns(UserWarning, match="twice"):
        optim.SGD([shared, shared])


def test_adam_counts_the_steps_of_each_parameter() -> None:
    together = [lamina.ones(3, requires_grad=True), lamina.ones(2, requires_grad=True)]
    apart = [lamina.ones(3, requires_grad=True), lamina.ones(2, requires_grad=True)]
    one, others = optim.AdamW(together, lr=0.1), [optim.AdamW([parameter], lr=0.1) for parameter in apart]
    for step in range(4):
        for place, number in enumerate((1.0 + step, 3.0 - step)):
            moves = place == 0 or step != 1
            for parameter in (together[place], apart[place]):
                parameter.grad = lamina.full_like(parameter, number) if moves else None
        one.step()
        for other in others:
            other.step()
    assert [one.state[parameter]["step"] for parameter in together] == [4, 3]
    assert all(lamina.equal(a, b) for a, b in zip(together, apart))


def test_a_state_without_what_a_step_needs_is_named() -> None:
    w = lamina.ones(2, requires_grad=True)
    w.grad = lamina.ones(2)
    adam = optim.Adam([w])
    adam.step()
    adam.param_groups[0]["amsgrad"] = True
    before = w.tolist()
    with pytest.raises(KeyError, match="max_exp_avg_sq"):
        adam.step()
    assert w.tolist() == before
