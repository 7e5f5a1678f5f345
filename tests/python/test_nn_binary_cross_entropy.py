"""binary_cross_entropy: what it is at certainty, and what it takes for a probability."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina.nn import functional as F


def test_bce_at_certainty() -> None:
    """Probabilities of exactly 0 and 1: the loss stops at 100 and the slope at 1e12, as PyTorch has it."""
    p = lamina.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    loss = F.binary_cross_entropy(p, lamina.tensor([1.0, 0.0, 0.0, 1.0]), reduction="none")
    assert loss.tolist() == [100, 100, 0, 0]
    loss.sum().backward()
    np.testing.assert_allclose(p.grad.numpy(), [-1e12, 1e12, 1, -1], rtol=1e-5)
    for outside in (-0.1, 1.5, float("nan")):
        with pytest.raises(RuntimeError, match="all elements of input should be between 0 and 1"):
            F.binary_cross_entropy(lamina.tensor([outside]), lamina.tensor([1.0]))
        with pytest.raises(RuntimeError, match="all elements of target should be between 0 and 1"):
            F.binary_cross_entropy(lamina.tensor([0.5]), lamina.tensor([outside]))
    x = lamina.tensor([2.0], requires_grad=True)
    before = lamina.plan_stats()
    F.binary_cross_entropy(lamina.sigmoid(x), lamina.tensor([1.0]))  # a sigmoid is not looked at
    assert lamina.plan_stats()["flushes"] == before["flushes"]


def test_bce_with_logits_is_stable() -> None:
    x = lamina.tensor([0.0, 200.0, -200.0], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, lamina.tensor([1.0, 0.0, 1.0]), reduction="none")
    np.testing.assert_allclose(loss.detach().numpy(), [np.log(2), 200, 200], rtol=1e-6)
    loss.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [-0.5, 1, -1], atol=1e-6)


def test_bce_with_logits_pos_weight() -> None:
    x, t = lamina.tensor([0.3, -0.7]), lamina.tensor([1.0, 0.25])
    plain = F.binary_cross_entropy_with_logits(x, t, reduction="none").numpy()
    ones = F.binary_cross_entropy_with_logits(x, t, pos_weight=lamina.ones(1), reduction="none").numpy()
    np.testing.assert_allclose(ones, plain, rtol=1e-6)
    tripled = F.binary_cross_entropy_with_logits(x, t, pos_weight=lamina.tensor([3.0]), reduction="none").numpy()
    log_p = -np.log1p(np.exp(-x.numpy()))
    np.testing.assert_allclose(tripled - plain, -2 * t.numpy() * log_p, rtol=1e-5)
