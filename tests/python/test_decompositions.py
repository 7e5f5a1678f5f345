"""LAPACK's decompositions: what the rows of test_functions.py cannot show."""

from __future__ import annotations

import pytest

import lamina
from lamina import linalg
from lamina.autograd import gradcheck, gradgradcheck


def _random(*shape: int) -> lamina.Tensor:
    return lamina.rand(shape, dtype=lamina.float64, generator=lamina.Generator().manual_seed(0)).requires_grad_()


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 4)], ids=str)
def test_parts_put_together_are_the_matrix_and_have_its_gradient(shape: tuple[int, ...]) -> None:
    def by_svd(A: lamina.Tensor) -> lamina.Tensor:
        U, S, Vh = linalg.svd(A, full_matrices=False)
        return (U * S.unsqueeze(-2)) @ Vh

    def by_qr(A: lamina.Tensor) -> lamina.Tensor:
        Q, R = linalg.qr(A)
        return Q @ R

    A = _random(*shape)
    for rebuilt in (by_svd, by_qr):
        assert lamina.allclose(rebuilt(A), A)
        (gradient,) = lamina.autograd.grad((rebuilt(A) * A.detach()).sum(), A)
        assert lamina.allclose(gradient, A.detach())
        assert gradgradcheck(rebuilt, (A,), atol=1e-4)


def test_eigenvectors_have_gradients() -> None:
    def parts(A: lamina.Tensor) -> tuple[lamina.Tensor, ...]:
        values, vectors = linalg.eigh(A + A.mT)
        return values, vectors.abs()

    A = _random(2, 3, 3)
    assert gradcheck(parts, (A,))
    assert gradgradcheck(parts, (A,), atol=1e-4)


def test_a_solution_of_least_squares_has_gradients_of_both_sides() -> None:
    A, B = _random(4, 3), _random(4)
    assert gradcheck(lambda A, B: linalg.lstsq(A, B).solution, (A, B))
    assert linalg.lstsq(A, B).solution.shape == (3,)
    assert linalg.lstsq(_random(3, 4), _random(3, 2)).residuals.numel() == 0


def test_the_nuclear_norm_is_the_sum_of_singular_values() -> None:
    A = _random(2, 4, 3)
    expected = linalg.svdvals(A).sum(-1)
    assert lamina.allclose(lamina.norm(A, "nuc", (1, 2)), expected)
    assert lamina.allclose(A[0].norm("nuc", keepdim=True), expected[0].reshape(1, 1))
    with pytest.raises(RuntimeError, match="expects a matrix"):
        A.norm("nuc")


def test_what_is_not_determined_has_no_gradient() -> None:
    A = _random(4, 2)
    with pytest.raises(RuntimeError, match="full_matrices=False"):
        linalg.svd(A).U.sum().backward()
    with pytest.raises(RuntimeError, match="mode='reduced'"):
        linalg.qr(A, "complete").Q.sum().backward()
    with pytest.raises(RuntimeError, match="mode='r'"):
        linalg.qr(A, "r")
    linalg.svd(A).S.sum().backward()  # the values are


def test_empty_and_small_values() -> None:
    assert linalg.svdvals(lamina.zeros(0, 3)).shape == (0,)
    assert linalg.pinv(lamina.zeros(0, 3)).shape == (3, 0)
    assert linalg.matrix_rank(lamina.zeros(2, 0, 3)).tolist() == [0, 0]
    small = lamina.diag(lamina.tensor([1.0, 1e-3]))
    assert linalg.matrix_rank(small).item() == 2
    assert linalg.matrix_rank(small, atol=0.01).item() == 1
    assert linalg.pinv(small, rtol=0.01)[1, 1].item() == 0


def test_the_pseudo_inverse_of_a_hermitian_matrix_reads_its_lower_triangle() -> None:
    A = lamina.tensor([[2.0, 9.0], [0.5, 1.0]], dtype=lamina.float64)
    lamina.testing.assert_close(linalg.pinv(A, hermitian=True), linalg.inv(A.tril() + A.tril(-1).mT))
    with pytest.raises(RuntimeError, match="square matrices, but they are 2 by 3"):
        linalg.pinv(lamina.ones(2, 3), hermitian=True)


def test_wrong_matrices_are_refused() -> None:
    with pytest.raises(RuntimeError, match="at least 2 dimensions"):
        linalg.svd(lamina.ones(3))
    with pytest.raises(RuntimeError, match="Expected a floating point or complex tensor"):
        linalg.qr(lamina.ones(2, 2, dtype=lamina.int64))
    with pytest.raises(RuntimeError, match="square matrices"):
        linalg.eigh(lamina.ones(2, 3))
    with pytest.raises(RuntimeError, match="UPLO"):
        linalg.eigh(lamina.eye(2), "X")
    with pytest.raises(linalg.LinAlgError):
        linalg.svd(lamina.full((2, 2), float("nan")))


def test_constants_lie_where_the_operands_do() -> None:
    A = _random(3, 3)
    with lamina.device("meta"):
        assert lamina.ones(1).is_meta
        for result in (*linalg.svd(A), *linalg.qr(A), *linalg.eigh(A @ A.mT), linalg.pinv(A), linalg.svdvals(A)):
            assert not result.is_meta
        linalg.svd(A).S.sum().backward()
    assert A.grad is not None
