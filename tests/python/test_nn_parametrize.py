"""nn.utils.parametrize and the parametrizations that are known by name."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import lamina
from lamina import nn
from lamina.nn.utils import parametrizations, parametrize


class Doubled(nn.Module):
    def forward(self, X: Any) -> Any:
        return X * 2

    def right_inverse(self, X: Any) -> Any:
        return X / 2


class Symmetric(nn.Module):
    def forward(self, X: Any) -> Any:
        return X.triu() + X.triu(1).T


class Product(nn.Module):
    def forward(self, a: Any, b: Any) -> Any:
        return a * b

    def right_inverse(self, X: Any) -> Any:
        return X, lamina.ones_like(X)


def test_registering_and_removing() -> None:
    layer = nn.Linear(3, 3)
    weight = layer.weight
    before = weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    assert isinstance(layer, nn.Linear)
    assert [name for name, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    assert lamina.equal(layer.weight, layer.weight.T)
    layer(lamina.rand(2, 3)).sum().backward()
    assert weight.grad is not None
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert type(layer) is nn.Linear
    assert layer.weight is weight
    assert lamina.equal(weight.detach(), before)
    assert not hasattr(layer, "parametrizations")


def test_assigning_goes_through_the_inverse() -> None:
    layer = nn.Linear(2, 2)
    before = layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Doubled())
    assert lamina.allclose(layer.weight, before)
    layer.weight = lamina.full((2, 2), 6.0)
    assert layer.parametrizations.weight.original.tolist() == [[3.0, 3.0], [3.0, 3.0]]
    parametrize.register_parametrization(layer, "weight", Symmetric())
    with pytest.raises(RuntimeError, match="Symmetric does not implement right_inverse"):
        layer.weight = lamina.ones(2, 2)
    parametrize.remove_parametrizations(layer, "weight")
    assert layer.weight.tolist() == [[6.0, 6.0], [6.0, 6.0]]


def test_several_originals() -> None:
    layer = nn.Linear(2, 2)
    before = layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Product())
    assert {"original0", "original1"} == set(layer.parametrizations.weight._parameters)
    with pytest.raises(ValueError, match="leave_parametrized=False"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    parametrize.remove_parametrizations(layer, "weight")
    assert isinstance(layer.weight, nn.Parameter)
    assert lamina.equal(layer.weight.detach(), before)


@pytest.mark.parametrize(
    ("result", "match"),
    [
        (lambda x: x[:1], "may not change the shape"),
        (lambda x: x > 0, "the dtype"),
        (lambda x: 3, "must return a tensor"),
    ],
)
def test_a_parametrization_that_does_not_fit_changes_nothing(result: Any, match: str) -> None:
    class Wrong(nn.Module):
        def forward(self, X: Any) -> Any:
            return result(X)

        def right_inverse(self, X: Any) -> Any:
            return X * 0

    layer = nn.Linear(2, 2)
    before = layer.weight.detach().clone()
    with pytest.raises(ValueError, match=match):
        parametrize.register_parametrization(layer, "weight", Wrong())
    assert type(layer) is nn.Linear
    assert lamina.equal(layer.weight.detach(), before)


def test_cached_computes_once() -> None:
    layer = nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "weight", Doubled())
    assert layer.weight is not layer.weight
    with parametrize.cached():
        first = layer.weight
        with parametrize.cached():
            assert layer.weight is first
        assert layer.weight is first
    assert layer.weight is not first


def test_copies_and_pickles() -> None:
    layer = nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "weight", Doubled())
    twin = copy.deepcopy(layer)
    twin.weight = lamina.zeros(2, 2)
    assert not lamina.equal(layer.weight, twin.weight)
    with pytest.raises(RuntimeError, match="state_dict"):
        pickle.dumps(layer)
    other = nn.Linear(2, 2)
    parametrize.transfer_parametrizations_and_params(layer, other)
    assert lamina.equal(other.weight, layer.weight)


@pytest.mark.parametrize("dim", [0, 1, -1, None])
def test_weight_norm_splits_length_and_direction(dim: int | None) -> None:
    layer, older = nn.Linear(3, 2), nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    parametrizations.weight_norm(layer, dim=dim)
    assert lamina.allclose(layer.weight, before)
    with pytest.warns(FutureWarning, match="weight_norm"):
        nn.utils.weight_norm(older, dim=dim)
    layer.load_state_dict(older.state_dict())
    x = lamina.rand(4, 3)
    assert lamina.allclose(layer(x), older(x))
    older(x).sum().backward()
    assert older.weight_g.grad is not None
    nn.utils.remove_weight_norm(older)
    assert lamina.allclose(layer(x), older(x))
    with pytest.raises(ValueError, match="not found"):
        nn.utils.remove_weight_norm(older)


def test_spectral_norm_has_largest_singular_value_one() -> None:
    layer, older = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
    with lamina.no_grad():
        for each in (layer, older):
            each.weight.copy_(lamina.diag(lamina.tensor([1.0, -4.0, 2.0])))
    parametrizations.spectral_norm(layer, n_power_iterations=20)
    nn.utils.spectral_norm(older, n_power_iterations=20)
    older(lamina.rand(1, 3))
    for each in (layer, older):
        assert lamina.allclose(each.weight.detach(), lamina.diag(lamina.tensor([0.25, -1.0, 0.5])), atol=1e-5)
    layer.eval()
    u = layer.parametrizations.weight[0]._u.clone()
    layer(lamina.rand(1, 3)).sum().backward()
    assert lamina.equal(layer.parametrizations.weight[0]._u, u)
    nn.utils.remove_spectral_norm(older)
    assert set(older.state_dict()) == {"weight"}


def test_spectral_norm_of_complex_numbers() -> None:
    layer = nn.Linear(2, 2, bias=False, dtype=lamina.complex128)
    with lamina.no_grad():
        layer.weight.copy_(lamina.tensor([[0.3, 0.0], [0.1j, -0.6j]]))
    weight = layer.weight.detach().clone()
    parametrizations.spectral_norm(layer, n_power_iterations=50)
    assert lamina.allclose(layer.weight, weight / lamina.linalg.matrix_norm(weight, 2), atol=1e-6)


@pytest.mark.parametrize("use_trivialization", [True, False])
@pytest.mark.parametrize("orthogonal_map", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)])
def test_orthogonal(shape: tuple[int, int], orthogonal_map: str, use_trivialization: bool) -> None:
    layer = nn.Linear(*reversed(shape), dtype=lamina.float64)
    parametrizations.orthogonal(layer, "weight", orthogonal_map, use_trivialization=use_trivialization)
    optimizer = lamina.optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(2):
        tall = layer.weight if shape[0] >= shape[1] else layer.weight.T
        assert lamina.allclose(tall.T @ tall, lamina.eye(min(shape), dtype=lamina.float64), atol=1e-12)
        optimizer.zero_grad()
        layer.weight[0].sum().backward()
        optimizer.step()
    goal = nn.init.orthogonal_(lamina.empty(*shape, dtype=lamina.float64))
    if use_trivialization or orthogonal_map == "householder":
        layer.weight = goal
        assert lamina.allclose(layer.weight, goal, atol=1e-12)
    else:
        with pytest.raises(NotImplementedError, match="matrix exponential or the Cayley"):
            layer.weight = goal


@pytest.mark.parametrize("use_trivialization", [True, False])
@pytest.mark.parametrize("orthogonal_map", [None, "matrix_exp", "cayley"])
@pytest.mark.parametrize("shape", [(4, 4), (2, 5, 3), (3, 5)])
def test_unitary(shape: tuple[int, ...], orthogonal_map: str | None, use_trivialization: bool) -> None:
    holder = nn.Module()
    holder.weight = nn.Parameter(lamina.randn(*shape, dtype=lamina.complex128))
    parametrizations.orthogonal(holder, "weight", orthogonal_map, use_trivialization=use_trivialization)
    tall = holder.weight if shape[-2] >= shape[-1] else holder.weight.mT
    product = tall.mH @ tall
    assert lamina.allclose(product, lamina.eye(min(shape[-2:]), dtype=product.dtype).expand_as(product), atol=1e-12)
    holder.weight.real.sum().backward()
    (original,) = holder.parameters()
    assert original.grad is not None


def test_no_reflections_of_complex_matrices() -> None:
    layer = nn.Linear(3, 3, dtype=lamina.complex64)
    with pytest.raises(ValueError, match="householder parametrization does not support complex tensors"):
        parametrizations.orthogonal(layer, orthogonal_map="householder")
    parametrizations.orthogonal(layer)
    assert "(0): _Orthogonal()" in repr(layer)


def test_spectral_norm_loads_what_older_versions_saved() -> None:
    layer = nn.utils.spectral_norm(nn.Linear(2, 3))
    for _ in range(3):
        layer(lamina.rand(1, 2))
    layer.eval()
    x = lamina.rand(4, 2)
    expected = layer(x)
    entries: Any = layer.state_dict()
    del entries["weight_v"], entries._metadata[""]["spectral_norm"]
    entries["weight"] = layer.weight.detach().clone()
    other = nn.utils.spectral_norm(nn.Linear(2, 3)).eval()
    other.load_state_dict(entries)
    assert lamina.allclose(other(x), expected, atol=1e-6)
