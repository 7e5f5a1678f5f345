"""Dual tensors: the tangent of every op of the table, and what levels, views, in-place operations and functions do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina.autograd import Function
from lamina.autograd import forward_ad as fwd
from lamina.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck

from op_samples import OPS, Op, draw, to_tensor

DIFFERENTIABLE = [op for op in OPS if op.differentiable]


def _tangent(x: Any) -> Any:
    return fwd.unpack_dual(x).tangent


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=lambda op: op.name)
def test_tangents_are_adjoint_to_gradients(op: Op) -> None:
    """<w, J t> is <J^T w, t>."""
    rng = np.random.default_rng(3)
    for item in op.cases:
        arrays = draw(rng, op, item, "float64", smooth=True)
        if sum(a.size for a in arrays) > 200:
            continue
        tensors = [to_tensor(a) for a in arrays]
        floats = [t for t in tensors if t.dtype.is_floating_point]
        along = [lamina.tensor(rng.uniform(0.5, 1.5, tuple(t.shape))) for t in floats]
        with fwd.dual_level():
            duals = iter([fwd.make_dual(t, d) for t, d in zip(floats, along, strict=True)])
            results = op.invoke(tuple(next(duals) if t.dtype.is_floating_point else t for t in tensors), item)
            pushed = [_tangent(r) for r in results if r.dtype.is_floating_point]
        for t in floats:
            t.requires_grad_()
        results = [r for r in op.invoke(tuple(tensors), item) if r.dtype.is_floating_point]
        forward = backward = 0.0
        for result, tangent in zip(results, pushed, strict=True):
            weight = lamina.tensor(rng.uniform(0.5, 1.5, tuple(result.shape)))
            if tangent is not None:
                assert (tangent.shape, tangent.dtype) == (result.shape, result.dtype), item.describe()
                forward += (weight * tangent).sum().item()
            if result.requires_grad:
                pulled = lamina.autograd.grad(result, floats, weight, allow_unused=True, retain_graph=True)
                backward += sum((g * d).sum().item() for g, d in zip(pulled, along, strict=True) if g is not None)
        np.testing.assert_allclose(forward, backward, 1e-8, 1e-10, err_msg=item.describe())


def test_levels_and_errors() -> None:
    x, t = lamina.rand(2), lamina.rand(2)
    with pytest.raises(RuntimeError, match="no level exists"):
        fwd.make_dual(x, t)
    assert fwd.unpack_dual(x).tangent is None
    with fwd.dual_level() as level:
        assert level == 0
        with pytest.raises(RuntimeError, match="Nested forward mode AD is not supported at the moment"):
            fwd.enter_dual_level()
        with pytest.raises(RuntimeError, match="different size"):
            fwd.make_dual(x, lamina.rand(3))
        with pytest.raises(ValueError, match="Expected tangent to be floating point"):
            fwd.make_dual(x, lamina.tensor([1, 2]))
        dual = fwd.make_dual(x, t)
        assert _tangent(dual) is t
        assert "tangent=" in str(dual)
        assert "tangent=" not in str(fwd.unpack_dual(dual).primal)
        with pytest.raises(RuntimeError, match="has a forward gradient at the same level"):
            fwd.make_dual(x, dual)
        with pytest.raises(NotImplementedError, match="out= function"):
            lamina.add(x, x, out=dual)
        assert _tangent(dual.detach() * 2) is None
        assert _tangent(dual > 0) is None
        with lamina.no_grad():
            assert lamina.equal(_tangent(dual * 3), t * 3)
    assert fwd.unpack_dual(dual).tangent is None
    with fwd.dual_level():
        assert _tangent(dual * 2) is None


def test_changes_in_place_reach_the_tangent_but_not_what_the_dual_is_a_view_of() -> None:
    x, t = lamina.tensor([1.0, 2.0]), lamina.tensor([3.0, 4.0])
    with fwd.dual_level():
        dual = fwd.make_dual(x, t)
        dual *= 2
        assert x.tolist() == [2.0, 4.0]
        assert t.tolist() == [6.0, 8.0]
        assert _tangent(x) is None
        first = dual[:1]
        first *= 3
        assert _tangent(first).tolist() == [18.0]
        assert _tangent(dual).tolist() == [18.0, 8.0]
        primal, tangent = fwd.unpack_dual(dual)
        primal *= 2
        assert _tangent(dual).tolist() == [18.0, 8.0]
        tangent *= 2
        assert _tangent(dual).tolist() == [36.0, 16.0]
        x.add_(1)  # the tangent is the dual's own
        assert _tangent(dual).tolist() == [36.0, 16.0]
        other = lamina.zeros(2)
        other[0] = dual[1]
        assert _tangent(other).tolist() == [16.0, 0.0]
        apart = other.detach()
        apart += dual
        assert _tangent(other).tolist() == [16.0, 0.0]
        dual.copy_(lamina.ones(2))
        assert _tangent(dual).tolist() == [0.0, 0.0]


def test_a_tangent_that_lies_otherwise_in_memory_is_copied() -> None:
    with fwd.dual_level():
        spread = lamina.ones(1).expand(2)
        dual = fwd.make_dual(lamina.rand(2), spread)
        assert _tangent(dual) is not spread
        assert _tangent(dual).stride() == (1,)


def test_reverse_mode_goes_through_primal_and_tangent() -> None:
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    t = lamina.tensor([3.0, 4.0], requires_grad=True)
    with fwd.dual_level():
        y = fwd.make_dual(x, t) ** 3
        tangent = _tangent(y)  # 3 x^2 t
        by_x, by_t = lamina.autograd.grad(tangent.sum(), (x, t))
    assert by_x.tolist() == [18.0, 48.0]
    assert by_t.tolist() == [3.0, 12.0]
    assert not _plain_tangent_requires_grad()


def _plain_tangent_requires_grad() -> bool:
    with fwd.dual_level():
        return bool(_tangent(fwd.make_dual(lamina.rand(2), lamina.rand(2)).exp()).requires_grad)


class _Scaled(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, factor: float) -> Any:
        ctx.save_for_forward(x)
        ctx.factor = factor
        return x * x * factor

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def jvp(ctx: Any, tangent: Any, factor: None) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * x * tangent * ctx.factor


def test_functions_have_a_jvp() -> None:
    x = lamina.tensor([1.0, 2.0], dtype=lamina.float64, requires_grad=True)
    assert gradcheck(lambda x: _Scaled.apply(x, 3.0), x, check_forward_ad=True, check_backward_ad=False)

    class Missing(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clone()

    class NotInPlace(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def jvp(ctx: Any, tangent: Any) -> Any:
            return tangent * 2

    with fwd.dual_level():
        dual = fwd.make_dual(x.detach(), lamina.ones_like(x))
        with pytest.raises(NotImplementedError, match="must implement the jvp function"):
            Missing.apply(dual)
        with pytest.raises(RuntimeError, match="not modifying the forward mode gradients inplace"):
            NotInPlace.apply(dual.clone())


def test_gradcheck_of_forward_mode() -> None:
    x = lamina.tensor([0.3, 0.7], dtype=lamina.float64, requires_grad=True)
    y = lamina.tensor([1.3, 0.2], dtype=lamina.float64, requires_grad=True)
    assert gradcheck(lambda x, y: (x.sin() * y, y), (x, y), check_forward_ad=True, check_batched_forward_grad=True)
    assert gradgradcheck(lambda x: x.exp() * x, x, check_fwd_over_rev=True)

    def wrong(x: Any) -> Any:
        primal, tangent = fwd.unpack_dual(x)
        return primal * 2 if tangent is None else fwd.make_dual(primal, tangent * 1.1) * 2

    with pytest.raises(GradcheckError, match="forward mode mismatch for output 0 with respect to input 0"):
        gradcheck(wrong, x, check_forward_ad=True)
    with pytest.raises(AssertionError, match="Expected at least one of"):
        gradcheck(wrong, x, check_backward_ad=False)


def test_rows_that_embedding_shortens_keep_their_tangents() -> None:
    with fwd.dual_level():
        weight = fwd.make_dual(lamina.full((4, 4), 3.0), lamina.ones(4, 4))
        rows = lamina.nn.functional.embedding(lamina.tensor([[0, 1], [2, 2]]), weight, max_norm=1.0)
        assert rows.norm(dim=-1).max().item() <= 1
        assert fwd.unpack_dual(rows).tangent.unique().tolist() == [1]
