"""``lamina.linalg`` of complex matrices: numbers against NumPy's, and gradients of what does not depend on phases."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lamina
from lamina import linalg
from lamina.autograd import gradcheck, gradgradcheck

if TYPE_CHECKING:
    from collections.abc import Callable

Numbers = np.ndarray[Any, Any]
TYPES = pytest.mark.parametrize("dtype", ["complex64", "complex128"])


def _numbers(*shape: int, dtype: str = "complex128") -> Numbers:
    generator = np.random.default_rng(3)
    return (generator.normal(size=shape) + 1j * generator.normal(size=shape)).astype(dtype)


def _hermitian(A: Any) -> Any:
    return A @ (A.mH if isinstance(A, lamina.Tensor) else np.conj(np.swapaxes(A, -1, -2)))


def _input(*shape: int) -> lamina.Tensor:
    return lamina.tensor(_numbers(*shape)).requires_grad_()


def _regular(*shape: int) -> lamina.Tensor:
    """Matrices of well separated eigenvalues, none of them near 0."""
    return (_input(*shape).detach() / 2 + lamina.diag(lamina.arange(1.0, shape[-1] + 1) * (2 + 1j))).requires_grad_()


SAME_AS_NUMPY: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "cholesky": (lambda A: linalg.cholesky(_hermitian(A)), lambda A: np.linalg.cholesky(_hermitian(A))),
    "cond": (linalg.cond, np.linalg.cond),
    # Python 3.10 gets a NumPy that returns a complex number.
    "cond_fro": (lambda A: linalg.cond(A, "fro"), lambda A: np.linalg.cond(A, "fro").real),
    "det": (linalg.det, np.linalg.det),
    "eigvals": (lambda A: linalg.eigvals(A).sum(-1), lambda A: np.trace(A, axis1=-2, axis2=-1)),
    "eigvalsh": (linalg.eigvalsh, np.linalg.eigvalsh),
    "eigvalsh_upper": (lambda A: linalg.eigvalsh(A, "U"), lambda A: np.linalg.eigvalsh(A, "U")),
    "inv": (linalg.inv, np.linalg.inv),
    "inv_ex": (lambda A: linalg.inv_ex(A).inverse, np.linalg.inv),
    "logdet": (lambda A: linalg.logdet(A).exp(), np.linalg.det),
    "matrix_power": (lambda A: linalg.matrix_power(A, -3), lambda A: np.linalg.matrix_power(A, -3)),
    "matrix_rank": (linalg.matrix_rank, np.linalg.matrix_rank),
    "norm_nuc": (lambda A: linalg.matrix_norm(A, "nuc"), lambda A: np.linalg.norm(A, "nuc", axis=(-2, -1))),
    "norm_1": (lambda A: linalg.matrix_norm(A, 1), lambda A: np.linalg.norm(A, 1, axis=(-2, -1))),
    "norm_2": (lambda A: linalg.matrix_norm(A, 2), lambda A: np.linalg.norm(A, 2, axis=(-2, -1))),
    "pinv": (linalg.pinv, np.linalg.pinv),
    "pinv_wide": (lambda A: linalg.pinv(A[..., :2, :]), lambda A: np.linalg.pinv(A[..., :2, :])),
    "qr": (lambda A: tuple(linalg.qr(A)), lambda A: tuple(np.linalg.qr(A))),
    "slogdet": (lambda A: tuple(linalg.slogdet(A)), lambda A: tuple(np.linalg.slogdet(A))),
    "svd": (lambda A: tuple(linalg.svd(A)), lambda A: tuple(np.linalg.svd(A))),
    "svdvals": (linalg.svdvals, lambda A: np.linalg.svd(A, compute_uv=False)),
}


@TYPES
@pytest.mark.parametrize("batch", [(), (2,), (2, 0)], ids=str)
@pytest.mark.parametrize("name", SAME_AS_NUMPY)
def test_same_as_numpy(name: str, batch: tuple[int, ...], dtype: str) -> None:
    ours, theirs = SAME_AS_NUMPY[name]
    A = _numbers(*batch, 3, 3, dtype=dtype)
    tolerance = 1e-9 if dtype == "complex128" else 2e-3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = theirs(A)
    got = ours(lamina.tensor(A))
    for mine, other in zip(*(x if isinstance(x, tuple) else (x,) for x in (got, expected)), strict=True):
        assert mine.shape == np.shape(other)
        if name != "matrix_rank":
            assert mine.numpy().dtype == np.asarray(other).dtype
        np.testing.assert_allclose(mine.numpy(), other, rtol=tolerance, atol=tolerance)


SOLVED: dict[str, Callable[[lamina.Tensor, lamina.Tensor], tuple[lamina.Tensor, lamina.Tensor]]] = {
    "solve": lambda A, B: (A @ linalg.solve(A, B), B),
    "solve_right": lambda A, B: (linalg.solve(A, B.mT, left=False) @ A, B.mT),
    "solve_ex": lambda A, B: (A @ linalg.solve_ex(A, B).result, B),
    "lower": lambda A, B: (A.tril() @ linalg.solve_triangular(A, B, upper=False), B),
    "upper": lambda A, B: (linalg.solve_triangular(A, B.mT, upper=True, left=False) @ A.triu(), B.mT),
    "cholesky_upper": lambda A, B: (_hermitian(linalg.cholesky(_hermitian(A), upper=True).mH), _hermitian(A)),
    "cholesky_inverse": lambda A, B: (
        lamina.cholesky_inverse(linalg.cholesky(_hermitian(A))) @ _hermitian(A),
        lamina.eye(3, dtype=A.dtype).expand(A.shape),
    ),
    "cholesky_solve": lambda A, B: (_hermitian(A) @ lamina.cholesky_solve(B, linalg.cholesky(_hermitian(A))), B),
    "cholesky_solve_upper": lambda A, B: (
        _hermitian(A) @ lamina.cholesky_solve(B, linalg.cholesky(_hermitian(A), upper=True), upper=True),
        B,
    ),
    "lu": lambda A, B: (lamina.linalg.multi_dot(list(linalg.lu(A))) if A.dim() == 2 else A, A),
    "lu_solve": lambda A, B: (A @ linalg.lu_solve(*linalg.lu_factor(A), B), B),
    "lu_solve_adjoint": lambda A, B: (A.mH @ linalg.lu_solve(*linalg.lu_factor(A), B, adjoint=True), B),
    "lu_solve_right": lambda A, B: (linalg.lu_solve(*linalg.lu_factor(A), B.mT, left=False) @ A, B.mT),
    "lu_solve_right_adjoint": lambda A, B: (
        linalg.lu_solve(*linalg.lu_factor(A), B.mT, left=False, adjoint=True) @ A.mH,
        B.mT,
    ),
    "lstsq": lambda A, B: (A.mH @ (A @ linalg.lstsq(A, B).solution), A.mH @ B),
    "qr_wide": lambda A, B: ((lambda Q, R: Q @ R)(*linalg.qr(A[..., :2, :])), A[..., :2, :]),
    "eigh": lambda A, B: (
        (lambda values, vectors: (vectors * values.unsqueeze(-2)) @ vectors.mH)(*linalg.eigh(_hermitian(A))),
        _hermitian(A),
    ),
    "eig": lambda A, B: ((lambda values, vectors: vectors * values.unsqueeze(-2) - A @ vectors)(*linalg.eig(A)), A * 0),
    "matrix_exp": lambda A, B: (
        linalg.matrix_exp(A) @ linalg.matrix_exp(-A),
        lamina.eye(3).to(A.dtype) + A * 0,
    ),
}


@TYPES
@pytest.mark.parametrize("batch", [(), (2,), (0,)], ids=str)
@pytest.mark.parametrize("name", SOLVED)
def test_results_solve_their_equations(name: str, batch: tuple[int, ...], dtype: str) -> None:
    A = _regular(*batch, 3, 3).detach().to(getattr(lamina, dtype)) / 4
    got, expected = SOLVED[name](A, lamina.tensor(_numbers(*batch, 3, 2, dtype=dtype)))
    lamina.testing.assert_close(got, expected, rtol=1e-3, atol=1e-3 if dtype == "complex64" else 1e-9)


GRADIENTS: dict[str, Callable[[lamina.Tensor], Any]] = {
    "cholesky": lambda A: linalg.cholesky(_hermitian(A)),
    "cond_fro": lambda A: linalg.cond(A, "fro"),
    "det": linalg.det,
    "eig": lambda A: (lambda values, vectors: (values.sum(-1), vectors @ vectors.mH))(*linalg.eig(A)),
    "eigvals": lambda A: linalg.eigvals(A).square().sum(-1),
    "eigh": lambda A: (lambda values, vectors: (values, vectors.abs(), vectors * values.unsqueeze(-2) @ vectors.mH))(
        *linalg.eigh(_hermitian(A))
    ),
    "inv": linalg.inv,
    "lu": lambda A: tuple(linalg.lu(A)[1:]),
    "matrix_exp": lambda A: linalg.matrix_exp(A / 4),
    "nuc": lambda A: linalg.matrix_norm(A, "nuc"),
    "pinv": linalg.pinv,
    "pinv_tall": lambda A: linalg.pinv(A[..., :2]),
    "pinv_wide": lambda A: linalg.pinv(A[..., :2, :]),
    "qr": lambda A: tuple(linalg.qr(A)),
    "qr_tall": lambda A: tuple(linalg.qr(A[..., :2])),
    "qr_wide": lambda A: tuple(linalg.qr(A[..., :2, :])),
    "slogdet": lambda A: tuple(linalg.slogdet(A)),
    "svd": lambda A: (lambda U, S, Vh: (U.abs(), S, (U * S.log().unsqueeze(-2)) @ Vh))(*linalg.svd(A)),
    "svd_tall": lambda A: (lambda U, S, Vh: (U @ Vh, Vh.abs()))(*linalg.svd(A[..., :2], full_matrices=False)),
    "svd_wide": lambda A: (lambda U, S, Vh: (U @ Vh, U.abs()))(*linalg.svd(A[..., :2, :], full_matrices=False)),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient(name: str) -> None:
    A = _regular(3, 3)
    assert gradcheck(GRADIENTS[name], (A,), rtol=1e-3, atol=1e-4)
    batch = lamina.stack([A.detach(), 2j * A.detach()]).requires_grad_()
    assert gradcheck(GRADIENTS[name], (batch,), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", GRADIENTS)
def test_second_gradient(name: str) -> None:
    assert gradgradcheck(GRADIENTS[name], (_regular(3, 3),), rtol=1e-3, atol=1e-3)


def test_eigenvalues_of_real_matrices_are_complex() -> None:
    turn = lamina.tensor([[0.0, -2.0], [2.0, 0.0]])
    values, vectors = linalg.eig(turn)
    assert values.dtype == vectors.dtype == lamina.complex64
    assert sorted(values.imag.tolist()) == [-2, 2]
    assert linalg.eigvals(lamina.eye(2, dtype=lamina.float64)).dtype == lamina.complex128
    A = lamina.tensor(_numbers(2, 3, 3).real).requires_grad_()
    assert gradcheck(lambda A: (linalg.eigvals(A).pow(3).sum(-1), linalg.eig(A)[1].abs().square().sum(-1)), (A,))
    (gradient,) = lamina.autograd.grad(linalg.eigvals(A).sum().real, A)
    lamina.testing.assert_close(gradient, lamina.eye(3, dtype=lamina.float64).expand(2, 3, 3))


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (lambda A: linalg.svd(A).U, r"^svd_backward: The singular vectors .* phase"),
        (lambda A: linalg.svd(A).Vh, r"^svd_backward: The singular vectors .* phase"),
        (lambda A: linalg.eigh(A).eigenvectors, "^linalg_eigh_backward: The eigenvectors .* ill-defined"),
        (lambda A: linalg.eig(A).eigenvectors, "^linalg_eig_backward: The eigenvectors .* ill-defined"),
    ],
)
def test_there_is_no_gradient_of_a_phase(loss: Callable[[lamina.Tensor], lamina.Tensor], text: str) -> None:
    A = _input(3, 3)
    with pytest.raises(RuntimeError, match=text):
        loss(A).sum().real.backward()


def test_pivots_are_those_of_lapack() -> None:
    # |3 + 3i| = 4.24 < 5, but LAPACK compares 6 with 5.
    A = lamina.tensor([[5.0, 1], [3 + 3j, 2]])
    assert linalg.lu_factor(A).pivots.tolist() == [2, 2]


def test_only_a_triangle_and_a_real_diagonal_are_read() -> None:
    H = _hermitian(lamina.tensor(_numbers(3, 3)))
    L = linalg.cholesky(H)
    lamina.testing.assert_close(linalg.cholesky(H.tril() + 1j * lamina.eye(3)), L)
    lamina.testing.assert_close(linalg.eigvalsh(H.tril() + 1j * lamina.eye(3)), linalg.eigvalsh(H))
    assert linalg.cholesky_ex(H - 1e3 * lamina.eye(3)).info.item() == 1
    with pytest.raises(linalg.LinAlgError, match="order 1 "):
        linalg.cholesky(-H)


def test_singular_and_empty_matrices() -> None:
    one = lamina.tensor([[1, 1j], [1j, -1]])
    assert linalg.matrix_rank(one).item() == 1
    lamina.testing.assert_close(linalg.pinv(one), one.mH / 4)
    sign, logarithm = linalg.slogdet(one)
    assert (sign.item(), logarithm.item()) == (0, -float("inf"))
    with pytest.raises(linalg.LinAlgError, match="singular"):
        linalg.inv(one)
    for norm in ("fro", "nuc", 1):
        assert linalg.cond(lamina.stack([one, lamina.eye(2) * 1j]), norm)[0].item() == float("inf")
    with pytest.raises(RuntimeError, match="atol tensor of complex type"):
        linalg.pinv(one, atol=lamina.tensor(1j))
    none = lamina.zeros(0, 0, dtype=lamina.complex64)
    assert linalg.det(none).item() == 1
    assert linalg.cond(none).dtype == lamina.float32
    assert [linalg.matrix_norm(none, ord).item() for ord in ("fro", "nuc", 1, 2, float("inf"))] == [0] * 5
    values, vectors = linalg.eig(lamina.zeros(2, 0, 0))
    assert (values.shape, vectors.shape, values.dtype) == ((2, 0), (2, 0, 0), lamina.complex64)


def test_shapes_and_types_on_meta() -> None:
    A = lamina.empty(2, 3, 3, dtype=lamina.complex64, device="meta")
    U, S, _ = linalg.svd(A)
    assert (U.dtype, S.dtype, S.shape) == (lamina.complex64, lamina.float32, (2, 3))
    assert linalg.eigvals(A.real).dtype == lamina.complex64


def test_what_lapack_has_not_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"Expected a floating point or complex tensor as input\. Got Long"):
        linalg.eig(lamina.ones(2, 2, dtype=lamina.int64))
    with pytest.raises(NotImplementedError, match="'Half'"):
        linalg.eigvals(lamina.ones(2, 2, dtype=lamina.float16))
    with pytest.raises(NotImplementedError, match="'ComplexHalf'"):
        linalg.svd(lamina.ones(2, 2, dtype=lamina.float16.to_complex()))
    with pytest.raises(RuntimeError, match="square matrices, but they are 2 by 3"):
        linalg.eig(lamina.ones(2, 3))
    with pytest.raises(RuntimeError, match="infs or NaNs"):
        linalg.eig(lamina.full((2, 2), float("nan")))
