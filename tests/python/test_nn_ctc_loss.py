"""ctc_loss against the sum over all paths."""

from __future__ import annotations

import itertools
from math import inf
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.autograd import gradcheck
from lamina.nn import functional as F


def _all_paths(steps: np.ndarray[Any, Any], target: list[int], blank: int) -> float:
    """The sum over all labellings of the steps that are the target once repeats and blanks are dropped."""
    total = 0.0
    for path in itertools.product(range(steps.shape[1]), repeat=len(steps)):
        seen = [label for n, label in enumerate(path) if label != blank and (n == 0 or path[n - 1] != label)]
        if seen == target:
            total += float(np.exp(sum(steps[n, label] for n, label in enumerate(path))))
    return total


def test_ctc_loss_sums_all_paths() -> None:
    scores = lamina.tensor(np.random.default_rng(1).standard_normal((4, 3, 3)), requires_grad=True)
    targets, inputs, lengths = [[1, 1], [2, 1], [0, 0]], [4, 3, 2], [2, 2, 0]

    def loss(scores: lamina.Tensor, reduction: str = "none", **options: Any) -> lamina.Tensor:
        return F.ctc_loss(scores.log_softmax(-1), lamina.tensor(targets), inputs, lengths, 0, reduction, **options)

    logs = scores.log_softmax(-1).detach().numpy()
    sums = [_all_paths(logs[: inputs[n], n], targets[n][: lengths[n]], 0) for n in range(3)]
    np.testing.assert_allclose(loss(scores).detach().numpy(), -np.log(sums), rtol=1e-10)
    np.testing.assert_allclose(loss(scores, "mean").item(), np.mean(-np.log(sums) / [2, 2, 1]), rtol=1e-10)
    assert gradcheck(lambda s: loss(s), [scores])
    packed = F.ctc_loss(scores.log_softmax(-1), lamina.tensor([1, 1, 2, 1]), inputs, lengths, reduction="none")
    assert lamina.equal(packed, loss(scores))
    # Two equal labels need a blank between them: three steps.
    inputs = [2, 3, 2]
    assert loss(scores)[0].item() == inf
    finite = loss(scores, zero_infinity=True)
    assert finite[0].item() == 0
    (gradient,) = lamina.autograd.grad(finite.sum(), scores)
    assert np.isfinite(gradient.numpy()).all()
    assert not gradient[:, 0].any()
    (gradient,) = lamina.autograd.grad(loss(scores).sum(), scores)
    assert gradient[:2, 0].isnan().all()
    assert gradient[:, 1:].isfinite().all()
    for wrong in ({"inputs": [5, 3, 2]}, {"inputs": [2, 3]}, {"inputs": [2, -1, 1]}):
        (inputs,) = wrong.values()
        with pytest.raises(RuntimeError, match="input_lengths"):
            loss(scores)


def test_a_target_may_hold_the_blank() -> None:
    steps = lamina.tensor(np.random.default_rng(2).standard_normal((2, 1, 3))).log_softmax(-1)
    found = F.ctc_loss(steps, lamina.tensor([[1, 0]]), [2], [2], reduction="none")
    np.testing.assert_allclose(found.item(), -(steps[0, 0, 1] + steps[1, 0, 0]).item(), rtol=1e-10)
    with pytest.raises(NotImplementedError, match="Half"):
        F.ctc_loss(steps.half(), lamina.tensor([[1, 0]]), [2], [2])
