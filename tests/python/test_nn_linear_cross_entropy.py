"""linear_cross_entropy: the cross entropy of linear's scores, and the same by chunks of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn
from lamina.nn import functional as F


def _losses(function: Any) -> list[np.ndarray]:
    lamina.manual_seed(0)
    x, weight, bias = (lamina.randn(*shape, requires_grad=True) for shape in ((13, 5), (7, 5), (7,)))
    target = lamina.tensor([0, 2, 6, 2, 4, 1, 1, 3, 5, 2, 0, 6, 4])
    loss = function(x, weight, target, bias)
    (loss * (lamina.arange(loss.numel()) + 1).reshape(loss.shape)).sum().backward()
    return [part.detach().numpy() for part in (loss, x.grad, weight.grad, bias.grad)]


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("ignore_index", [None, 2])
def test_chunks_are_the_cross_entropy_of_linear(reduction: str, ignore_index: int | None) -> None:
    weights = lamina.linspace(0.5, 2, 7)
    ignored = -100 if ignore_index is None else ignore_index
    expected = _losses(
        lambda x, w, t, b: F.cross_entropy(F.linear(x, w, b), t, weights, None, ignored, None, reduction)
    )
    for options in (None, nn.LinearCrossEntropyOptions(), nn.LinearCrossEntropyOptions(batch_chunk_size=4)):
        found = _losses(
            lambda x, w, t, b, options=options: F.linear_cross_entropy(
                x,
                w,
                t,
                linear_bias=b,
                weight=weights,
                reduction=reduction,
                ignore_index=ignore_index,
                options=options,
            )
        )
        for got, wanted in zip(found, expected):
            np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=1e-6)


def test_chunks_by_the_aspect_ratio() -> None:
    rows = nn.LinearCrossEntropyOptions(chunking_method="aspect_ratio").rows
    assert [rows(1000, 64, 6400), rows(1000, 64, 16), rows(3, 64, 1 << 20)] == [16, 1000, 1]
    assert nn.LinearCrossEntropyOptions().rows(1000, 64, 6400) == 8
    assert nn.LinearCrossEntropyOptions(chunking_method=None).rows(1000, 64, 6400) == 1000
    for wrong in ({"chunking_method": "aspect_ratio:0"}, {"batch_chunk_size": 0}, {"acc_policy": "exact"}):
        with pytest.raises(ValueError, match=r"invalid|positive"):
            nn.LinearCrossEntropyOptions(**wrong)


def test_the_module_has_a_linear_layer_and_scores_of_several_axes() -> None:
    lamina.manual_seed(0)
    loss = nn.LinearCrossEntropyLoss(5, 10, out_features=(4, 3), bias=True)
    x, target = lamina.randn(2, 5), lamina.randint(0, 10, (2, 4, 3))
    scores = loss.linear(x).reshape(2, 10, 4, 3)
    np.testing.assert_allclose(loss(x, target).item(), F.cross_entropy(scores, target).item(), rtol=1e-6)
    with pytest.warns(UserWarning, match="``options`` ignored"):
        F.linear_cross_entropy(
            lamina.ones(2, 5), lamina.ones(3, 5), lamina.ones(2, 3), options=nn.LinearCrossEntropyOptions()
        )
    assert "num_classes=10, out_features=(4, 3), bias=True" in repr(loss)


def test_linear_cross_entropy_refuses_shapes_that_do_not_fit() -> None:
    x, weight, target = lamina.ones(2, 5), lamina.ones(3, 5), lamina.tensor([0, 1])
    for message, arguments, options in (
        ("dimensionality 1 or 2, got 3", (lamina.ones(1, 2, 5), weight, target), {}),
        ("at least 2, got 1", (x, weight[0], target), {}),
        ("got 5 and 4", (x, lamina.ones(3, 4), target), {}),
        (r"linear_bias shape \(3,\), got \(2,\)", (x, weight, target), {"linear_bias": lamina.ones(2)}),
        ("requires batched input", (x[0], lamina.ones(3, 2, 5), target), {}),
        ("ignore_index cannot be specified", (x, weight, lamina.ones(2, 3)), {"ignore_index": 0}),
    ):
        with pytest.raises(RuntimeError, match=message):
            F.linear_cross_entropy(*arguments, **options)
