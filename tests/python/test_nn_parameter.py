"""Parameter, Buffer, and their uninitialized forms."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn
from lamina.nn.parameter import is_lazy


def test_parameter_shares_the_storage_of_its_data() -> None:
    data = lamina.zeros(2)
    parameter = nn.Parameter(data)
    assert isinstance(parameter, lamina.Tensor)
    assert parameter.requires_grad
    assert parameter.is_leaf
    data[0] = 5
    assert parameter.tolist() == [5, 0]
    with lamina.no_grad():
        assert nn.Parameter(data).requires_grad
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert nn.Parameter().shape == (0,)
    assert nn.Parameter(data * 2).is_leaf


def test_parameter_prints_as_in_pytorch() -> None:
    assert repr(nn.Parameter(lamina.ones(2))) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    assert repr(nn.Parameter(lamina.ones(2), False)) == "Parameter containing:\ntensor([1., 1.])"
    assert repr(nn.Buffer(lamina.ones(1))) == "tensor([1.])"
    assert repr(nn.UninitializedParameter()) == "<UninitializedParameter>"


def test_results_of_ops_are_plain_tensors() -> None:
    parameter, buffer = nn.Parameter(lamina.ones(2)), nn.Buffer(lamina.ones(2))
    for result in (parameter + 1, parameter.detach(), parameter.data, parameter[0], parameter.clone(), buffer * 2):
        assert type(result) is lamina.Tensor


def test_only_tensors_that_can_have_gradients() -> None:
    with pytest.raises(TypeError, match="Parameter: expected a Tensor as data, got list"):
        nn.Parameter([1.0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Buffer: expected a Tensor"):
        nn.Buffer(3)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="floating point"):
        nn.Parameter(lamina.ones(2, dtype=lamina.int64))
    assert nn.Parameter(lamina.ones(2, dtype=lamina.int64), requires_grad=False).dtype == lamina.int64


def test_isinstance() -> None:
    parameter, buffer, lazy = nn.Parameter(lamina.ones(1)), nn.Buffer(lamina.ones(1)), nn.UninitializedParameter()
    assert isinstance(lazy, nn.Parameter)
    assert isinstance(nn.UninitializedBuffer(), nn.Buffer)
    assert not isinstance(parameter, nn.UninitializedParameter)
    assert not isinstance(parameter, nn.Buffer)
    assert not isinstance(buffer, nn.Parameter)
    assert not isinstance(lamina.ones(1), (nn.Parameter, nn.Buffer))


class Celsius(lamina.Tensor):
    """A subclass of a user's own."""


def test_a_tensor_subclass_keeps_its_class() -> None:
    own = lamina.Tensor._make_subclass(Celsius, lamina.ones(2), False)
    parameter = nn.Parameter(own)
    assert type(parameter) is Celsius
    assert isinstance(parameter, nn.Parameter)
    assert not isinstance(own, nn.Parameter)
    module = nn.Module()
    module.temperature = parameter
    assert next(module.parameters()) is parameter


@pytest.mark.parametrize(
    "tensor",
    [
        nn.Parameter(lamina.ones(2)),
        nn.Parameter(lamina.ones(2, dtype=lamina.float64), requires_grad=False),
        nn.Buffer(lamina.ones(2)),
        nn.Buffer(lamina.ones(2), persistent=False),
    ],
)
def test_copies(tensor: Any) -> None:
    for twin in (copy.deepcopy(tensor), pickle.loads(pickle.dumps(tensor))):
        assert type(twin) is type(tensor)
        assert (twin.dtype, twin.requires_grad) == (tensor.dtype, tensor.requires_grad)
        assert getattr(twin, "persistent", None) == getattr(tensor, "persistent", None)
        with lamina.no_grad():
            twin += 1
        np.testing.assert_array_equal(tensor.detach().numpy(), [1, 1])
    pair = copy.deepcopy([tensor, tensor])
    assert pair[0] is pair[1]


@pytest.mark.parametrize("make", [nn.UninitializedParameter, nn.UninitializedBuffer])
def test_uninitialized_becomes_real_in_place(make: Any) -> None:
    lazy = make(dtype=lamina.float64)
    assert is_lazy(lazy)
    same = lazy
    lazy.materialize((2, 3))
    assert type(same) is make.cls_to_become
    assert same.shape == (2, 3)
    assert same.dtype == lamina.float64
    assert same.requires_grad == (make is nn.UninitializedParameter)
    assert not is_lazy(same)


