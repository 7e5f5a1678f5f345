"""Which types nn.functional takes together, and which it refuses in PyTorch's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import lamina
from lamina.nn import functional as F

ones = lamina.ones
FLOATING_ONLY = {
    F.elu: "elu_cpu",
    F.selu: "elu_cpu",
    F.celu: "elu_cpu",
    F.gelu: "GeluKernelImpl",
    F.silu: "silu_cpu",
    F.mish: "mish_cpu",
    F.hardswish: "hardswish_cpu",
    F.hardsigmoid: "hardsigmoid_cpu",
    F.leaky_relu: "leaky_relu_cpu",
    F.logsigmoid: "log_sigmoid_cpu",
    F.softplus: "softplus_cpu",
    F.softshrink: "softshrink_check",
    F.hardshrink: "hardshrink_cpu",
    F.glu: "glu_cpu",
    F.rrelu: "leaky_relu_cpu",
}


@pytest.mark.parametrize("function", FLOATING_ONLY, ids=lambda function: function.__name__)
def test_functions_of_floating_point_numbers(function: Callable[..., Any]) -> None:
    for dtype, name in ((lamina.int64, "Long"), (lamina.uint8, "Byte"), (lamina.bool, "Bool")):
        with pytest.raises(NotImplementedError, match=f"\"{FLOATING_ONLY[function]}\" not implemented for '{name}'"):
            function(ones(2, 2, dtype=dtype))
    with pytest.raises((TypeError, AttributeError)):
        function(None)


def test_hardtanh_of_whole_numbers() -> None:
    x = lamina.tensor([-9, 0, 9])
    assert F.relu6(x).tolist() == [0, 0, 6]
    assert F.relu6(x).dtype == lamina.int64
    F.hardtanh(x, -2, 3, inplace=True)
    assert x.tolist() == [-2, 0, 3]


def test_means_of_whole_numbers_are_whole() -> None:
    assert F.avg_pool1d(lamina.tensor([[3, 4, -3, -4]]), 2).tolist() == [[3, -3]]


def test_half_precision_goes_with_float32_statistics() -> None:
    x = lamina.rand(4, 3).half()
    mean, var = lamina.zeros(3), ones(3)
    y = F.batch_norm(x, mean, var, ones(3), lamina.zeros(3), training=True)
    assert y.dtype == lamina.float16
    assert mean.tolist() == pytest.approx((x.float().mean(0) * 0.1).tolist(), rel=1e-5)
    assert F.layer_norm(x, (3,), ones(3)).dtype == lamina.float16

    y = x.unsqueeze(0).transpose(1, 2)
    assert F.instance_norm(y, weight=ones(3), bias=lamina.zeros(3)).dtype == lamina.float16


def test_a_bool_beside_numbers_counts_as_0_or_1() -> None:
    x = lamina.tensor([0.5, 2.0])
    for loss in (F.mse_loss, F.smooth_l1_loss, F.huber_loss):
        assert loss(x, lamina.tensor([True, False])).item() == loss(x, lamina.tensor([1.0, 0.0])).item()
    for loss in (F.mse_loss, F.smooth_l1_loss):
        assert loss(lamina.tensor([True, False]), x).item() == loss(lamina.tensor([1.0, 0.0]), x).item()


def test_losses_have_the_type_of_the_operand_in_whose_place_pytorch_computes_them() -> None:
    single, double = ones(2), ones(2, dtype=lamina.float64)
    for loss in (F.huber_loss, F.soft_margin_loss):
        assert loss(single, double).dtype == lamina.float32
        assert loss(double, single).dtype == lamina.float64
    assert F.binary_cross_entropy_with_logits(double, single).dtype == lamina.float32
    assert F.binary_cross_entropy_with_logits(single, double).dtype == lamina.float64


def test_the_class_of_one_sample_may_be_in_a_vector() -> None:
    x = lamina.rand(3)
    assert F.cross_entropy(x, lamina.tensor([1])).item() == F.cross_entropy(x, lamina.tensor(1)).item()


def test_variances_broadcast() -> None:
    x, var = lamina.rand(2, 3), lamina.tensor([[0.5, 1.0, 2.0]])
    loss = F.gaussian_nll_loss(x, ones(2, 3), var)
    assert loss.item() == F.gaussian_nll_loss(x, ones(2, 3), var.expand(2, 3)).item()


d, n = ones(2, 3, dtype=lamina.float64), ones(2, 3, dtype=lamina.int64)
classes = lamina.tensor([0, 2])
MIXED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: F.layer_norm(d, (3,), ones(3)), RuntimeError, "mixed dtype"),
    (lambda: F.layer_norm(n, (3,)), NotImplementedError, "LayerNormKernelImpl"),
    (lambda: F.layer_norm(None, (3,)), TypeError, "must be Tensor, not NoneType"),  # type: ignore[arg-type]
    (lambda: F.rms_norm(n, (3,)), NotImplementedError, "rms_norm"),
    (lambda: F.group_norm(d, 1, ones(3)), RuntimeError, "mixed dtype"),
    (lambda: F.batch_norm(d, lamina.zeros(3), ones(3)), RuntimeError, "mixed dtype"),
    (lambda: F.batch_norm(n, lamina.zeros(3), ones(3)), NotImplementedError, "batch_norm"),
    (lambda: F.instance_norm(d, weight=ones(3)), RuntimeError, "mixed dtype"),
    (lambda: F.prelu(d, ones(1)), RuntimeError, "Type promoting not supported. Got Double and Float"),
    (lambda: F.hardtanh(n.bool()), RuntimeError, "Bool inputs not supported for hardtanh"),
    (lambda: F.hardtanh(n.to(lamina.uint8)), RuntimeError, "unsigned type with negative limits"),
    (lambda: F.threshold(n.bool(), 0, 1), NotImplementedError, "threshold_cpu"),
    (lambda: F.softmax(n, -1), NotImplementedError, "softmax_lastdim_kernel_impl"),
    (lambda: F.huber_loss(n, ones(2, 3)), RuntimeError, "Float can't be cast to .* Long"),
    (lambda: F.huber_loss(n, n), NotImplementedError, "huber_cpu"),
    (lambda: F.binary_cross_entropy(ones(2, 3), n), RuntimeError, "Found dtype Long but expected Float"),
    (lambda: F.binary_cross_entropy(n, n), NotImplementedError, "binary_cross_entropy"),
    (lambda: F.binary_cross_entropy_with_logits(ones(2, 3), n), RuntimeError, "Float can't be cast to .* Long"),
    (lambda: F.kl_div(ones(2, 3), n, reduction="sum"), RuntimeError, "Integral inputs not supported"),
    (lambda: F.nll_loss(n, classes), NotImplementedError, "nll_loss_out_frame"),
    (lambda: F.nll_loss(ones(()), classes), ValueError, "1 or more dimensions"),
    (lambda: F.nll_loss(ones(2, 3), classes, ones(3).double()), RuntimeError, "scalar type Float but found Double"),
    (lambda: F.multi_margin_loss(ones(2, 3), classes.int()), RuntimeError, "scalar type Long but found Int"),
    (lambda: F.multi_margin_loss(ones(2, 3), classes + 1), RuntimeError, "target out of range"),
    (lambda: lamina.nn.MultiMarginLoss(weight=ones(2, 2)), ValueError, "None or 1D tensor, got 2D"),
    (lambda: F.gaussian_nll_loss(ones(2, 3), ones(2, 3), ones(3)), ValueError, "incorrect size"),
    (lambda: F.dropout(n), RuntimeError, "Float can't be cast to the desired output type Long"),
    (lambda: F.alpha_dropout(n, training=True), RuntimeError, "Float can't be cast to the desired output type Long"),
    (lambda: F.avg_pool1d(n.int(), 2), NotImplementedError, "\"avg_pool2d\" not implemented for 'Int'"),
    (lambda: F.max_unpool1d(ones(2, 3), n.int(), 2), RuntimeError, "type int64 but got: Int"),
    (lambda: F.max_unpool1d(n, n, 2), NotImplementedError, "max_unpool2d"),
    (lambda: F.max_unpool2d(ones(2, 3), n, 2), RuntimeError, "should be a 3d or 4d Tensor"),
    (lambda: F.scaled_dot_product_attention(d, d, d, ones(2, 2).half()), RuntimeError, "Expected attn_mask dtype"),
    (lambda: F.scaled_dot_product_attention(d[0], d, d), RuntimeError, "at least 2 dimensional"),
    (lambda: lamina.nn.MultiheadAttention(3, 1)(*[ones(2, 3)] * 3, attn_mask=d @ d.T), RuntimeError, "dtypes must be"),
    (lambda: F.interpolate(ones(1, 1, 4), scale_factor=0.0), RuntimeError, "sizes should be greater than 0"),
]


@pytest.mark.parametrize(("function", "error", "message"), MIXED)
def test_refused_types(function: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        function()
