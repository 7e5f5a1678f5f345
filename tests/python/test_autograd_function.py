"""Operations whose gradient is written in Python."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import lamina
from lamina.autograd import Function, gradcheck, gradgradcheck
from lamina.autograd.function import once_differentiable


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        (x,) = ctx.saved_tensors
        return gradient * 3 * x**2


class Exp(Function):
    """Saves its output."""

    @staticmethod
    def forward(x: Any) -> Any:
        return x.exp()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        (result,) = ctx.saved_tensors
        return gradient * result


def _leaf(*values: float) -> Any:
    return lamina.tensor(values, dtype=lamina.float64, requires_grad=True)


def test_gradients_of_any_order() -> None:
    x = _leaf(1.0, 2.0)
    for function in (Cube.apply, Exp.apply):
        assert gradcheck(function, (x,))
        assert gradgradcheck(function, (x,))
    y = Cube.apply(x)
    assert y.grad_fn.name() == type(y.grad_fn).__name__ == "CubeBackward"
    assert y.grad_fn.next_functions[0][0].variable is x
    assert y.grad_fn.saved_tensors[0] is x


def test_second_gradients_take_a_saved_output_and_the_returned_one_together() -> None:
    x = _leaf(0.3, 0.5)
    assert gradgradcheck(lambda x: Exp.apply(x) ** 2, (x,))
    (slope,) = lamina.autograd.grad((Exp.apply(x) ** 2).sum(), x, create_graph=True)
    (curvature,) = lamina.autograd.grad(slope.sum(), x)
    assert lamina.allclose(curvature, 4 * (2 * x.detach()).exp())


def test_saved_tensors_are_freed_and_watched() -> None:
    x = _leaf(2.0)
    y = Cube.apply(x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()
    z = x * 1
    y = Cube.apply(z).sum()
    z += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
    result = Exp.apply(x)
    result.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.sum().backward()


class Halves(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, materialize: bool) -> Any:
        ctx.set_materialize_grads(materialize)
        whole = x.long()
        ctx.mark_non_differentiable(unused := x + 1)
        return x * 2, "text", whole, x * 3, unused

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        Halves.seen = gradients
        first, last = gradients[0], gradients[3]
        return sum(g for g in (first, last) if g is not None), None

    seen: Any = None


def test_several_outputs() -> None:
    x = _leaf(1.0, 2.0)
    double, text, whole, triple, fixed = Halves.apply(x, True)
    assert (text, whole.tolist()) == ("text", [1, 2])
    assert (double.output_nr, triple.output_nr) == (0, 3)
    assert double.grad_fn is triple.grad_fn
    assert not fixed.requires_grad
    triple.sum().backward()
    assert x.grad.tolist() == [1, 1]
    assert Halves.seen[0].tolist() == [0, 0]
    assert Halves.seen[1] is None
    Halves.apply(x, False)[3].sum().backward()
    assert Halves.seen[0] is None
    assert x.grad.tolist() == [2, 2]


def test_in_place() -> None:
    class AddTo(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.mark_dirty(x)
            return x.add_(y)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return gradient, gradient * 10

    base, y = _leaf(1.0, 2.0), _leaf(5.0)
    x = base * 1
    assert AddTo.apply(x, y) is x
    (x * x).sum().backward()
    assert x.tolist() == [6, 7]
    assert base.grad.tolist() == [12, 14]
    assert y.grad.tolist() == [260]
    whole = base * 1
    AddTo.apply(whole[1:], y)
    whole.sum().backward()
    assert whole.tolist() == [1, 7]
    assert base.grad.tolist() == [13, 15]
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        AddTo.apply(base, y)


@pytest.mark.parametrize(
    ("returned", "error", "text"),
    [
        ((None, None), RuntimeError, "incorrect number of gradients .expected 3, got 2"),
        ((None, None, None, lamina.ones(1)), RuntimeError, "incorrect number of gradients .expected 3, got 4"),
        ((None, lamina.ones(1), None), RuntimeError, "different from None at position 2"),
        ((lamina.ones(5), None, None), RuntimeError, r"invalid gradient at index 0 - got \[5\] but expected shape"),
        ((1.5, None, None), TypeError, "expected Variable or None .got float"),
    ],
)
def test_wrong_gradients(returned: Any, error: Any, text: str) -> None:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, scale: float, name: str) -> Any:
            return x * scale

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return returned

    with pytest.raises(error, match=text):
        Wrong.apply(_leaf(1.0, 2.0), 2.0, "x").sum().backward()


def test_gradients_are_fitted() -> None:
    class Loose(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.float()

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return lamina.ones(3, 2), None, None  # broadcast, of another type, and too many

    x = _leaf(1.0, 2.0)
    Loose.apply(x).sum().backward()
    assert x.grad.tolist() == [3, 3]
    assert x.grad.dtype == lamina.float64


def test_once_differentiable() -> None:
    class Once(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, gradient: Any) -> Any:
            assert not lamina.is_grad_enabled()
            return gradient * 2 * ctx.saved_tensors[0]

    x = _leaf(3.0)
    (gradient,) = lamina.autograd.grad(
        Once.apply(x), x, lamina.ones(1, dtype=x.dtype, requires_grad=True), create_graph=True
    )
    assert gradient.item() == 6
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_without_gradients_nothing_is_recorded() -> None:
    x = _leaf(1.0)
    with lamina.no_grad():
        assert Cube.apply(x).grad_fn is None
    assert Cube.apply(x.detach()).grad_fn is None
    same = Function.__dict__["forward"]
    assert same is not None
    with pytest.raises(NotImplementedError, match="must implement the forward"):
        type("Bare", (Function,), {}).apply(x)
    bare = type("Bare", (Function,), {"forward": staticmethod(lambda ctx, x: x * 1)}).apply(x)
    with pytest.raises(NotImplementedError, match="must implement either the backward"):
        bare.sum().backward()


def test_a_context_that_holds_its_result_is_collected() -> None:
    class Keep(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return gradient

    y = Keep.apply(_leaf(1.0))
    y.tolist()
    y.grad_fn.kept = y
    context = weakref.ref(y.grad_fn)
    del y
    gc.collect()
    assert context() is None


class _Shown(Function):
    """Returns its argument, or a view of it."""

    @staticmethod
    def forward(ctx: Any, x: Any, how: Any) -> Any:
        return how(x)

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return lamina.cat([gradient, gradient])[:2] * 10, None


@pytest.mark.parametrize("how", [lambda x: x, lambda x: x.view_as(x), lambda x: x[:1]])
@pytest.mark.parametrize("leaf", [True, False])
def test_what_a_function_shows_of_its_argument_shares_numbers_and_is_not_to_be_changed(leaf: bool, how: Any) -> None:
    given = lamina.ones(2, requires_grad=True)
    x = given if leaf else given * 1
    y = _Shown.apply(x, how)
    assert y._is_view()
    assert y._base is x
    assert type(y.grad_fn).__name__ == "_ShownBackward"
    x.data.mul_(3)
    assert y[0].item() == 3
    (y * 2)[0].backward()
    assert given.grad[0].item() == 20  # type: ignore[index]
    for view in (y, y[:1]):
        with pytest.raises(RuntimeError, match="view was created inside a custom Function"):
            view.add_(1)
    with lamina.no_grad():
        y.add_(1)
    assert x[0].item() == 4
    with pytest.raises(RuntimeError, match="its base or another view of its base has been modified"):
        _ = y.grad_fn
    if not leaf:
        x.add_(1)
        with pytest.raises(RuntimeError, match="its base or another view of its base has been modified"):
            y.exp()


def test_what_a_function_detaches_shares_numbers_and_keeps_its_history() -> None:
    x = lamina.ones(2, requires_grad=True) * 1
    y = _Shown.apply(x, lambda x: x.detach())
    x.mul_(2)
    assert y.tolist() == [2, 2]
    y.add_(1)
    assert x.tolist() == [3, 3]
    assert "AddBackward0" in repr(y)
    assert y.grad_fn.next_functions[0][0].name() == "_ShownBackward"  # type: ignore[union-attr]


@pytest.mark.parametrize("zeros", [True, False])
def test_gradients_of_outputs_marked_as_not_differentiable(zeros: bool) -> None:
    class Twice(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            second = x.clone()
            ctx.mark_non_differentiable(second)
            ctx._materialize_non_diff_grads = zeros
            return x.clone(), second

        @staticmethod
        def backward(ctx: Any, gradient: Any, other: Any) -> Any:
            assert (other is not None) is zeros
            return gradient

    Twice.apply(lamina.tensor(1.0, requires_grad=True))[0].backward()