def test_uninitialized_copies_and_conversions() -> None:
    lazy = nn.UninitializedParameter(requires_grad=False)
    for twin in (copy.deepcopy(lazy), pickle.loads(pickle.dumps(lazy)), lazy.to("cpu"), lazy.float(), lazy.cpu()):
        assert isinstance(twin, nn.UninitializedParameter)
        assert not twin.requires_grad
    assert lazy.double().dtype == lamina.float64
    assert (lazy.half().dtype, lazy.bfloat16().dtype) == (lamina.float16, lamina.bfloat16)
    assert lazy.to(lamina.float64).dtype == lamina.float64
    pickled = pickle.loads(pickle.dumps(nn.UninitializedBuffer(persistent=False)))
    assert not pickled.persistent
    assert hash(lazy) == hash(lazy)
    assert lazy.grad is None
    assert lazy.is_leaf
    assert lazy.requires_grad_().requires_grad


REFUSED: list[Callable[[Any], Any]] = [
    lambda u: u + 1,
    lambda u: 1 - u,
    lambda u: lamina.ones(2) @ u,
    lambda u: lamina.add(u, u),
    lambda u: lamina.empty_like(u),
    lambda u: nn.functional.linear(lamina.ones(2, 2), u),
    lambda u: -u,
    lambda u: u == 0,
    lambda u: u[0],
    lambda u: len(u),
    lambda u: bool(u),
    lambda u: float(u),
    lambda u: list(u),
    lambda u: u.sum(),
    lambda u: u.numel(),
    lambda u: u.size(),
    lambda u: u.detach(),
    lambda u: u.numpy(),
    lambda u: np.asarray(u),
    lambda u: u.zero_(),
    lambda u: nn.init.normal_(u),
    lambda u: u.backward(),
]


@pytest.mark.parametrize("use", REFUSED)
def test_uninitialized_refuses_and_says_how_to_mend_it(use: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match=r"uninitialized parameter.*nn\.resolve"):
        use(nn.UninitializedParameter())


def test_uninitialized_has_no_shape() -> None:
    with pytest.raises(RuntimeError, match="shape of an uninitialized"):
        _ = nn.UninitializedParameter().shape


def test_copies_and_detached_tensors_lose_their_history_in_place() -> None:
    copied = copy.deepcopy(nn.Parameter(lamina.ones(2)))
    assert copied.detach_() is copied
    assert not copied.requires_grad

    x, w = lamina.ones(3), lamina.tensor(2.0, requires_grad=True)
    shared = x.detach()
    shared.mul_(w)
    shared.detach_()
    assert (shared.requires_grad, shared.grad_fn, shared.is_leaf) == (False, None, True)
    shared.add_(1)
    assert x.tolist() == [3, 3, 3]
    with pytest.raises(RuntimeError, match="Can't detach views in-place"):
        x[1:].detach_()
    for result in (
        nn.Conv1d(1, 2, 2)(lamina.ones(1, 1, 4)),
        nn.Embedding(3, 2)(lamina.tensor([0, 2])),
        w.expand(3).roll(1),
    ):
        before = result.tolist()
        assert result.detach_() is result
        assert (result.requires_grad, result.grad_fn, result._is_view()) == (False, None, False)
        assert result.add_(0).tolist() == before


@pytest.mark.parametrize("differentiable", [False, True])
def test_what_is_detached_in_place_still_shares_memory(differentiable: bool) -> None:
    array = np.ones(3, np.float32)
    x = lamina.from_numpy(array)
    x.detach_()
    array[0] = 5
    assert x.tolist() == [5, 1, 1]

    y = lamina.ones(2, 2, requires_grad=differentiable) * 1
    row = y[0]
    y.detach_()
    assert (y.requires_grad, row.requires_grad) == (False, differentiable)
    y.add_(1)
    assert row.tolist() == [2, 2]
    with lamina.no_grad():
        row.mul_(3)
    assert y.tolist() == [[6, 6], [2, 2]]
