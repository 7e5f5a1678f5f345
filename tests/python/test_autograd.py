"""Autograd as PyTorch does it: backward, grad, leaves, hooks, modes and the errors a user meets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn

TWICE = "Trying to backward through the graph a second time"


def _leaf(*values: float) -> Any:
    return lamina.tensor(values, requires_grad=True)


def test_backward_accumulates() -> None:
    x = _leaf(1.0, 2.0)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]
    first = x.grad
    (3 * x).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]
    assert first is x.grad
    x.grad = None
    (3 * x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    x.grad.zero_()
    assert x.grad.sum().item() == 0


def test_backward_of_non_scalar() -> None:
    x = _leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (x * 2).backward()
    (x * 2).backward(lamina.tensor([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 20.0]
    (x * 2).backward(gradient=lamina.ones(2))
    assert x.grad.tolist() == [4.0, 22.0]
    with pytest.raises(RuntimeError, match=r"Mismatch in shape|shape"):
        (x * 2).backward(lamina.ones(3))


def test_backward_without_history() -> None:
    text = "element 0 of tensors does not require grad and does not have a grad_fn"
    with pytest.raises(RuntimeError, match=text):
        lamina.ones(1).sum().backward()
    with pytest.raises(RuntimeError, match=text):
        _leaf(1.0).detach().sum().backward()


def test_second_backward() -> None:
    x = _leaf(1.0, 2.0)
    y = (x.exp() * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=TWICE):
        y.backward()
    grad = x.grad.clone()
    z = (x * x).sum()
    z.backward(retain_graph=True)
    z.backward()
    assert lamina.allclose(x.grad, grad + 4 * x.detach())
    with pytest.raises(RuntimeError, match=TWICE):
        z.backward()


def test_second_backward_through_a_shared_part() -> None:
    x = _leaf(1.0, 2.0)
    shared = x.exp()
    (shared * 2).sum().backward()
    with pytest.raises(RuntimeError, match=TWICE):
        (shared * 3).sum().backward()


def test_second_backward_where_nothing_was_saved() -> None:
    """Sums and additions keep nothing, so PyTorch lets them be walked again."""
    x = _leaf(1.0, 2.0)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


@pytest.mark.filterwarnings("ignore:Using backward")  # a cycle of a tensor and its gradient
def test_create_graph() -> None:
    x = _leaf(2.0)
    y = (x**3).sum()
    y.backward(create_graph=True)
    assert x.grad.item() == 12
    assert x.grad.requires_grad
    gradient = x.grad
    x.grad = None
    gradient.sum().backward()
    assert x.grad.item() == 12


def test_higher_derivatives() -> None:
    x = lamina.tensor(0.7, dtype=lamina.float64, requires_grad=True)
    value = x.sin()
    for wanted in (np.cos(0.7), -np.sin(0.7), -np.cos(0.7), np.sin(0.7), np.cos(0.7)):
        (value,) = lamina.autograd.grad(value, x, create_graph=True)
        assert value.item() == pytest.approx(wanted, abs=1e-12)


def test_gradient_penalty() -> None:
    """The gradient's norm as a loss, the classic use of second derivatives."""
    lamina.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    x = lamina.randn(4, 3, dtype=lamina.float64, requires_grad=True)

    def penalty() -> Any:
        (gradient,) = lamina.autograd.grad(net(x).sum(), x, create_graph=True)
        return (gradient.norm(dim=1) - 1).square().mean()

    penalty().backward()
    weight = net[0].weight
    moved = 1e-6
    with lamina.no_grad():
        weight[0, 0] += moved
    above = penalty().item()
    with lamina.no_grad():
        weight[0, 0] -= 2 * moved
    below = penalty().item()
    assert weight.grad[0, 0].item() == pytest.approx((above - below) / (2 * moved), rel=1e-4, abs=1e-8)


