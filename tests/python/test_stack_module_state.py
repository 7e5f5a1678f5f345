"""lamina.func.stack_module_state: an ensemble as one call, and what cannot be stacked."""

from __future__ import annotations

import pytest

import lamina
from lamina import nn
from lamina.func import functional_call, stack_module_state, vmap


def _net(width: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width), nn.Tanh()).eval()


def test_an_ensemble_does_what_its_members_do() -> None:
    nets = [_net() for _ in range(4)]
    for net in nets:
        net[1].running_mean.normal_()
    parameters, buffers = stack_module_state(nets)
    assert list(parameters) == [name for name, _ in nets[0].named_parameters()]
    assert list(buffers) == [name for name, _ in nets[0].named_buffers()]
    assert all(each.is_leaf and each.requires_grad for each in parameters.values())
    assert not any(each.requires_grad for each in buffers.values())
    x = lamina.randn(5, 2)

    def run(p: dict[str, lamina.Tensor], b: dict[str, lamina.Tensor], x: lamina.Tensor) -> lamina.Tensor:
        return functional_call(nets[0], (p, b), (x,))

    out = vmap(run, in_dims=(0, 0, None))(parameters, buffers, x)
    lamina.testing.assert_close(out, lamina.stack([net(x) for net in nets]))
    out.square().sum().backward()
    for place, net in enumerate(nets):
        net(x).square().sum().backward()
        for name, parameter in net.named_parameters():
            lamina.testing.assert_close(parameters[name].grad[place], parameter.grad)  # type: ignore[index]


def test_leaves_are_new() -> None:
    net = nn.Linear(2, 1).requires_grad_(False)
    parameters, _ = stack_module_state(nn.ModuleList([net, net]))
    assert not parameters["weight"].requires_grad
    parameters["weight"].zero_()
    assert net.weight.count_nonzero() == 2


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([], "Expected at least one model, got 0"),
        ([nn.Linear(2, 2), nn.Linear(2, 2).eval()], "the same training/eval mode"),
        ([nn.Linear(2, 2), nn.ReLU()], "the same class"),
        ([nn.Linear(2, 2), nn.Linear(2, 3)], "each tensor to be equal size"),
        (
            [nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False)],
            "Expected weight from each model to have the same .requires_grad",
        ),
    ],
)
def test_what_cannot_be_stacked(models: list[nn.Module], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        stack_module_state(models)
