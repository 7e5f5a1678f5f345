"""lamina.func.functional_call and nn.utils.stateless: a module called with tensors that are not its own."""

from __future__ import annotations

import pytest

import lamina
from lamina import nn
from lamina.func import functional_call


class Counting(nn.Module):
    """Two names for one bias, and a buffer that forward replaces."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.bias = self.linear.bias
        self.register_buffer("calls", lamina.zeros(()))

    def forward(self, input: lamina.Tensor, scale: float = 1.0) -> lamina.Tensor:
        self.calls = self.calls + 1
        return self.linear(input) * scale + self.bias


def stand_ins() -> dict[str, lamina.Tensor]:
    return {"linear.weight": lamina.eye(2), "linear.bias": lamina.ones(2), "calls": lamina.tensor(5.0)}


def test_given_tensors_are_used_and_the_module_is_as_it_was() -> None:
    net = Counting()
    before = {name: (tensor, tensor.tolist()) for name, tensor in net.state_dict(keep_vars=True).items()}
    given = stand_ins()
    result = functional_call(net, given, (lamina.ones(2),), {"scale": 10.0})
    assert result.tolist() == [21.0, 21.0]
    assert given["calls"].item() == 6
    for name, tensor in net.state_dict(keep_vars=True).items():
        assert tensor is before[name][0]
        assert tensor.tolist() == before[name][1]


def test_gradients_go_to_the_given_tensors() -> None:
    net, weight = Counting(), lamina.eye(2).requires_grad_()
    functional_call(net, ({"linear.weight": weight}, {}), lamina.ones(2)).sum().backward()
    assert weight.grad is not None
    assert net.linear.weight.grad is None
    assert net.linear.bias.grad is not None


def test_tied_names_follow_unless_they_disagree() -> None:
    net = Counting()
    assert functional_call(net, stand_ins(), lamina.zeros(2)).tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match=r"multiple values for keys \['bias', 'linear.bias'\]"):
        functional_call(net, {**stand_ins(), "bias": lamina.zeros(2)}, lamina.zeros(2))
    given = {**stand_ins(), "bias": lamina.zeros(2)}
    assert functional_call(net, given, lamina.zeros(2), tie_weights=False).tolist() == [1.0, 1.0]


def test_a_failed_swap_takes_back_what_it_did() -> None:
    net = Counting()
    weight = net.linear.weight
    for bad, error in (
        ({"linear.weight": lamina.eye(2), "linear.bias": 3}, TypeError),
        ({"other.x": None}, AttributeError),
    ):
        with pytest.raises(error):
            functional_call(net, bad, lamina.zeros(2))
        assert net.linear.weight is weight
    with pytest.raises(RuntimeError, match=r"size|shape|features"):
        functional_call(net, stand_ins(), lamina.zeros(7))
    assert net.linear.weight is weight


def test_strict_names_what_is_missing_and_unexpected() -> None:
    given = stand_ins()
    del given["calls"]
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\): 'extra'\.\n\tMissing key\(s\): 'calls'"):
        functional_call(Counting(), {**given, "extra": lamina.zeros(1)}, lamina.zeros(2), strict=True)
    functional_call(Counting(), stand_ins(), lamina.zeros(2), strict=True)


def test_dicts_must_not_share_a_key() -> None:
    with pytest.raises(ValueError, match=r"\['calls'\] appeared in multiple"):
        functional_call(Counting(), (stand_ins(), {"calls": lamina.zeros(())}), lamina.zeros(2))


def test_the_old_name_warns() -> None:
    with pytest.warns(FutureWarning, match="func.functional_call"):
        nn.utils.stateless.functional_call(nn.Identity(), {}, lamina.zeros(2))
