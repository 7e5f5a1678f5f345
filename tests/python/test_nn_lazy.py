"""Lazy modules: from the first call on they are what they stand for; before it they behave."""

from __future__ import annotations

import copy
import pickle
from math import sqrt
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn, optim
from lamina.nn.modules.lazy import LazyModuleMixin


def test_turns_into_linear_at_the_first_call() -> None:
    layer = nn.LazyLinear(10)
    weight = layer.weight
    assert repr(layer) == "LazyLinear(in_features=0, out_features=10, bias=True)"
    x = lamina.rand(5, 7)
    y = layer(x)
    assert type(layer) is nn.Linear
    assert layer.weight is weight
    assert type(weight) is nn.Parameter
    assert (weight.shape, layer.bias.shape) == ((10, 7), (10,))
    assert repr(layer) == "Linear(in_features=7, out_features=10, bias=True)"
    np.testing.assert_allclose(
        y.detach().numpy(), x.numpy() @ weight.detach().numpy().T + layer.bias.detach().numpy(), rtol=1e-5
    )
    assert not layer._forward_pre_hooks
    assert not hasattr(layer, "_initialize_hook")


def test_starts_as_linear_does() -> None:
    lamina.manual_seed(3)
    lazy = nn.LazyLinear(50)
    lazy(lamina.zeros(1, 30))
    lamina.manual_seed(3)
    linear = nn.Linear(30, 50)
    np.testing.assert_array_equal(lazy.weight.detach().numpy(), linear.weight.detach().numpy())
    np.testing.assert_array_equal(lazy.bias.detach().numpy(), linear.bias.detach().numpy())
    assert abs(lazy.weight.detach().numpy()).max() <= 1 / sqrt(30)


def test_without_bias_and_with_dtype() -> None:
    layer = nn.LazyLinear(2, bias=False, dtype=lamina.float64)
    assert layer.bias is None
    assert layer(lamina.zeros(3, dtype=lamina.float64)).dtype == lamina.float64
    converted = nn.LazyLinear(2).double()
    assert converted(lamina.zeros(3, dtype=lamina.float64)).dtype == lamina.float64
    with pytest.raises(RuntimeError, match="0-d"):
        nn.LazyLinear(2)(lamina.tensor(1.0))


def test_wherever_it_is_nested() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = nn.ModuleDict({"a": nn.Sequential(nn.LazyLinear(8), nn.ReLU())})
            self.heads = nn.ModuleList([nn.LazyLinear(2), nn.LazyLinear(3)])
            self.shared = nn.LazyLinear(8)

        def forward(self, X: lamina.Tensor) -> list[lamina.Tensor]:
            X = self.shared(self.shared(self.parts["a"](X)))
            return [head(X) for head in self.heads]

    net = Net()
    outputs = net(lamina.rand(4, 5))
    assert [y.shape for y in outputs] == [(4, 2), (4, 3)]
    assert not any(isinstance(module, nn.LazyLinear) for module in net.modules())
    assert net.shared.in_features == 8


def test_before_the_first_call_everything_behaves() -> None:
    net = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(2))
    assert len(list(net.parameters())) == 4
    assert repr(next(net.parameters())) == "<UninitializedParameter>"
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert isinstance(net.state_dict()["0.weight"], nn.UninitializedParameter)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin[0].weight is not net[0].weight
        assert twin(lamina.rand(3, 5)).shape == (3, 2)
        assert type(twin[0]) is nn.Linear
        assert type(net[0]) is nn.LazyLinear
        assert not twin[0]._forward_pre_hooks
    net.eval().train().zero_grad()
    net.requires_grad_(False).requires_grad_(True)
    net.load_state_dict(net.state_dict())
    assert net(lamina.rand(3, 5)).shape == (3, 2)


def test_a_used_lazy_module_pickles_as_what_it_became() -> None:
    layer = nn.LazyLinear(2)
    layer(lamina.rand(1, 3))
    assert type(pickle.loads(pickle.dumps(layer))) is nn.Linear


def test_optimizer_gets_the_parameters_before_they_have_a_shape() -> None:
    net = nn.Sequential(nn.LazyLinear(3), nn.LazyLinear(1))
    for make in (optim.SGD, optim.Adam, optim.AdamW):
        optimizer = make(net.parameters(), lr=0.1)
        optimizer.zero_grad()
        optimizer.step()  # nothing has a gradient yet
        before = None if isinstance(net[0], nn.LazyLinear) else net[0].weight.detach().clone().numpy()
        net(lamina.ones(2, 4)).sum().backward()
        assert optimizer.param_groups[0]["params"][0] is net[0].weight
        before = net[0].weight.detach().clone().numpy() if before is None else before
        optimizer.step()
        assert not np.array_equal(net[0].weight.detach().numpy(), before)


def test_loading_into_it() -> None:
    linear, lazy = nn.Linear(5, 10), nn.LazyLinear(10)
    weight = lazy.weight
    lazy.load_state_dict(linear.state_dict())
    assert lazy.weight is weight
    assert lazy.weight.shape == (10, 5)
    assert not lazy.has_uninitialized_params()
    x = lamina.rand(2, 5)
    np.testing.assert_array_equal(lazy(x).detach().numpy(), linear(x).detach().numpy())
    assert type(lazy) is nn.Linear
    assert lazy.in_features == 5