def test_backward_inputs() -> None:
    x, w = _leaf(1.0), _leaf(2.0)
    (x * w).sum().backward(inputs=[w])
    assert x.grad is None
    assert w.grad.item() == 1
    y = x * 2
    (y * y).sum().backward(inputs=iter([y]))
    assert y.grad.item() == 4
    with pytest.raises((RuntimeError, ValueError), match="cannot be empty"):
        (x * w).sum().backward(inputs=[])


def test_grad() -> None:
    x, w, unused = _leaf(1.0, 2.0), _leaf(3.0, 4.0), _leaf(5.0)
    out = (x * w).sum()
    gx, gw = lamina.autograd.grad(out, [x, w], retain_graph=True)
    assert (gx.tolist(), gw.tolist()) == ([3.0, 4.0], [1.0, 2.0])
    assert x.grad is None
    assert not gx.requires_grad
    with pytest.raises(RuntimeError, match="Tensor at index 1 appears to not have been used in the graph"):
        lamina.autograd.grad(out, [x, unused], retain_graph=True)
    gx, nothing = lamina.autograd.grad(out, [x, unused], allow_unused=True, retain_graph=True)
    assert nothing is None
    _, zeros = lamina.autograd.grad(out, [x, unused], materialize_grads=True)
    assert zeros.tolist() == [0.0]


def test_grad_of_inner_values() -> None:
    x = _leaf(1.0, 2.0)
    y = x * 2
    z = (y * y).sum()
    (gy,) = lamina.autograd.grad(z, y, retain_graph=True)
    assert gy.tolist() == [4.0, 8.0]
    (gx,) = lamina.autograd.grad(z, x)
    assert gx.tolist() == [8.0, 16.0]


def test_grad_of_several_outputs() -> None:
    x = _leaf(1.0, 2.0)
    (gradient,) = lamina.autograd.grad([x * 2, x.sum()], [x], [lamina.tensor([1.0, 2.0]), lamina.tensor(10.0)])
    assert gradient.tolist() == [12.0, 14.0]
    a, b = (x * 2).sum(), (x * 3).sum()
    lamina.autograd.backward([a, b])
    assert x.grad.tolist() == [5.0, 5.0]


def test_leaves() -> None:
    x = _leaf(1.0)
    y = x * 2
    assert x.is_leaf
    assert x.grad_fn is None
    assert not y.is_leaf
    assert y.requires_grad
    assert y.grad_fn is not None
    assert y.detach().is_leaf
    assert lamina.ones(1).is_leaf
    z = lamina.ones(1).requires_grad_()
    assert z.requires_grad
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf variables"):
        y.requires_grad_(False)
    with pytest.raises(RuntimeError, match=r"[Oo]nly Tensors of floating point"):
        lamina.ones(1, dtype=lamina.int64).requires_grad_()


def test_gradient_of_non_leaf_is_not_kept() -> None:
    x = _leaf(1.0)
    y = x * 2
    (y * 3).sum().backward()
    with pytest.warns(UserWarning, match=r"The .grad attribute of a Tensor that is not a leaf"):
        assert y.grad is None


def test_retain_grad() -> None:
    x = _leaf(1.0)
    y = x * 2
    y.retain_grad()
    assert y.retains_grad
    (y * y).sum().backward()
    assert y.grad.item() == 4
    assert x.grad.item() == 8


