"""Normalizations folded into the layer before them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn
from lamina.nn.utils import fuse_conv_bn_eval, fuse_linear_bn_eval


def _norm(kind: Any, affine: bool) -> Any:
    norm = kind(3, affine=affine)
    norm.running_mean.copy_(lamina.tensor([1.0, -2, 0.5]))
    norm.running_var.copy_(lamina.tensor([2.0, 0.5, 1.5]))
    if affine:
        norm.weight.data.copy_(lamina.tensor([1.5, -1, 2]))
        norm.bias.data.copy_(lamina.tensor([0.0, 1, -1]))
    return norm.eval()


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("transpose", [False, True])
def test_convolution(affine: bool, bias: bool, transpose: bool) -> None:
    conv = (nn.ConvTranspose2d if transpose else nn.Conv2d)(2, 3, 2, bias=bias).eval()
    norm, x = _norm(nn.BatchNorm2d, affine), lamina.rand(2, 2, 4, 4)
    fused = fuse_conv_bn_eval(conv, norm, transpose)
    np.testing.assert_allclose(fused(x).detach().numpy(), norm(conv(x)).detach().numpy(), rtol=1e-4, atol=1e-5)
    assert fused.weight.requires_grad
    with pytest.raises(AssertionError, match="Fusion only for eval"):
        fuse_conv_bn_eval(conv.train(), norm)


def test_linear() -> None:
    linear = nn.Linear(4, 3).eval()
    linear.weight.requires_grad_(False)
    norm, x = _norm(nn.BatchNorm1d, True), lamina.rand(5, 4)
    fused = fuse_linear_bn_eval(linear, norm)
    np.testing.assert_allclose(fused(x).detach().numpy(), norm(linear(x)).detach().numpy(), rtol=1e-4, atol=1e-5)
    assert (fused.weight.requires_grad, fused.bias.requires_grad) == (False, True)
