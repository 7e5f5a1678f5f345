"""vmap over what needs numbers to compute, with gradients from inside and from outside; results handed back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import linalg
from lamina.func import grad, hessian, jacrev, vmap

Function = Callable[[Any], Any]


def _symmetric(a: Any) -> Any:
    return a + a.mT


FUNCTIONS: dict[str, Function] = {
    "svdvals": linalg.svdvals,
    "svd": lambda a: (lambda u, s, vh: (u[:, :3] * s**2) @ vh)(*linalg.svd(a, full_matrices=False)),
    "eigvalsh": lambda a: linalg.eigvalsh(_symmetric(a[:3])),
    "eigh": lambda a: (lambda values, vectors: vectors * values**3 @ vectors.mT)(*linalg.eigh(_symmetric(a[:3]))),
    "eigvals": lambda a: linalg.eigvals(a[:3]).abs().sort()[0],
    "qr": lambda a: linalg.qr(a)[0] * linalg.qr(a)[1],
    "qr of a wide one": lambda a: linalg.qr(a.mT)[1],
    "pinv": linalg.pinv,
    "lstsq": lambda a: linalg.lstsq(a, lamina.ones(3, 1, dtype=lamina.float64)).solution,
    "nuclear norm": lambda a: linalg.matrix_norm(a, "nuc"),
}


def _loss(function: Function) -> Function:
    def loss(a: Any) -> Any:
        y = function(a * 2)
        return (y * lamina.arange(y.numel()).reshape(y.shape)).sum()

    return loss


@pytest.mark.parametrize("name", FUNCTIONS)
def test_linear_algebra_is_mapped_over(name: str) -> None:
    function = FUNCTIONS[name]
    lamina.manual_seed(1)
    batch = lamina.randn(5, 3, 3, dtype=lamina.float64)
    expected = lamina.stack([function(a) for a in batch])
    np.testing.assert_allclose(vmap(function)(batch).numpy(), expected.numpy(), atol=1e-10)
    slopes = lamina.stack([grad(_loss(function))(a) for a in batch])
    inside = vmap(grad(_loss(function)))(batch)
    outside = grad(lambda batch: vmap(_loss(function))(batch).sum())(batch)
    np.testing.assert_allclose(inside.numpy(), slopes.numpy(), atol=1e-8)
    np.testing.assert_allclose(outside.numpy(), slopes.numpy(), atol=1e-8)
    nested = vmap(vmap(function))(lamina.stack([batch, batch * 3]))
    np.testing.assert_allclose(nested[0].numpy(), expected.numpy(), atol=1e-10)


def test_second_derivatives_of_what_is_mapped_over() -> None:
    lamina.manual_seed(2)
    a = lamina.randn(4, 3, dtype=lamina.float64)

    def loss(a: Any) -> Any:
        return (linalg.svdvals(a) ** 3).sum()

    step, slope = 1e-5, grad(loss)
    found = hessian(loss)(a)
    rows = [(slope(a + step * e) - slope(a - step * e)) / (2 * step) for e in lamina.eye(12).reshape(12, 4, 3)]
    np.testing.assert_allclose(found.reshape(12, 4, 3).numpy(), lamina.stack(rows).numpy(), atol=1e-6)
    np.testing.assert_allclose(vmap(hessian(loss))(a.unsqueeze(0))[0].numpy(), found.numpy(), atol=1e-10)
    np.testing.assert_allclose(vmap(jacrev(slope))(a.unsqueeze(0))[0].numpy(), found.numpy(), atol=1e-10)
    outside = grad(lambda a: (vmap(slope)(a.unsqueeze(0)) ** 2).sum())(a)
    expected = 2 * (found * slope(a)).sum((-2, -1))
    np.testing.assert_allclose(outside.numpy(), expected.numpy(), atol=1e-8)


def test_arguments_that_are_handed_back_are_themselves() -> None:
    x = lamina.rand(3, 2)
    for function, axis in ((lambda a: a, 0), (lambda a: a.mul_(2), 1)):
        same = vmap(function, in_dims=axis, out_dims=axis)(x)
        same.add_(1)
        assert lamina.equal(same, x)


def test_each_example_has_its_own_tolerance() -> None:
    a, tolerances = lamina.diag_embed(lamina.tensor([[3.0, 1.0], [4.0, 1e-9]])), lamina.tensor([2.0, 0.0])
    inverses = vmap(lambda a, t: linalg.pinv(a, atol=t))(a, tolerances)
    assert inverses.tolist() == [[[pytest.approx(1 / 3), 0], [0, 0]], [[0.25, 0], [0, 0]]]
    of_one = vmap(lambda t: linalg.pinv(a, atol=t))(tolerances)
    assert of_one.tolist() == [linalg.pinv(a, atol=t).tolist() for t in tolerances.tolist()]
    slopes = vmap(grad(lambda a, t: linalg.pinv(a, rtol=t)[0, 0]))(a, tolerances / 10)
    assert slopes[:, 0, 0].tolist() == [pytest.approx(-1 / 9), -1 / 16]
    assert vmap(lambda a, t: linalg.matrix_rank(a, atol=t))(a, tolerances).tolist() == [1, 1]
    assert linalg.pinv(a, atol=tolerances).tolist() == inverses.tolist()