def test_grad_is_checked_when_assigned() -> None:
    x = _leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"shape|size"):
        x.grad = lamina.ones(3)
    with pytest.raises(TypeError, match="expected to be a Tensor or None"):
        x.grad = 1.0
    x.grad = lamina.ones(2)
    assert x.grad.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: x.sum(), "SumBackward0"),
        (lambda x: x.sum(0), "SumBackward1"),
        (lambda x: x.mean(), "MeanBackward0"),
        (lambda x: x + 1, "AddBackward0"),
        (lambda x: x - x, "SubBackward0"),
        (lambda x: x * 2, "MulBackward0"),
        (lambda x: x / 2, "DivBackward0"),
        (lambda x: -x, "NegBackward0"),
        (lambda x: x**2, "PowBackward0"),
        (lambda x: x**x, "PowBackward1"),
        (lambda x: x.exp(), "ExpBackward0"),
        (lambda x: x.exp2(), "Exp2Backward0"),
        (lambda x: x.log(), "LogBackward0"),
        (lambda x: x.log2(), "Log2Backward0"),
        (lambda x: x.log10(), "Log10Backward0"),
        (lambda x: x.log1p(), "Log1PBackward0"),
        (lambda x: lamina.atan2(x, x), "Atan2Backward0"),
        (lambda x: x.relu(), "ReluBackward0"),
        (lambda x: x.sigmoid(), "SigmoidBackward0"),
        (lambda x: x.tanh(), "TanhBackward0"),
        (lambda x: x @ x, "MmBackward0"),
        (lambda x: lamina.nn.functional.linear(x, x, x[0]), "AddmmBackward0"),
        (lambda x: x.t(), "TBackward0"),
        (lambda x: x.T, "PermuteBackward0"),
        (lambda x: x.view(4), "ViewBackward0"),
        (lambda x: x.unsqueeze(0), "UnsqueezeBackward0"),
        (lambda x: x.squeeze(), "SqueezeBackward0"),
        (lambda x: x.reshape(4), "ViewBackward0"),
        (lambda x: x.transpose(0, 1), "TransposeBackward0"),
        (lambda x: x.permute(1, 0), "PermuteBackward0"),
        (lambda x: x.expand(3, 2, 2), "ExpandBackward0"),
        (lambda x: x.split(1)[1], "SplitBackward0"),
        (lambda x: x.unbind()[1], "UnbindBackward0"),
        (lambda x: x @ x[0], "MvBackward0"),
        (lambda x: x[0] @ x[0], "DotBackward0"),
        (lambda x: lamina.nn.functional.linear(x, x), "MmBackward0"),
        (lambda x: x.var(), "VarBackward0"),
        (lambda x: x.std(), "StdBackward0"),
        (lambda x: x.prod(), "ProdBackward0"),
        (lambda x: x.amax(0), "AmaxBackward0"),
        (lambda x: x.max(0)[0], "MaxBackward0"),
        (lambda x: x.logsumexp(0), "LogsumexpBackward0"),
        (lambda x: x.cumsum(0), "CumsumBackward0"),
        (lambda x: x.sort()[0], "SortBackward0"),
        (lambda x: x.topk(1)[0], "TopkBackward0"),
        (lambda x: x.clamp(0, 1), "ClampBackward1"),
        (lambda x: x.double(), "ToCopyBackward0"),
        (lambda x: x.norm(), "LinalgVectorNormBackward0"),
        (lambda x: x.gather(0, lamina.tensor([[0, 1]])), "GatherBackward0"),
        (lambda x: x[0], "SelectBackward0"),
        (lambda x: x[:1], "SliceBackward0"),
        (lambda x: x[lamina.tensor([0])], "IndexBackward0"),
        (lambda x: x.clone(), "CloneBackward0"),
        (lambda x: x.max(), "MaxBackward1"),
        (lambda x: lamina.cat([x]), "CatBackward0"),
        (lambda x: lamina.stack([x]), "StackBackward0"),
        (lambda x: x.softmax(0), "SoftmaxBackward0"),
        (lambda x: x.log_softmax(0), "LogSoftmaxBackward0"),
        (lambda x: x.abs(), "AbsBackward0"),
        (lambda x: lamina.where(x > 0, x, x), "WhereBackward0"),
        (lambda x: x.clone().mul_(2), "MulBackward0"),
    ],
)
def test_names_of_gradient_functions(function: Any, name: str) -> None:
    result = function(lamina.ones(2, 2, requires_grad=True))
    assert result.grad_fn.name() == name
    assert f"grad_fn=<{name}>" in repr(result)
    assert f"<{name} object" in repr(result.grad_fn)


