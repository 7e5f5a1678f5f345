"""Samples of the matrix products, in all of PyTorch's combinations of ranks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lamina

from .row import FLOATS, NUMBERS, Case, Op, case

__all__ = ["OPS"]


def _op(name: str, reference: Callable[..., Any], *cases: Case, **more: Any) -> Op:
    more.setdefault("dtypes", NUMBERS)
    return Op(name, reference, cases, rtol=1e-5, atol=2e-4, **more)


def _linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    product = x @ weight.T
    return product if bias is None else product + bias


def _addmm(x: np.ndarray, a: np.ndarray, b: np.ndarray, beta: int = 1, alpha: int = 1) -> np.ndarray:
    return np.asarray(beta, x.dtype) * x + np.asarray(alpha, x.dtype) * (a @ b)


def _triangle(a: Any, upper: bool, unit: bool) -> Any:
    """The half of matrices that counts, with a diagonal far from 0; of arrays or tensors."""
    library = np if isinstance(a, np.ndarray) else lamina
    kept = (library.triu if upper else library.tril)(a / (2 + a.shape[-1]), (1 if upper else -1))
    return kept if unit else kept + library.tril(library.triu(2 + a * a / 9))


def _solve_triangle(a: np.ndarray, b: np.ndarray, upper: bool, unit: bool) -> np.ndarray:
    whole = _triangle(a, upper, unit) + (np.eye(a.shape[-1]) if unit else 0)
    return np.linalg.solve(whole, b)


OPS: tuple[Op, ...] = (
    Op(
        "solve_triangle",
        _solve_triangle,
        tuple(
            case((*batch, n, n), (*batch, n, m), args=(upper, unit), large=n > 100)
            for batch, n, m, upper, unit in (
                ((), 3, 2, False, False),
                ((), 3, 2, True, False),
                ((), 5, 1, False, True),
                ((), 6, 3, True, True),
                ((2, 2), 4, 3, False, False),
                ((3,), 1, 2, True, False),
                ((0,), 3, 2, False, False),
                ((), 0, 2, True, False),
                ((), 3, 0, True, True),
                ((), 33, 70, False, False),
                ((), 190, 300, True, False),
            )
        ),
        dtypes=FLOATS,
        rtol=1e-5,
        atol=2e-5,
        signed_zero=False,
        extremes=False,
        call=lambda a, b, upper, unit: lamina._core._solve_triangle(_triangle(a, upper, unit), b, upper, unit),
    ),
    _op(
        "matmul",
        np.matmul,
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (3, 4)),
        case((2, 3), (3, 4)),
        case((1, 5), (5, 1)),
        case((2, 2, 3), (3,)),
        case((3,), (2, 3, 2)),
        case((2, 2, 3), (3, 2)),
        case((2, 3), (2, 3, 2)),
        case((2, 2, 3), (2, 3, 2)),
        case((2, 1, 2, 3), (3, 3, 2)),
        case((0, 3), (3, 4)),
        case((2, 0), (0, 4)),
        case((2, 3), (3, 0)),
        case((0, 2, 3), (3, 2)),
        case((17, 33), (33, 29)),
        case((1, 67), (67, 45)),
        case((301, 257), (257, 129), large=True),
        case((4, 65, 70), (4, 70, 66), large=True),
        rejected=("bool",),
    ),
    _op("mm", np.matmul, case((2, 3), (3, 4)), case((2, 0), (0, 3)), case((1, 1), (1, 1)), case((31, 18), (18, 37))),
    _op("bmm", np.matmul, case((2, 2, 3), (2, 3, 2)), case((0, 2, 3), (0, 3, 2)), case((3, 9, 17), (3, 17, 5))),
    _op("mv", np.matmul, case((2, 3), (3,)), case((0, 3), (3,)), case((33, 67), (67,))),
    _op("dot", np.dot, case((3,), (3,)), case((0,), (0,)), case((67,), (67,))),
    Op("dot", np.dot, (case((120_001,), (120_001,), large=True),), dtypes=NUMBERS, rtol=1e-5, atol=1e-2),
    _op(
        "addmm",
        _addmm,
        case((2, 4), (2, 3), (3, 4)),
        case((4,), (2, 3), (3, 4)),
        case((2, 1), (2, 3), (3, 4)),
        case((2, 4), (2, 3), (3, 4), beta=2, alpha=3),
        case((4,), (0, 3), (3, 4)),
    ),
    _op(
        "linear",
        _linear,
        case((2, 3), (4, 3), (4,)),
        case((2, 3), (4, 3)),
        case((3,), (4, 3), (4,)),
        case((2, 2, 3), (4, 3), (4,)),
        case((0, 3), (4, 3), (4,)),
        case((2, 20), (256, 20), (256,)),
        case((33, 64), (10, 64), (10,)),
        case((128, 300), (200, 300), (200,), large=True),
        dtypes=FLOATS,
        call=lambda *operands: lamina.nn.functional.linear(*operands),
    ),
)
