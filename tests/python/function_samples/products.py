"""Rows of products, norms and solvers."""

from __future__ import annotations

import math

import numpy as np

from .row import Array, row, x

__all__ = ["LINALG", "PRODUCTS"]

SYMMETRIC = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.7], [0.5, -0.7, 2.0]])
REGULAR = np.array(
    [[[0.0, 2.0, 1.0], [1.0, 0.5, -1.0], [3.0, 0.2, 0.1]], [[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]]]
)


def least_squares(a: Array, b: Array) -> tuple[Array, ...]:
    solution, residuals, rank, values = np.linalg.lstsq(a, b, rcond=None)
    return solution, residuals, np.int64(rank), values


def lu_by_rows(a: Array) -> tuple[Array, ...]:
    """Gauss's elimination, a matrix and a row at a time."""
    if a.ndim > 2:
        return tuple(np.stack(parts) for parts in zip(*map(lu_by_rows, a)))
    m, n = a.shape
    order, lower, upper = np.arange(m), np.eye(m, min(m, n)), a.copy()
    for step in range(min(m, n)):
        best = step + np.argmax(np.abs(upper[step:, step]))
        for rows in (order, upper, lower[:, :step]):
            rows[[step, best]] = rows[[best, step]]
        for below in range(step + 1, m):
            lower[below, step] = upper[below, step] / upper[step, step]
            upper[below] -= lower[below, step] * upper[step]
    return np.eye(m)[order].T, lower, np.triu(upper[:n])


def only_values(a: Array, *_: bool) -> tuple[Array, ...]:
    m, n = a.shape
    return np.zeros((m, m)), np.linalg.svd(a, compute_uv=False), np.zeros((n, n))


def raw_factors(a: Array) -> tuple[Array, Array]:
    raw, tau = np.linalg.qr(a, "raw")
    return np.swapaxes(raw, -1, -2), tau


def reflected(a: Array, tau: Array) -> Array:
    m, n = a.shape[-2:]
    product = np.broadcast_to(np.eye(m), (*a.shape[:-2], m, m))
    for i in range(tau.shape[-1]):
        v = np.where(np.arange(m) > i, a[..., i], np.eye(m)[i])
        product = product - tau[..., i, None, None] * (product @ v[..., :, None]) * v[..., None, :]
    return product[..., :n]


def exponential(a: Array) -> Array:
    values, vectors = np.linalg.eig(a)
    return np.asarray((vectors * np.exp(values)[..., None, :] @ np.linalg.inv(vectors)).real)


PRODUCTS = [
    row(
        "addmv", x(2), x(2, 3), x(3), beta=0.5, alpha=2, reference=lambda c, a, b, beta, alpha: beta * c + alpha * a @ b
    ),
    row("addr", x(2, 3), x(2), x(3), reference=lambda c, a, b: c + np.outer(a, b)),
    row("addbmm", x(2, 2), x(3, 2, 4), x(3, 4, 2), beta=2, reference=lambda c, a, b, beta: beta * c + (a @ b).sum(0)),
    row("baddbmm", x(3, 2, 2), x(3, 2, 4), x(3, 4, 2), alpha=0.3, reference=lambda c, a, b, alpha: c + alpha * (a @ b)),
    row("outer", x(2), x(3), reference=np.outer),
    row("ger", x(2), x(3), reference=np.outer),
    row("vdot", x(3), x(3, seed=1), reference=np.vdot),
    row("inner", x(2, 3), x(4, 3), reference=np.inner),
    row("inner", x(), x(2, 2), reference=np.inner),
    row("kron", x(2, 2), x(1, 3), reference=np.kron),
    row("kron", x(2), x(2, 2), reference=np.kron),
    row("cross", x(2, 3), x(1, 3, seed=1), -1, reference=lambda a, b, d: np.cross(a, b)),
    row("cross", x(3, 2), x(3, 2, seed=1), 0, reference=lambda a, b, d: np.cross(a, b, axis=d)),
    row("linalg.cross", x(3, 3), x(1, 3, seed=1), reference=np.cross),
    row("linalg.cross", x(3, 2), x(3, 2, seed=1), dim=0, reference=lambda a, b, dim: np.cross(a, b, axis=dim)),
    row("tensordot", x(2, 3, 2), x(3, 2, 4), reference=np.tensordot),
    row("tensordot", x(2, 3), x(4, 2, 3), dims=([0, 1], [1, 2]), reference=lambda a, b, dims: np.tensordot(a, b, dims)),
    row("tensordot", x(2), x(3), 0, reference=np.tensordot),
    *(
        row("einsum", equation, *(x(*shape, seed=place) for place, shape in enumerate(shapes)), reference=np.einsum)
        for equation, shapes in [
            ("ij,jk->ik", [(2, 3), (3, 2)]),
            ("bij,bjk", [(2, 2, 3), (2, 3, 2)]),
            ("ii->i", [(3, 3)]),
            ("ii", [(3, 3)]),
            ("ij->", [(2, 3)]),
            ("i,j->ji", [(2,), (3,)]),
            ("...ij,...j->i...", [(2, 3, 4), (4,)]),
            ("i,ij,j", [(2,), (2, 3), (3,)]),
            ("ba, ac , cd -> bd", [(2, 2), (2, 3), (3, 2)]),
            ("iij,jk->ik", [(2, 2, 3), (3, 2)]),
            ("i,i->i", [(3,), (3,)]),
        ]
    ),
]

