"""What LAPACK answers in `lamina.linalg`, and what happens where it cannot: singular matrices, vmap, panels."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina.autograd import forward_ad as fwd
from lamina.func import jacrev, vmap


def _matrices(n: int, *batch: int) -> np.ndarray:
    return np.random.default_rng(n).normal(size=(*batch, n, n)) + n * np.eye(n)


def test_determinants_of_singular_matrices_have_gradients() -> None:
    """Those of the adjugate, also where rounding hides that a matrix is singular."""
    for numbers in ([[1.0, 2.0], [2.0, 4.0]], [[0.1, 0.3], [0.3, 0.9]]):
        A = lamina.tensor(numbers, dtype=lamina.float64, requires_grad=True)
        lamina.det(A).backward()
        (a, b), (c, d) = numbers
        np.testing.assert_allclose(A.grad.numpy(), [[d, -c], [-b, a]], rtol=1e-12)
    assert lamina.slogdet(lamina.zeros(2, 2)).logabsdet.item() == -float("inf")


def test_one_failing_matrix_leaves_the_others_their_factors() -> None:
    batch = lamina.stack([lamina.eye(2) * 4, lamina.eye(2) * -1])
    factor, info = lamina.linalg.cholesky_ex(batch)
    assert info.tolist() == [0, 1]
    assert lamina.equal(factor[0], lamina.eye(2) * 2)
    found, info = lamina.linalg.solve_ex(lamina.stack([lamina.eye(2) * 4, lamina.zeros(2, 2)]), lamina.ones(2, 1))
    assert info.tolist() == [0, 1]
    assert found[0].tolist() == [[0.25], [0.25]]


@pytest.mark.parametrize("name", ["inv", "det", "cholesky", "solve", "logdet"])
def test_jacobians_are_recorded_for_batches_of_cotangents(name: str) -> None:
    A = lamina.tensor(_matrices(3) @ _matrices(3).T)
    call = getattr(lamina.linalg, name, None) or getattr(lamina, name)
    column = lamina.tensor(np.arange(3.0))

    def function(a: lamina.Tensor) -> lamina.Tensor:
        return call((a + a.mT) / 2, column) if name == "solve" else call((a + a.mT) / 2)

    jacobian = jacrev(function)(A)
    along = lamina.tensor(np.random.default_rng(1).normal(size=(3, 3)))
    with fwd.dual_level():
        tangent = fwd.unpack_dual(function(fwd.make_dual(A, along))).tangent
    assert tangent is not None
    assert lamina.allclose((jacobian * along).sum((-1, -2)), tangent)
    a = A.requires_grad_()
    assert lamina.autograd.gradcheck(function, (a,))
    assert lamina.autograd.gradgradcheck(function, (a,))


def test_vmap_of_determinants() -> None:
    batch = lamina.tensor(_matrices(4, 3))
    assert lamina.allclose(vmap(lamina.det)(batch), lamina.det(batch))


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("n", [31, 32, 33, 64, 100])
def test_triangular_panels(n: int, unit: bool, upper: bool) -> None:
    random = np.random.default_rng(n)
    whole = random.normal(size=(2, n, n)) / n + 2 * np.eye(n)
    triangle = np.triu(whole) if upper else np.tril(whole)
    if unit:
        triangle = triangle * (1 - np.eye(n)) + np.eye(n)
    B = random.normal(size=(2, n, 3))
    A = lamina.tensor(whole, requires_grad=True)
    X = lamina.linalg.solve_triangular(A, lamina.tensor(B), upper=upper, unitriangular=unit)
    np.testing.assert_allclose(X.detach().numpy(), np.linalg.solve(triangle, B), rtol=1e-10, atol=1e-12)
    X.sum().backward()
    gradient = -np.linalg.solve(triangle.swapaxes(-1, -2), np.ones_like(B)) @ X.detach().numpy().swapaxes(-1, -2)
    gradient = np.triu(gradient, int(unit)) if upper else np.tril(gradient, -int(unit))
    np.testing.assert_allclose(A.grad.numpy(), gradient, rtol=1e-9, atol=1e-11)


def test_gradients_have_pytorchs_names() -> None:
    a = (lamina.eye(2) * 2).requires_grad_()
    linalg, fft = lamina.linalg, lamina.fft
    for result, name in (
        (linalg.inv(a), "LinalgInvEx"),
        (linalg.solve(a, lamina.ones(2, 1)), "LinalgSolveEx"),
        (linalg.det(a), "LinalgDet"),
        (linalg.slogdet(a)[1], "LinalgSlogdet"),
        (linalg.cholesky(a), "LinalgCholeskyEx"),
        (linalg.svdvals(a), "LinalgSvd"),
        (linalg.qr(a)[0], "LinalgQr"),
        (linalg.eigvalsh(a), "LinalgEigh"),
        (linalg.eigvals(a), "LinalgEig"),
        (linalg.pinv(a), "LinalgPinv"),
        (fft.rfft(a), "FftR2C"),
        (fft.irfft(a), "FftC2R"),
    ):
        assert result.grad_fn.name() == f"{name}Backward0"
