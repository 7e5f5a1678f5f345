"""Factors, exponentials and `info` of `lamina.linalg`, where the table of functions cannot show them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina


def test_what_factors_solve() -> None:
    A = lamina.tensor(np.random.default_rng(0).normal(size=(2, 4, 4)))
    B = lamina.tensor(np.random.default_rng(1).normal(size=(4, 3)))
    LU, pivots = lamina.linalg.lu_factor(A)
    assert pivots.dtype == lamina.int32
    assert lamina.allclose(A @ lamina.linalg.lu_solve(LU, pivots, B), B.expand(2, 4, 3))
    assert lamina.allclose(A.mT @ lamina.linalg.lu_solve(LU, pivots, B, adjoint=True), B.expand(2, 4, 3))
    right = lamina.linalg.lu_solve(LU, pivots, B.mT, left=False)
    assert lamina.allclose(right @ A, B.mT.expand(2, 3, 4))
    assert lamina.allclose(lamina.linalg.lu_solve(LU, pivots, B.mT, left=False, adjoint=True) @ A.mT, B.mT)
    P, L, U = lamina.lu_unpack(LU, pivots)
    assert lamina.allclose(P @ L @ U, A)


def test_gradients_go_through_factors() -> None:
    def solved(a: Any, b: Any) -> Any:
        LU, pivots = lamina.linalg.lu_factor(a)
        return lamina.linalg.lu_solve(LU, pivots, b)

    a = lamina.tensor([[0.1, 2.0], [1.0, 0.5]], dtype=lamina.float64, requires_grad=True)
    b = lamina.tensor([[1.0], [2.0]], dtype=lamina.float64, requires_grad=True)
    assert lamina.autograd.gradcheck(solved, (a, b))
    assert lamina.autograd.gradgradcheck(lamina.linalg.matrix_exp, (a,))


def test_info_is_the_first_zero_pivot() -> None:
    batch = lamina.tensor([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert lamina.linalg.inv_ex(batch).info.tolist() == [0, 2, 1]
    assert lamina.linalg.lu_factor_ex(batch).info.tolist() == [0, 2, 1]
    assert lamina.equal(lamina.linalg.inv_ex(batch).inverse[0], batch[0])
    P, L, U = lamina.linalg.lu(batch)
    assert lamina.equal(P @ L @ U, batch)


@pytest.mark.parametrize("scale", [0.0, 1e-3, 30.0])
def test_exponentials_of_each_matrix_have_their_own_scale(scale: float) -> None:
    turn = lamina.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=lamina.float64)
    both = lamina.linalg.matrix_exp(lamina.stack([turn * scale, turn]))
    for found, angle in zip(both.tolist(), (scale, 1.0), strict=True):
        expected = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        np.testing.assert_allclose(found, expected, atol=1e-13)
    assert lamina.linalg.matrix_exp(turn * float("inf")).isnan().any()


def batch_with_zeros() -> Any:
    return lamina.stack([lamina.eye(2), lamina.zeros(2, 2)])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: lamina.linalg.lu_factor(lamina.zeros(2, 2)), RuntimeError, r"U\[1,1\] is zero"),
        (lambda: lamina.linalg.inv_ex(lamina.zeros(2, 2), check_errors=True), lamina.linalg.LinAlgError, "element 1"),
        (lambda: lamina.linalg.lu(lamina.eye(2), pivot=False), RuntimeError, "without pivoting"),
        (lambda: lamina.linalg.lu(lamina.ones(2)), RuntimeError, "2 or more dimensions"),
        (lambda: lamina.linalg.lu_factor(lamina.ones(2, 2).int()), NotImplementedError, "'Int'"),
        (
            lambda: lamina.linalg.lu_solve(lamina.eye(3), lamina.ones(3).int(), lamina.ones(2, 2)),
            RuntimeError,
            r"AX = B \(3x3 and 2x2\)",
        ),
        (lambda: lamina.linalg.matrix_exp(lamina.ones(2, 3)), RuntimeError, "square"),
        (
            lambda: lamina.linalg.inv(batch_with_zeros()),
            lamina.linalg.LinAlgError,
            r"\(Batch element 1\): The diagonal",
        ),
        (
            lambda: lamina.linalg.cholesky(batch_with_zeros()),
            lamina.linalg.LinAlgError,
            r"cholesky: \(Batch element 1\): .* order 1 ",
        ),
        (lambda: lamina.linalg.tensorinv(lamina.ones(2, 3), ind=1), RuntimeError, "got 3 != 2"),
        (lambda: lamina.linalg.vander(lamina.ones(3), N=1), RuntimeError, "greater than 1"),
        (lambda: lamina.chain_matmul(), RuntimeError, "one or more"),
        (lambda: lamina.chain_matmul(lamina.eye(2), lamina.ones(2)), RuntimeError, "expected 2"),
    ],
)
def test_bad_arguments(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_former_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamina._warning._told", set())
    A = lamina.tensor(np.random.default_rng(0).normal(size=(2, 3, 3)))
    B = lamina.tensor(np.random.default_rng(1).normal(size=(2, 3, 1)))
    with pytest.warns(UserWarning, match="torch.lu is deprecated in favor of torch.linalg.lu_factor"):
        LU, pivots = A.lu()
    with pytest.warns(UserWarning, match=r"torch.lu_solve is deprecated in favor of torch.linalg.lu_solve"):
        assert lamina.allclose(A @ B.lu_solve(LU, pivots), B)
    assert A.lu(get_infos=True)[2].tolist() == [0, 0]  # warned once
    for form, result in ((A.slogdet(), "slogdet"), (lamina.linalg.slogdet(A), "linalg_slogdet")):
        assert str(form).startswith(f"torch.return_types.{result}(\nsign=")
        assert form.logabsdet.shape == (2,)
    U, S, V = A.svd()
    assert lamina.allclose(U * S.unsqueeze(-2) @ V.mT, A)
    positive = A @ A.mT
    L = lamina.linalg.cholesky(positive)
    assert lamina.allclose(positive @ B.cholesky_solve(L), B)
    assert lamina.allclose(L.cholesky_inverse(), positive.inverse())
    assert lamina.allclose(A.pinverse(), A.inverse())


def test_reflections_make_the_orthogonal_factor() -> None:
    A = lamina.complex(*lamina.tensor(np.random.default_rng(0).normal(size=(2, 2, 4, 3))))
    a, tau = A.geqrf()
    Q = lamina.linalg.householder_product(a, tau)
    assert lamina.allclose(Q @ a[:, :3].triu(), A)
    assert lamina.allclose(Q.mH @ Q, lamina.eye(3, dtype=A.dtype).expand(2, 3, 3))
    assert lamina.allclose(a.ormqr(tau, A, transpose=True)[:, :3], a[:, :3].triu())
    with pytest.raises(RuntimeError, match=r"use linalg\.qr"):
        A.requires_grad_().geqrf()
    with pytest.raises(RuntimeError, match=r"greater than or equal to tau\.shape"):
        lamina.linalg.householder_product(lamina.ones(3, 2), lamina.ones(3))
