"""lamina.func: gradients of functions, nested and mixed, against closed forms and against each other."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import pytest

import lamina
from lamina.func import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, value_and_grad, vjp, vmap


def _x(*values: float) -> Any:
    return lamina.tensor(values, dtype=lamina.float64)


def test_grad() -> None:
    x, y = _x(1.0, 2.0), _x(3.0, 4.0)
    assert grad(lambda x: (x**3).sum())(x).tolist() == [3, 12]
    assert not grad(lambda x: (x**3).sum())(x).requires_grad
    by_both = grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(x, y)
    assert [g.tolist() for g in by_both] == [[3, 4], [1, 2]]
    assert grad(lambda x, y: (x * y).sum(), argnums=-1)(x, y).tolist() == [1, 2]
    gradient, aux = grad(lambda x: (x.sum(), {"double": x * 2}), has_aux=True)(x)
    assert (gradient.tolist(), aux["double"].tolist()) == ([1, 1], [2, 4])
    assert not aux["double"].requires_grad
    assert [t.tolist() for t in grad_and_value(lambda x: x.sum())(x)] == [[1, 1], 3]
    assert [t.tolist() for t in value_and_grad(lambda x: x.sum())(x)] == [3, [1, 1]]
    assert grad(lambda x, y: (y * y).sum())(x, y).tolist() == [0, 0]
    assert x.grad is None


def test_trees() -> None:
    Pair = namedtuple("Pair", ["a", "b"])
    tree = {"w": _x(1.0, 2.0), "rest": [Pair(_x(3.0), _x(4.0))]}
    found = grad(lambda t: (t["w"].sum() * t["rest"][0].a * t["rest"][0].b).sum())(tree)
    assert found["w"].tolist() == [12, 12]
    assert isinstance(found["rest"][0], Pair)
    assert found["rest"][0].b.tolist() == [9]


def test_nesting() -> None:
    x = lamina.tensor(0.5, dtype=lamina.float64)
    function = derivative = lamina.sin
    for wanted in (x.cos(), -x.sin(), -x.cos(), x.sin()):
        derivative = grad(derivative)
        assert lamina.allclose(derivative(x), wanted)
    mixed = grad(lambda x: grad(lambda y: x**2 * y**3)(lamina.tensor(2.0, dtype=x.dtype)))(x)
    assert mixed.item() == pytest.approx(2 * 0.5 * 12)
    rows = _x(0.1, 0.2, 0.3)
    assert lamina.allclose(vmap(grad(grad(function)))(rows), -rows.sin())
    assert lamina.allclose(grad(lambda r: vmap(grad(function))(r).sum())(rows), -rows.sin())


def test_modes() -> None:
    x = _x(1.0)
    with lamina.no_grad():  # outside: does not matter to the gradient
        assert grad(lambda x: (x * x).sum())(x).tolist() == [2]

    def inside(x: Any) -> Any:
        with lamina.no_grad():
            constant = x * x
        return (x * constant).sum()

    assert grad(inside)(x).tolist() == [1]


def test_together_with_backward() -> None:
    x, w = _x(2.0).requires_grad_(), _x(3.0).requires_grad_()
    gradient = grad(lambda x: (x**2 * w).sum())(x)
    gradient.sum().backward()
    assert (x.grad.tolist(), w.grad.tolist()) == ([6], [4])
    plain = grad(lambda x: (x**2 * w).sum())(x.detach())
    assert plain.requires_grad  # through w
    w.grad = None
    plain.sum().backward()
    assert w.grad.tolist() == [4]


def test_vjp_and_jvp_are_adjoint() -> None:
    lamina.manual_seed(0)
    x, matrix = lamina.randn(3, dtype=lamina.float64), lamina.randn(4, 3, dtype=lamina.float64)
    v, u = lamina.randn(3, dtype=lamina.float64), lamina.randn(4, dtype=lamina.float64)

    def f(x: Any) -> Any:
        return (matrix @ x).tanh()

    value, pull = vjp(f, x)
    same, push = jvp(f, (x,), (v,))
    assert lamina.equal(value, same)
    (back,) = pull(u)
    assert lamina.allclose(back @ v, u @ push)
    assert not back.requires_grad
    assert lamina.allclose(pull(u)[0], back)  # may be called again
    value, pull, aux = vjp(lambda x: (x, x + 1), x, has_aux=True)
    assert lamina.equal(aux, x + 1)
    assert jvp(lambda x: lamina.zeros(2), (x,), (v,))[1].tolist() == [0, 0]
    _, tangents = jvp(lambda a, b: (a * b, {"sum": a + b}), (x, v), (v, x))
    assert lamina.allclose(tangents[0], x * x + v * v)
    assert lamina.allclose(tangents[1]["sum"], x + v)


@pytest.mark.parametrize("jacobian", [jacrev, jacfwd])
def test_jacobians(jacobian: Any) -> None:
    x, y = _x(0.5, 1.0, 2.0), _x(3.0, 4.0)
    assert lamina.allclose(jacobian(lamina.exp)(x), x.exp().diag())

    def f(x: Any, y: Any) -> Any:
        return {"outer": x[:, None] * y, "sum": x.sum()}

    blocks = jacobian(f, argnums=(0, 1))(x, y)
    wanted = lamina.autograd.functional.jacobian(lambda x, y: tuple(f(x, y).values()), (x, y))
    for name, row in zip(("outer", "sum"), wanted, strict=True):
        for block, other in zip(blocks[name], row, strict=True):
            assert block.shape == other.shape
            assert lamina.allclose(block, other)
    table, aux = jacobian(lambda x: (x * x, x.sum()), has_aux=True)(x)
    assert lamina.allclose(table, (2 * x).diag())
    assert aux.item() == 3.5
    assert jacobian(lambda x: x[:0])(x).shape == (0, 3)
    assert lamina.allclose(
        vmap(jacobian(lambda x: x.sin() * x.sum()))(x[:, None]), (x.cos() * x + x.sin())[:, None, None]
    )


def test_hessian() -> None:
    x = _x(0.5, 1.0, 2.0)
    wanted = lamina.autograd.functional.hessian(lambda x: x.prod() + x.sin().sum(), x)
    for second in (hessian, lambda f: jacrev(jacrev(f)), lambda f: jacrev(jacfwd(f)), lambda f: jacfwd(jacfwd(f))):
        assert lamina.allclose(second(lambda x: x.prod() + x.sin().sum())(x), wanted)
    assert lamina.allclose(jacrev(lamina.exp, chunk_size=2)(x), x.exp().diag())


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: grad(lambda x: x)(x), "scalar tensor, got tensor with 1 dims"),
        (lambda x: grad(lambda x: 1.0)(x), "return a value that is a Tensor"),
        (lambda x: grad(lambda x: x.sum(), argnums=1)(x), "Got argnum=1, but only 1 positional inputs"),
        (lambda x: grad(lambda x: x.sum(), argnums=(0, 0))(x), "must be unique"),
        (lambda x: grad(lambda x: x.sum(), has_aux=True)(x), "should be a tuple"),
        (lambda x: grad(lambda x: x.sum())(x.long()), "floating point"),
        (lambda x: grad(lambda x: x.sum(), argnums=())(x), "must be non-empty"),
        (lambda x: grad(lambda x: x.sum(), argnums=0.0)(x), "argnums must be int or Tuple"),
        (lambda x: jacrev(lamina.sin, argnums=(0.0,))(x), "argnum must be int, got"),
        (lambda x: jacrev(lamina.sin)(x.cfloat()), "jacrev: Expected all inputs to be real"),
        (lambda x: jacfwd(lambda x: x * 1j)(x), "jacfwd: Expected all outputs to be real"),
        (lambda x: jacrev(lambda x: ())(x), "non-empty output"),
        (lambda x: vjp(lambda x: None, x), "non-empty output"),
        (lambda x: jvp(lamina.sin, x, x), "Expected primals to be a tuple"),
        (lambda x: jvp(lamina.sin, (), ()), "at least one Tensor"),
        (lambda x: jvp(lamina.sin, (x,), (x[:1],)), "expected a tensor of shape"),
        (lambda x: vjp(lamina.sin, x)[1](x[:1]), "expected a tensor of shape"),
        (lambda x: vjp(lambda x: (x, 1), x), "return only Tensors"),
    ],
)
def test_wrong_use(call: Any, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        call(_x(1.0, 2.0))


def test_linearize_calls_the_function_once() -> None:
    calls = []

    def function(x: lamina.Tensor, y: lamina.Tensor) -> dict[str, lamina.Tensor]:
        calls.append(1)
        return {"product": x.sin() * y, "whole": (x > 0).long()}

    x, y = lamina.tensor([0.5, -1.0]), lamina.tensor([2.0, 3.0])
    value, jvp_fn = lamina.func.linearize(function, x, y)
    for u, v in ((lamina.ones(2), lamina.zeros(2)), (lamina.tensor([1.0, 2.0]), lamina.tensor([0.5, 4.0]))):
        expected, product = lamina.func.jvp(lambda x, y: function(x, y)["product"], (x, y), (u, v))
        assert value["product"].tolist() == expected.tolist()
        assert jvp_fn(u, v)["product"].tolist() == product.tolist()
        assert jvp_fn(u, v)["whole"].tolist() == [0, 0]
    assert len(calls) == 3
    with pytest.raises(RuntimeError, match="expected a tensor of shape"):
        jvp_fn(lamina.ones(3), y)
    assert lamina.func.vmap(jvp_fn)(lamina.eye(2), lamina.zeros(2, 2))["product"].shape == (2, 2)


def test_replace_all_batch_norm_modules_lets_vmap_normalize() -> None:
    net = lamina.nn.Sequential(lamina.nn.Linear(3, 4), lamina.nn.BatchNorm1d(4))
    assert lamina.func.replace_all_batch_norm_modules_(net) is net
    assert not net[1].track_running_stats
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    batches = lamina.randn(5, 6, 3)
    outputs = lamina.func.vmap(net)(batches)
    lamina.testing.assert_close(outputs[2], net(batches[2]))


def test_what_vjp_and_linearize_return_goes_by_the_mode_of_the_call() -> None:
    x = lamina.tensor(3.0, requires_grad=True)
    one = lamina.tensor(1.0)
    with lamina.no_grad():
        value, back = lamina.func.vjp(lambda x: x**2, x)
        _, push = lamina.func.linearize(lambda x: x**2, x)
    assert not value.requires_grad
    for product in (back(one)[0], push(one)):
        assert lamina.autograd.grad(product, x)[0] == 2
    value, back = lamina.func.vjp(lambda x: x**2, x)
    _, push = lamina.func.linearize(lambda x: x**2, x)
    assert value.requires_grad
    with lamina.no_grad():
        assert not back(one)[0].requires_grad
        assert not push(one).requires_grad
