"""svd_lowrank and pca_lowrank."""

from __future__ import annotations

import numpy as np
import pytest

import lamina


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (3, 20, 12)])
def test_svd_lowrank_of_a_matrix_of_that_rank(shape: tuple[int, ...]) -> None:
    lamina.manual_seed(0)
    left, right = lamina.randn(*shape[:-1], 5, dtype=lamina.float64), lamina.randn(5, shape[-1], dtype=lamina.float64)
    A = (left @ right).requires_grad_()
    U, S, V = lamina.svd_lowrank(A, 5)
    np.testing.assert_allclose((U * S.unsqueeze(-2) @ V.mH).detach().numpy(), A.detach().numpy(), atol=1e-9)
    np.testing.assert_allclose(S.detach().numpy(), np.linalg.svd(A.detach().numpy())[1][..., :5])
    # The derivative of the sum of the squares of all singular values.
    (slope,) = lamina.autograd.grad(S.square().sum(), A)
    np.testing.assert_allclose(slope.numpy(), 2 * A.detach().numpy(), atol=1e-7)
    shifted = lamina.svd_lowrank(A + 1, 5, M=lamina.ones(1, dtype=lamina.float64))
    np.testing.assert_allclose(shifted[1].detach().numpy(), S.detach().numpy())


def test_pca_lowrank_finds_the_directions_of_centered_samples() -> None:
    lamina.manual_seed(1)
    samples = lamina.randn(60, 2, dtype=lamina.float64) @ lamina.randn(2, 8, dtype=lamina.float64) + 3
    _, S, V = lamina.pca_lowrank(samples, 2)
    centered = samples.numpy() - samples.numpy().mean(0)
    np.testing.assert_allclose(S.numpy(), np.linalg.svd(centered)[1][:2])
    np.testing.assert_allclose(
        (samples - samples.mean(0) - (samples - samples.mean(0)) @ V @ V.T).numpy(), 0, atol=1e-9
    )
    assert [tuple(part.shape) for part in lamina.pca_lowrank(lamina.ones(4, 9))] == [(4, 4), (4,), (9, 4)]


def test_low_rank_refuses_other_ranks_and_iterations() -> None:
    A = lamina.ones(4, 3)
    for function in (lamina.svd_lowrank, lamina.pca_lowrank):
        with pytest.raises(ValueError, match=r"q\(=4\) must be non-negative"):
            function(A, 4)
        with pytest.raises(ValueError, match=r"niter\(=-1\)"):
            function(A, 2, niter=-1)