LINALG = [
    row("linalg.vector_norm", x(2, 3), reference=lambda a: np.sqrt((a**2).sum())),
    row("linalg.vector_norm", x(2, 3), 3, 1, reference=lambda a, p, d: np.linalg.norm(a, p, d)),
    row("linalg.norm", x(2, 3), "fro", reference=np.linalg.norm),
    *(row("linalg.norm", x(2, 3), p, reference=np.linalg.norm) for p in (1, -1, math.inf, -math.inf)),
    row(
        "linalg.matrix_norm",
        x(2, 3, 2, low=-1.0),
        1,
        (0, 2),
        True,
        reference=lambda a, p, d, k: np.linalg.norm(a, p, d, k),
    ),
    row("linalg.vecdot", x(2, 3), x(3), reference=lambda a, b: (a * b).sum(-1)),
    row("linalg.inv", REGULAR, reference=np.linalg.inv),
    row("linalg.solve", REGULAR, x(2, 3, 2), reference=np.linalg.solve),
    row("linalg.solve", REGULAR[0], x(3), reference=np.linalg.solve),
    row("linalg.solve", REGULAR[1], x(2, 3), left=False, reference=lambda a, b, left: b @ np.linalg.inv(a)),
    row(
        "linalg.solve_triangular",
        SYMMETRIC,
        x(2, 3, 2),
        upper=False,
        reference=lambda a, b, upper: np.linalg.solve(np.tril(a), b),
    ),
    row(
        "linalg.solve_triangular",
        SYMMETRIC,
        x(2, 3),
        upper=True,
        left=False,
        unitriangular=True,
        reference=lambda a, b, upper, left, unitriangular: b @ np.linalg.inv(np.triu(a, 1) + np.eye(3)),
    ),
    row("cholesky_solve", x(3, 2), SYMMETRIC, reference=lambda b, a: np.linalg.solve(np.tril(a) @ np.tril(a).T, b)),
    row("cholesky_inverse", SYMMETRIC, reference=lambda a: np.linalg.inv(np.tril(a) @ np.tril(a).T)),
    row("linalg.svd", x(4, 3), False, reference=np.linalg.svd),
    row("linalg.svd", x(2, 3, 4), gradient=False, reference=np.linalg.svd),
    row("linalg.svdvals", x(2, 3, 4), reference=lambda a: np.linalg.svd(a, compute_uv=False)),
    row("linalg.eigh", SYMMETRIC, gradient=False, reference=np.linalg.eigh),
    row("linalg.eigvalsh", SYMMETRIC, "U", gradient=False, reference=np.linalg.eigvalsh),
    row("linalg.qr", x(2, 4, 3), reference=np.linalg.qr),
    row("linalg.qr", x(2, 3, 4), reference=np.linalg.qr),
    row("linalg.qr", x(3, 4), "complete", reference=np.linalg.qr),
    row("linalg.pinv", x(4, 3), reference=np.linalg.pinv),
    row("pinverse", x(3, 4), reference=np.linalg.pinv),
    row("qr", x(3, 4), reference=np.linalg.qr),
    row("svd", x(3, 3), False, False, reference=only_values, gradient=False),
    row("geqrf", x(2, 4, 3), reference=raw_factors, gradient=False),
    row("linalg.householder_product", x(2, 4, 3), x(2, 2), reference=reflected),
    row("orgqr", x(3, 3), x(3), reference=reflected),
    row("ormqr", x(3, 3), x(3), x(3, 2), reference=lambda a, tau, b: reflected(a, tau) @ b),
    row("ormqr", x(3, 3), x(3), x(2, 3), False, True, reference=lambda a, tau, b, *_: b @ reflected(a, tau).T),
    row(
        "triangular_solve",
        x(3, 2),
        x(2, 3, 3) + 3 * np.eye(3),
        False,
        reference=lambda b, a, _: (np.linalg.inv(np.tril(a)) @ b, a),  # NumPy 1's solve would take b for vectors
    ),
    row(
        "triangular_solve",
        x(3, 2),
        REGULAR[0],
        transpose=True,
        unitriangular=True,
        reference=lambda b, a, **_: (np.linalg.solve(np.triu(a, 1).T + np.eye(3), b), a),
    ),
    row("linalg.pinv", x(2, 3, 4), reference=np.linalg.pinv),
    row("linalg.lstsq", x(4, 3), x(4, 2), gradient=False, reference=least_squares),
    row("linalg.matrix_rank", np.ones((2, 3, 4)), gradient=False, reference=np.linalg.matrix_rank),
    row("linalg.cond", REGULAR, reference=np.linalg.cond),
    row("linalg.cond", SYMMETRIC, 1, reference=lambda a, p: np.linalg.cond(a, p)),
    row("linalg.matrix_norm", x(2, 3, 2), "nuc", reference=lambda a, p: np.linalg.norm(a, p, (1, 2))),
    row("linalg.matrix_norm", x(2, 3, 2), 2, (0, 1), True, reference=np.linalg.norm),
    row("linalg.det", REGULAR, reference=np.linalg.det),
    row("linalg.slogdet", REGULAR, reference=lambda a: tuple(np.linalg.slogdet(a))),
    row("linalg.logdet", SYMMETRIC, reference=lambda a: np.linalg.slogdet(a)[1]),
    row(
        "linalg.cholesky_ex",
        SYMMETRIC,
        reference=lambda a: (np.linalg.cholesky(a), np.int32(0)),
        gradient=False,
    ),
    row("linalg.cholesky", SYMMETRIC, reference=np.linalg.cholesky, gradient=False),
    row("linalg.lu", x(2, 3, 4), reference=lu_by_rows),
    row("linalg.lu", x(4, 3), reference=lu_by_rows),
    row("linalg.inv_ex", REGULAR, reference=lambda a: (np.linalg.inv(a), np.zeros(a.shape[:-2], np.int32))),
    row(
        "linalg.solve_ex",
        REGULAR,
        x(4, 3),
        left=False,
        reference=lambda a, b, left: (b @ np.linalg.inv(a), np.zeros(a.shape[:-2], np.int32)),
    ),
    row("linalg.diagonal", x(2, 3, 3), offset=1, reference=lambda a, offset: np.diagonal(a, offset, 1, 2)),
    row("linalg.tensorinv", REGULAR[0].reshape(3, 1, 3), reference=np.linalg.tensorinv),
    row("linalg.tensorsolve", REGULAR[0].reshape(3, 3, 1), x(3), reference=np.linalg.tensorsolve),
    row("linalg.vander", x(3), N=4, reference=lambda a, N: np.vander(a, N, increasing=True)),
    row("linalg.matrix_exp", x(2, 3, 3), reference=exponential),
    row("matrix_exp", 5 * x(3, 3), gradient=False, reference=exponential),
    row("chain_matmul", x(2, 3), x(3, 4), x(4, 2), reference=lambda *chain: np.linalg.multi_dot(chain)),
    row("linalg.matrix_power", REGULAR, 5, reference=np.linalg.matrix_power),
    row("linalg.matrix_power", REGULAR, -2, reference=np.linalg.matrix_power),
    row("linalg.multi_dot", [x(3), x(3, 2), x(2, 4)], reference=np.linalg.multi_dot),
]
