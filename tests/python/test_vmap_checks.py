"""vmap of functions that look at numbers to see whether they are valid: those of all examples are looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import lamina
from lamina import linalg
from lamina.func import grad, jacrev, vmap


def _matrices(*shape: int) -> Any:
    lamina.manual_seed(0)
    a = lamina.randn(*shape, dtype=lamina.float64)
    return a @ a.mT + lamina.eye(shape[-1], dtype=lamina.float64)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "inv": linalg.inv,
    "solve": lambda a: linalg.solve(a, a[0] + 1),
    "cholesky": linalg.cholesky,
    "lu_factor": lambda a: linalg.lu_factor(a).LU,
    "inv of inv": lambda a: linalg.inv(linalg.inv(a) + a),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_linalg_is_mapped_over(function: Callable[[Any], Any]) -> None:
    a = _matrices(4, 3, 3).requires_grad_()
    found, wanted = vmap(function)(a), function(a) if function is linalg.inv else lamina.stack([function(x) for x in a])
    lamina.testing.assert_close(found, wanted)
    weights = lamina.arange(float(found.numel()), dtype=lamina.float64).reshape(found.shape)
    gradients = [lamina.autograd.grad((result * weights).sum(), a)[0] for result in (found, wanted)]
    lamina.testing.assert_close(*gradients)


def test_levels_nest_and_mix_with_gradients() -> None:
    a = _matrices(2, 4, 3, 3)
    lamina.testing.assert_close(vmap(vmap(linalg.inv))(a), linalg.inv(a))
    lamina.testing.assert_close(vmap(vmap(linalg.inv, in_dims=0), in_dims=1, out_dims=1)(a), linalg.inv(a))
    b = lamina.ones(5, 3, dtype=lamina.float64)  # the matrix is of the outer level alone
    found = vmap(lambda x: vmap(lambda y: linalg.solve(x, y))(b))(a[0])
    lamina.testing.assert_close(found, linalg.solve(a[0], b.mT).mT)
    slopes = vmap(grad(lambda x: linalg.cholesky(x).logdet()))(a[0])
    lamina.testing.assert_close(slopes, lamina.stack([grad(lambda x: linalg.cholesky(x).logdet())(x) for x in a[0]]))
    lamina.testing.assert_close(jacrev(linalg.inv)(a[0, 0]).shape, (3, 3, 3, 3))


def test_the_bad_example_is_named() -> None:
    a = _matrices(4, 3, 3)
    a[2] = 0
    with pytest.raises(linalg.LinAlgError, match=r"\(Batch element 2\)"):
        vmap(linalg.inv)(a)
    with pytest.raises(RuntimeError, match=r"U\[1,1\] is zero"):
        vmap(lambda x: linalg.lu_factor(x).LU)(a)
    vmap(linalg.inv)(a[:2])  # a level that was left by an exception is gone


def test_distributions_and_weights_are_checked() -> None:
    logits = lamina.zeros(4, 3)
    drawn = vmap(lambda x: lamina.multinomial(x.exp(), 2), randomness="different")(logits)
    assert drawn.shape == (4, 2)
    sampled = vmap(lambda x: lamina.distributions.Categorical(logits=x).sample((5,)), randomness="different")(logits)
    assert sampled.shape == (4, 5)
    with pytest.raises(ValueError, match="to satisfy the constraint"):
        vmap(lambda x: lamina.distributions.Normal(0.0, x).log_prob(x))(lamina.tensor([1.0, -1.0]))
    with pytest.raises(RuntimeError, match="sum of probabilities"):
        vmap(lambda x: lamina.multinomial(x, 1), randomness="different")(logits)


def test_examples_are_printed_as_batches() -> None:
    texts: list[str] = []

    def inner(x: Any, y: Any) -> Any:
        texts.append(repr(x + y))
        return x

    def outer(x: Any) -> Any:
        texts.extend([f"{x.sum()}", repr(lamina.rand(2))])
        return vmap(inner, in_dims=(None, 0))(x, lamina.arange(3.0))

    vmap(outer, randomness="different")(lamina.ones(1, 2))
    nested = (
        "BatchedTensor(lvl=2, bdim=0, value=\n    BatchedTensor(lvl=1, bdim=0, value=\n        tensor([[[1., 1.],\n"
        "                 [2., 2.],\n                 [3., 3.]]])\n    )\n)"
    )
    assert texts == [
        "BatchedTensor(lvl=1, bdim=0, value=\n    tensor([2.])\n)",
        "BatchedTensor(..., size=(2,))",
        nested,
    ]
