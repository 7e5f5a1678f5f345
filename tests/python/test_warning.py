"""Warnings stand at the line of the program, however much of lamina lies between."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

import lamina
from lamina import nn, optim
from lamina.nn import functional as F
from lamina.utils.data import DataLoader

if TYPE_CHECKING:
    from collections.abc import Callable

_X = lamina.ones(2, 3)


class _Hooked(nn.Module):
    def forward(self, x: lamina.Tensor) -> list[lamina.Tensor]:
        return [x * 2]


def _hooked() -> None:
    net = _Hooked()
    net.register_full_backward_hook(lambda *_: None)
    net(lamina.ones(2, requires_grad=True))


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.softmax(_X),
        lambda: nn.Sequential(nn.Softmin())(_X),
        lambda: nn.Sequential(nn.MSELoss(reduce=False)),
        lambda: F.mse_loss(_X, _X[0]),
        lambda: nn.KLDivLoss()(_X, _X),
        lambda: nn.Sequential(nn.Dropout2d())(_X),
        lambda: nn.Linear(0, 2),
        lambda: nn.LSTM(2, 3, dropout=0.5),
        lambda: nn.RNNBase("GRU", 2, 3, dropout=0.5),
        lambda: nn.InstanceNorm1d(4)(_X),
        lambda: nn.Linear(1, 1, device="meta").load_state_dict(nn.Linear(1, 1).state_dict()),
        lambda: nn.Sequential(nn.Linear(1, 1)).to(lamina.complex64),
        lambda: optim.Adam([_X, _X]),
        lambda: optim.lr_scheduler.StepLR(optim.SGD([_X]), 2).step(),
        lambda: next(iter(DataLoader([1, 2], pin_memory=True))),
        lambda: lamina.autocast("cpu", lamina.float32),
        _hooked,
    ],
)
def test_a_warning_stands_at_the_callers_line(call: Callable[[], object]) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        call()
    assert warned
    assert {warning.filename for warning in warned} == {__file__}
