"""nn.utils.prune, clipping of gradients, and parameters as one vector."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest

import lamina
from lamina import nn
from lamina.nn.utils import prune


def layer_of(rows: Any) -> nn.Linear:
    layer = nn.Linear(len(rows[0]), len(rows), bias=False)
    layer.weight = nn.Parameter(lamina.tensor(rows))
    return layer


def test_smallest_elements_go_and_later_calls_look_at_the_rest() -> None:
    layer = layer_of([[1.0, 2.0, 3.0], [-6.0, -5.0, -4.0]])
    prune.l1_unstructured(layer, "weight", amount=2)
    assert layer.weight.tolist() == [[0, 0, 3], [-6, -5, -4]]
    prune.l1_unstructured(layer, "weight", amount=0.5)
    assert layer.weight.tolist() == [[0, 0, 0], [-6, -5, 0]]
    assert isinstance(next(iter(layer._forward_pre_hooks.values())), prune.PruningContainer)
    assert prune.is_pruned(nn.Sequential(layer))
    layer(lamina.ones(1, 3)).sum().backward()
    assert layer.weight_orig.grad is not None
    assert layer.weight_orig.grad.tolist() == [[0, 0, 0], [1, 1, 0]]
    twin = pickle.loads(pickle.dumps(layer))
    assert lamina.equal(twin(lamina.ones(1, 3)), layer(lamina.ones(1, 3)))
    original = layer.weight_orig
    prune.remove(layer, "weight")
    assert layer.weight is original
    assert set(layer.state_dict()) == {"weight"}
    with pytest.raises(ValueError, match="has to be pruned"):
        prune.remove(layer, "weight")


def test_whole_slices() -> None:
    layer = layer_of([[3.0, 0.0, 1.0], [4.0, 1.0, 1.0]])
    prune.ln_structured(layer, "weight", amount=1, n=2, dim=1)
    assert layer.weight.tolist() == [[3, 0, 1], [4, 0, 1]]
    prune.random_structured(layer, "weight", amount=1, dim=0)
    assert sorted(row == [0, 0, 0] for row in layer.weight.tolist()) == [False, True]


def test_across_parameters() -> None:
    first, second = layer_of([[1.0, 5.0]]), layer_of([[0.5, 9.0, 2.0]])
    places = [(first, "weight"), (second, "weight")]
    prune.global_unstructured(places, prune.L1Unstructured, amount=2)
    assert first.weight.tolist() == [[0, 5]]
    assert second.weight.tolist() == [[0, 9, 2]]
    with pytest.raises(TypeError, match="unstructured"):
        prune.global_unstructured(places, prune.RandomStructured, amount=1)


@pytest.mark.parametrize(("amount", "error"), [("x", TypeError), (-1, ValueError), (1.5, ValueError), (7, ValueError)])
def test_wrong_amounts_change_nothing(amount: Any, error: type[Exception]) -> None:
    layer = layer_of([[1.0, 2.0]])
    with pytest.raises(error, match="amount"):
        prune.random_unstructured(layer, "weight", amount)
    assert set(layer.state_dict()) == {"weight"}
    assert not prune.is_pruned(layer)


def with_gradients(*gradients: Any) -> list[lamina.Tensor]:
    parameters = []
    for gradient in gradients:
        parameters.append(lamina.zeros(len(gradient), requires_grad=True))
        parameters[-1].grad = lamina.tensor(gradient)
    return parameters


@pytest.mark.parametrize(("order", "norm"), [(2, 13.0), (1, 19.0), (math.inf, 12.0), (0.5, 51.7846)])
def test_clip_grad_norm(order: float, norm: float) -> None:
    parameters = [*with_gradients([3.0, -4.0], [12.0]), lamina.zeros(1, requires_grad=True)]
    assert nn.utils.clip_grad_norm_(iter(parameters), 100.0, order).item() == pytest.approx(norm, rel=1e-3)
    assert parameters[0].grad is not None
    assert parameters[0].grad.tolist() == [3.0, -4.0]
    nn.utils.clip_grad_norm_(parameters, norm / 2, order)
    assert parameters[0].grad.tolist() == pytest.approx([1.5, -2.0], rel=1e-3)


def test_a_norm_that_is_not_finite() -> None:
    (parameter,) = with_gradients([1.0, math.inf])
    with pytest.raises(RuntimeError, match=r"The total norm of order 2.0 for gradients"):
        nn.utils.clip_grad_norm_(parameter, 1.0, error_if_nonfinite=True)
    assert parameter.grad is not None
    assert parameter.grad.tolist() == [1.0, math.inf]
    assert nn.utils.clip_grad_norm_([], 1.0).item() == 0


def test_clip_grad_value() -> None:
    (parameter,) = with_gradients([3.0, -0.5, -9.0])
    nn.utils.clip_grad_value_(parameter, 2)
    assert parameter.grad is not None
    assert parameter.grad.tolist() == [2.0, -0.5, -2.0]


def test_parameters_as_one_vector_and_back() -> None:
    net = nn.Linear(2, 3)
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (9,)
    assert vector.requires_grad
    nn.utils.vector_to_parameters(lamina.arange(9.0), net.parameters())
    assert net.weight.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert net.bias.tolist() == [6, 7, 8]
    with pytest.raises(RuntimeError, match="at least 9 elements"):
        nn.utils.vector_to_parameters(lamina.arange(8.0), net.parameters())


def test_skip_init_draws_nothing() -> None:
    lamina.manual_seed(0)
    expected = lamina.rand(1).item()
    lamina.manual_seed(0)
    layer = nn.utils.skip_init(nn.Linear, 2, 3)
    assert layer.weight.shape == (3, 2)
    assert lamina.rand(1).item() == expected
    with pytest.raises(RuntimeError, match="'device'"):
        nn.utils.skip_init(nn.ReLU)


def test_consume_prefix() -> None:
    entries = {f"module.{name}": value for name, value in nn.Linear(1, 1).state_dict().items()}
    nn.modules.utils.consume_prefix_in_state_dict_if_present(entries, "module.")
    nn.Linear(1, 1).load_state_dict(entries)
