"""optim.Muon against its formula; in bfloat16, so the numbers agree to its digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn, optim


def _expected(weight: Any, gradients: Any, o: dict[str, Any]) -> Any:
    buffer = np.zeros_like(weight)
    rows, columns = weight.shape
    scale = 0.2 * max(rows, columns) ** 0.5 if o["adjust_lr_fn"] == "match_rms_adamw" else max(1, rows / columns) ** 0.5
    for gradient in gradients:
        buffer = o["momentum"] * buffer + (1 - o["momentum"]) * gradient
        direction = gradient + (buffer - gradient) * o["momentum"] if o["nesterov"] else buffer
        left, values, right = np.linalg.svd(direction, full_matrices=False)
        values = values / np.linalg.norm(values)
        for _ in range(5):
            values = 3.4445 * values - 4.775 * values**3 + 2.0315 * values**5
        weight = weight * (1 - o["lr"] * o["weight_decay"]) - o["lr"] * scale * (left * values) @ right
    return weight


@pytest.mark.parametrize("shape", [(4, 3), (3, 5)])
@pytest.mark.parametrize("changed", [{}, {"nesterov": False, "momentum": 0.5}, {"adjust_lr_fn": "match_rms_adamw"}])
def test_steps(shape: tuple[int, int], changed: dict[str, Any]) -> None:
    options = {"lr": 0.1, "weight_decay": 0.2, "momentum": 0.9, "nesterov": True, "adjust_lr_fn": None, **changed}
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal(shape), rng.standard_normal((3, *shape))
    weight = nn.Parameter(lamina.tensor(start, dtype=lamina.float32))
    optimizer = optim.Muon([weight], **options)
    for gradient in gradients:
        weight.grad = lamina.tensor(gradient, dtype=lamina.float32)
        optimizer.step()
    np.testing.assert_allclose(weight.detach().numpy(), _expected(start, gradients, options), atol=0.01)
    assert list(optimizer.state[weight]) == ["momentum_buffer"]


def test_misuse() -> None:
    matrix = nn.Parameter(lamina.ones(2, 2))
    with pytest.raises(ValueError, match="only supports 2D parameters"):
        optim.Muon([nn.Parameter(lamina.ones(3))])
    with pytest.raises(ValueError, match="momentum should be >= 0"):
        optim.Muon([matrix], momentum=-1)
    with pytest.raises(ValueError, match="function fast is not supported"):
        optim.Muon([matrix], adjust_lr_fn="fast")
    matrix.grad = lamina.ones(2, 2)
    with pytest.raises(ValueError, match="less than 100"):
        optim.Muon([matrix], ns_steps=100).step()
