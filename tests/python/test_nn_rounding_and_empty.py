"""Where PyTorch's rounding or its word on empty batches decides what nn.functional gives."""

from __future__ import annotations

import pytest

import lamina
from lamina.nn import functional as F


def test_batch_norm_learns_nothing_from_an_empty_batch() -> None:
    mean, var, weight = lamina.full((3,), 5.0), lamina.ones(3), lamina.ones(3, requires_grad=True)
    y = F.batch_norm(lamina.zeros(0, 3, 2), mean, var, weight, training=True)
    y.sum().backward()
    assert tuple(y.shape) == (0, 3, 2)
    assert mean.tolist() == [5, 5, 5]
    assert var.tolist() == [1, 1, 1]
    assert weight.grad is not None
    assert weight.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("mode", "old", "new", "dtype", "first"),
    [  # where PyTorch's 1 begins: exact arithmetic would say half of `new`
        ("nearest", 2, 82, lamina.float32, 42),
        ("nearest", 2, 82, lamina.float64, 41),
        ("nearest-exact", 2, 49, lamina.float32, 24),
        ("nearest-exact", 2, 41, lamina.float32, 20),
        ("nearest-exact", 2, 61, lamina.float32, 31),
    ],
)
def test_nearest_rounds_as_pytorch(mode: str, old: int, new: int, dtype: lamina.dtype, first: int) -> None:
    line = lamina.arange(old, dtype=dtype).reshape(1, 1, old)
    assert F.interpolate(line, new, mode=mode)[0, 0].tolist() == [0.0] * first + [1.0] * (new - first)


def test_multi_margin_loss_has_its_targets_shape() -> None:
    losses = [
        F.multi_margin_loss(lamina.ones(3), target, reduction="none")
        for target in (lamina.tensor([0]), lamina.tensor(0))
    ]
    assert [tuple(loss.shape) for loss in losses] == [(1,), ()]
