"""Gradient functions of composed functions are called as in PyTorch, and naming leaves operands alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import lamina

MATRIX = lamina.tensor([[0.1, 0.6, 0.3], [0.7, 0.2, 0.9], [0.5, 0.8, 0.4]])
BATCH = lamina.arange(18.0).reshape(2, 3, 3)
INDEX = lamina.tensor([0, 1, 2])

NAMES: dict[str, Callable[[Any], Any]] = {
    "AddcdivBackward0": lambda x: x.addcdiv(x, x),
    "AddcmulBackward0": lambda x: x.addcmul(x, x),
    "AddmvBackward0": lambda x: x[0].addmv(x, x[1]),
    "AminmaxBackward0": lambda x: x.aminmax().min,
    "BaddbmmBackward0": lambda x: BATCH.baddbmm(BATCH, BATCH * x),
    "CatBackward0": lambda x: lamina.hstack([x, x]),
    "CummaxBackward0": lambda x: x.cummax(0).values,
    "Deg2RadBackward0": lambda x: x.deg2rad(),
    "DiagEmbedBackward0": lambda x: x[0].diag(),
    "DiagonalBackward0": lambda x: x.diagonal(),
    "DistBackward0": lambda x: x.dist(x + 1),
    "ExpandBackward0": lambda x: x.broadcast_to((2, 3, 3)),
    "FlipBackward0": lambda x: x.fliplr(),
    "FmaxBackward0": lambda x: x.fmax(MATRIX),
    "GatherBackward0": lambda x: x.take_along_dim(x.argsort(0), 0),
    "HypotBackward0": lambda x: x.hypot(x),
    "IndexAddBackward0": lambda x: x.index_add(0, INDEX, x),
    "IndexCopyBackward0": lambda x: x.index_copy(0, INDEX, x),
    "IndexFillBackward0": lambda x: x.index_fill(0, INDEX[:1], 1.0),
    "IndexPutBackward0": lambda x: x.index_put((INDEX,), x),
    "KthvalueBackward0": lambda x: x.kthvalue(1).values,
    "LerpBackward0": lambda x: x.lerp(MATRIX, 0.5),
    "LogaddexpBackward0": lambda x: x.logaddexp(x),
    "LogcumsumexpBackward0": lambda x: x.logcumsumexp(0),
    "LogitBackward0": lambda x: x.logit(),
    "MaskedFillBackward0": lambda x: x.masked_fill(MATRIX > 0.5, 0),
    "MaskedSelectBackward0": lambda x: x.masked_select(MATRIX > 0.5),
    "MedianBackward0": lambda x: x.median(),
    "MedianBackward1": lambda x: x.median(0).values,
    "NanToNumBackward0": lambda x: x.nan_to_num(),
    "NansumBackward0": lambda x: x.nansum(),
    "PermuteBackward0": lambda x: x.movedim(0, 1),
    "RepeatBackward0": lambda x: x.repeat(2, 1),
    "RollBackward0": lambda x: x.roll(1, 0),
    "SincBackward0": lambda x: x.sinc(),
    "StdMeanBackward0": lambda x: lamina.std_mean(x)[0],
    "TakeBackward0": lambda x: x.take(INDEX),
    "TraceBackward0": lambda x: x.trace(),
    "TransposeBackward0": lambda x: x.swapaxes(0, 1),
    "TrilBackward0": lambda x: x.tril(),
    "UnfoldBackward0": lambda x: x.unfold(0, 2, 1),
    "VarMeanBackward0": lambda x: lamina.var_mean(x)[0],
    "XlogyBackward0": lambda x: lamina.xlogy(x, x),
}


@pytest.mark.parametrize("name", NAMES)
def test_name(name: str) -> None:
    leaf = MATRIX.clone().requires_grad_()
    computed = leaf * 1
    result = NAMES[name](computed)
    assert result.grad_fn.name() == name
    assert repr(result).endswith(f"grad_fn=<{name}>)")
    assert computed.grad_fn is not None
    assert computed.grad_fn.name() == "MulBackward0"
    assert leaf.is_leaf


def test_results_without_gradient_have_no_name() -> None:
    assert MATRIX.tril().grad_fn is None
    with lamina.no_grad():
        assert MATRIX.clone().requires_grad_().tril().grad_fn is None
