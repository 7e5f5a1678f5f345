"""SyncBatchNorm, which is batch norm where there is one process."""

from __future__ import annotations

from typing import Any

import pytest

import lamina
from lamina import nn


def test_sync_batch_norm_is_batch_norm_of_one_process() -> None:
    net = nn.Sequential(nn.BatchNorm1d(3, momentum=0.3), nn.ModuleDict({"a": nn.BatchNorm2d(2, affine=False)})).eval()
    copy: Any = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert copy is net
    assert type(net[0]) is type(net[1]["a"]) is nn.SyncBatchNorm
    assert list(net.state_dict()) == [
        *(f"0.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")),
        *(f"1.a.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")),
    ]
    assert (net[0].momentum, net[0].training, net[0].process_group) == (0.3, False, None)
    plain = nn.BatchNorm1d(3)
    norm: Any = nn.SyncBatchNorm.convert_sync_batchnorm(plain)
    assert norm.weight is plain.weight
    x = lamina.randn(5, 3, 4)
    lamina.testing.assert_close(norm(x), nn.BatchNorm1d(3)(x))
    assert plain.running_mean is norm.running_mean
    assert norm(lamina.randn(2, 3, 2, 2, 2, 2)).shape == (2, 3, 2, 2, 2, 2)
    with pytest.raises(ValueError, match="at least 2D input"):
        norm(x[0, 0])