def test_a_failed_load_leaves_it_lazy() -> None:
    net = nn.Sequential(nn.LazyLinear(3), nn.Linear(3, 2))
    wrong = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3)).state_dict()
    with pytest.raises(RuntimeError, match=r"size mismatch for 1\.weight"):
        net.load_state_dict(wrong)
    assert net[0].has_uninitialized_params()
    net[0].register_load_state_dict_post_hook(lambda module, keys: None)
    with pytest.raises(RuntimeError, match="Missing key"):
        net.load_state_dict({"0.weight": lamina.ones(3, 4), "0.bias": lamina.ones(3)})
    assert net[0].has_uninitialized_params()
    assert net(lamina.rand(1, 9)).shape == (1, 2)


def test_an_uninitialized_state_dict_cannot_fill_a_layer() -> None:
    linear = nn.Linear(5, 3)
    before = linear.weight.tolist()
    with pytest.raises(RuntimeError, match="shape of an uninitialized"):
        linear.load_state_dict(nn.LazyLinear(3).state_dict())
    assert linear.weight.tolist() == before


def test_errors_in_the_first_call_leave_it_lazy_or_real_but_usable() -> None:
    layer = nn.LazyLinear(3)
    with pytest.raises(TypeError):
        layer()
    assert layer.has_uninitialized_params()
    assert layer(lamina.rand(2, 2)).shape == (2, 3)


CONVOLUTIONS = [
    (nn.LazyConv1d, (4, 6, 9), nn.Conv1d, (4, 3, 2)),
    (nn.LazyConv2d, (6, 5, 7), nn.Conv2d, (4, 3, 2, 2)),
    (nn.LazyConvTranspose1d, (6, 9), nn.ConvTranspose1d, (6, 2, 2)),
    (nn.LazyConvTranspose2d, (2, 6, 5, 7), nn.ConvTranspose2d, (6, 2, 2, 2)),
]


@pytest.mark.parametrize(("lazy", "shape", "eager", "weight"), CONVOLUTIONS, ids=lambda v: getattr(v, "__name__", ""))
def test_convolutions(lazy: Any, shape: tuple[int, ...], eager: Any, weight: tuple[int, ...]) -> None:
    layer = lazy(4, 2, groups=2)
    with pytest.raises(RuntimeError, match="unbatched"):
        layer(lamina.rand(3))
    assert layer.has_uninitialized_params()
    x = lamina.rand(*shape)
    y = layer(x)
    assert type(layer) is eager
    assert (layer.in_channels, tuple(layer.weight.shape), layer.bias.shape) == (6, weight, (4,))
    bound = (1 / (weight[1] * 2 ** (len(weight) - 2))) ** 0.5
    assert 0 < layer.weight.abs().max().item() <= bound
    loaded = lazy(4, 2, groups=2)
    loaded.load_state_dict(layer.state_dict())
    assert loaded(x).tolist() == y.tolist()
    assert loaded.in_channels == 6


class LazyScale(LazyModuleMixin, nn.Module):
    """A lazy module of a user's own, with a parameter and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.UninitializedParameter()
        self.offset = nn.UninitializedBuffer()

    def initialize_parameters(self, X: lamina.Tensor) -> None:  # type: ignore[override]
        self.scale.materialize(X.shape[-1:])
        self.offset.materialize(X.shape[-1:])
        nn.init.constant_(self.scale, 2.0)
        nn.init.zeros_(self.offset)

    def forward(self, X: lamina.Tensor) -> lamina.Tensor:
        return X * self.scale + self.offset


def test_a_lazy_module_of_ones_own() -> None:
    module = LazyScale()
    assert module.has_uninitialized_params()
    assert isinstance(module.state_dict()["offset"], nn.UninitializedBuffer)
    assert module(X=lamina.ones(2, 3)).tolist() == [[2, 2, 2], [2, 2, 2]]
    assert type(module) is LazyScale
    assert not module.has_uninitialized_params()
    other = LazyScale()
    other.load_state_dict(module.state_dict())
    assert other.scale.tolist() == [2, 2, 2]


def test_initialize_parameters_must_do_its_job() -> None:
    class Forgets(LazyScale):
        def initialize_parameters(self, X: lamina.Tensor) -> None:  # type: ignore[override]
            pass

    class Missing(LazyModuleMixin, nn.Module):
        def forward(self, X: Any) -> Any:
            return X

    with pytest.raises(RuntimeError, match="has not been fully initialized"):
        Forgets()(lamina.ones(1))
    with pytest.raises(NotImplementedError, match="initialize_parameters is not implemented for Missing"):
        Missing()(1)


def test_other_pre_hooks_run_too() -> None:
    layer = nn.LazyLinear(2)
    layer.register_forward_pre_hook(lambda module, args: args[0][:, :4])
    assert layer(lamina.ones(1, 6)[:, :4]).shape == (1, 2)
    assert len(layer._forward_pre_hooks) == 1
    assert layer.in_features == 4


def test_the_first_call_needs_no_program_of_its_own() -> None:
    """Filling the parameters is recorded with the forward pass, not run before it."""
    net = nn.Sequential(nn.LazyLinear(4), nn.LazyLinear(2))
    x = lamina.ones(3, 5)
    lamina.flush()
    before = lamina.plan_stats()["flushes"]
    net(x).tolist()
    assert lamina.plan_stats()["flushes"] == before + 1