def test_printed_leaf() -> None:
    assert repr(_leaf(1.0)) == "tensor([1.], requires_grad=True)"
    assert repr(_leaf(1.0).sum()) == "tensor(1., grad_fn=<SumBackward0>)"


def test_graph_can_be_walked() -> None:
    x = _leaf(1.0)
    y = x.exp().sum()
    (inner, position), *_ = y.grad_fn.next_functions
    assert inner.name() == "ExpBackward0"
    assert position == 0
    (leaf, _), *_ = inner.next_functions
    assert "AccumulateGrad" in leaf.name()


def test_gradients_have_shape_and_dtype_of_their_tensor() -> None:
    x = lamina.ones(3, 1, requires_grad=True)
    y = lamina.ones(4, dtype=lamina.float64, requires_grad=True)
    (x * y).sum().backward()
    assert (x.grad.shape, x.grad.dtype) == ((3, 1), lamina.float32)
    assert (y.grad.shape, y.grad.dtype) == ((4,), lamina.float64)
    assert x.grad.tolist() == [[4.0]] * 3
    assert y.grad.tolist() == [3.0] * 4


def test_gradients_at_the_edges() -> None:
    """relu, abs and sign are flat at 0, clamp passes gradient at its bounds, sqrt's is infinite at 0, 0**0 has none."""
    for function, wanted in [
        (lamina.relu, 0.0),
        (lamina.abs, 0.0),
        (lambda x: x.clamp(min=0), 1.0),
        (lamina.sqrt, float("inf")),
        (lambda x: x**0, 0.0),
        (lambda x: x**2, 0.0),
        (lambda x: x.norm(), 0.0),
    ]:
        x = _leaf(0.0)
        function(x).sum().backward()
        assert x.grad.item() == wanted
    x = _leaf(1.0)
    lamina.maximum(x, lamina.ones(1)).backward()
    assert x.grad.item() == 0.5
    x = _leaf(2.0, 2.0)
    x.std().backward()
    assert x.grad.tolist() == [0.0, 0.0]


def test_where_keeps_nan_out_of_the_forward_only() -> None:
    x = _leaf(0.0, 4.0)
    lamina.where(x > 0, x.sqrt(), lamina.zeros(2)).sum().backward()
    assert np.isnan(x.grad[0].item())  # 0 * inf, as in PyTorch
    assert x.grad[1].item() == 0.25


def test_prod_gradient_with_zeros() -> None:
    x = _leaf(2.0, 0.0, 3.0)
    x.prod().backward()
    assert x.grad.tolist() == [0.0, 6.0, 0.0]
    y = _leaf(0.0, 0.0, 3.0)
    y.prod().backward()
    assert y.grad.tolist() == [0.0, 0.0, 0.0]


def test_gradcheck_accepts_and_rejects() -> None:
    x = lamina.tensor([0.3, -1.2], dtype=lamina.float64, requires_grad=True)
    assert lamina.autograd.gradcheck(lambda t: (t * t).sum(), (x,))
    assert lamina.autograd.gradcheck(lamina.sin, (x,))
    with pytest.raises(RuntimeError, match=r"[Jj]acobian mismatch"):
        lamina.autograd.gradcheck(lambda t: (t * t.detach()).sum(), (x,))
    assert not lamina.autograd.gradcheck(lambda t: (t * t.detach()).sum(), (x,), raise_exception=False)


def test_backward_under_no_grad_and_detached_branches() -> None:
    x = _leaf(2.0)
    loss = (x * x + x.detach() * 100 * x).sum()
    with lamina.no_grad():
        loss.backward()
    assert x.grad.item() == 204
    assert not x.grad.requires_grad


def test_diamond_and_reuse() -> None:
    x = _leaf(1.5)
    y = x
    for _ in range(20):
        y = y + y
    y.sum().backward()
    assert x.grad.item() == 2**20
