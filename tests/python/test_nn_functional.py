"""nn.functional by iteration over its samples: values against NumPy, gradients, second gradients; edges, errors."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from typing import Any

import layer_samples
import nn_samples
import numpy as np
import pytest
import resizing_samples
import volume_samples
import window_samples
from nn_samples import Sample

import lamina
from lamina import nn
from lamina.autograd import gradcheck, gradgradcheck
from lamina.nn import functional as F

nan, inf = float("nan"), float("inf")

SAMPLES = [
    *nn_samples.SAMPLES,
    *window_samples.SAMPLES,
    *volume_samples.SAMPLES,
    *resizing_samples.SAMPLES,
    *layer_samples.SAMPLES,
]


def tensors(sample: Sample, dtype: Any = lamina.float64) -> list[lamina.Tensor]:
    made = [lamina.tensor(np.asarray(array)) for array in sample.inputs]
    return [t.to(dtype).requires_grad_() if t.is_floating_point() else t for t in made]


def call(sample: Sample, *inputs: lamina.Tensor) -> lamina.Tensor:
    """The function on its inputs; an option that is a number for a tensor's argument names the input's position."""
    options = dict(sample.options)
    named = {
        key: inputs[value]
        for key, value in options.items()
        if key.endswith(("weight", "bias")) and isinstance(value, int)
    }
    options.update(named)
    for key in ("running_mean", "running_var", "_random_samples"):
        if options.get(key) is not None:
            options[key] = inputs[0].new_tensor(options[key])
    positional = [x for x in inputs if all(x is not value for value in named.values())]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # kl_div's mean and old names warn
        result = getattr(F, sample.name)(*positional, **options)
    first: lamina.Tensor = result[0] if isinstance(result, tuple) else result
    return first


def test_every_function_has_a_sample() -> None:
    by_hand = {"ctc_loss", "linear_cross_entropy"}  # test_nn_ctc_loss.py, test_nn_linear_cross_entropy.py
    assert {sample.name for sample in SAMPLES} | by_hand == set(F.__all__)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)
@pytest.mark.parametrize("dtype", [lamina.float64, lamina.float32], ids=["float64", "float32"])
def test_values(sample: Sample, dtype: Any) -> None:
    with lamina.no_grad():
        result = call(sample, *tensors(sample, dtype))
    expected = np.asarray(sample.reference(*sample.inputs))
    assert tuple(result.shape) == expected.shape
    if expected.dtype.kind == "f":
        assert result.dtype == dtype
    tolerance = 1e-10 if dtype == lamina.float64 else 2e-5
    np.testing.assert_allclose(result.detach().numpy(), expected, rtol=tolerance, atol=tolerance)


DIFFERENTIABLE = [s for s in SAMPLES if s.name != "one_hot" and not s.name.endswith("_")]


@pytest.mark.parametrize("sample", DIFFERENTIABLE, ids=lambda s: s.name)
def test_gradient(sample: Sample) -> None:
    assert gradcheck(lambda *a: call(sample, *a), tensors(sample))


@pytest.mark.parametrize("sample", DIFFERENTIABLE, ids=lambda s: s.name)
def test_second_gradient(sample: Sample) -> None:
    assert gradgradcheck(lambda *a: call(sample, *a), tensors(sample))


def test_softmax_without_dim_warns() -> None:
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
        assert tuple(F.softmax(lamina.zeros(2, 3)).sum(1).tolist()) == pytest.approx((1, 1))


def weighted_reference(x: np.ndarray[Any, Any], t: list[int], w: np.ndarray[Any, Any], ignore: int) -> float:
    logp = x - np.log(np.exp(x).sum(1, keepdims=True))
    kept = [(row, c) for row, c in enumerate(t) if c != ignore]
    return -sum(w[c] * logp[row, c] for row, c in kept) / sum(w[c] for _, c in kept)


@pytest.mark.parametrize(("target", "ignore"), [([1, -100, 3, 0], -100), ([1, 2, 3, 0], 2), ([0, 0, 1, 2], -100)])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_ignores_and_weighs(target: list[int], ignore: int, weighted: bool) -> None:
    x = np.random.default_rng(0).standard_normal((4, 4))
    w = np.array([1.0, 2.0, 0.5, 3.0]) if weighted else np.ones(4)
    logits = lamina.tensor(x, requires_grad=True)
    t = lamina.tensor(target)
    weight = lamina.tensor(w) if weighted else None
    loss = F.cross_entropy(logits, t, weight=weight, ignore_index=ignore)
    assert loss.item() == pytest.approx(weighted_reference(x, target, w, ignore))
    assert gradcheck(lambda a: F.cross_entropy(a, t, weight=weight, ignore_index=ignore, label_smoothing=0.1), [logits])
    each = F.cross_entropy(logits, t, weight=weight, ignore_index=ignore, reduction="none")
    assert [value == 0 for value in each.tolist()] == [c == ignore for c in target]
    loss.backward()
    assert [not row.any() for row in logits.grad.numpy()] == [c == ignore for c in target]


def test_cross_entropy_of_nothing_is_nan_and_its_sum_zero() -> None:
    x = lamina.zeros(2, 3)
    t = lamina.tensor([-100, -100])
    assert np.isnan(F.cross_entropy(x, t).item())
    assert F.cross_entropy(x, t, reduction="sum").item() == 0
    one = F.kl_div(lamina.tensor(-1.0), lamina.tensor([0.0, 1.0]), reduction="batchmean")
    assert one.item() == 1
    none = lamina.zeros(0, dtype=lamina.int64)
    assert np.isnan(F.cross_entropy(lamina.zeros(0, 3), none).item())
    assert F.cross_entropy(lamina.zeros(0, 3), none, reduction="sum").item() == 0


def test_cross_entropy_is_stable() -> None:
    x = lamina.tensor([[1000.0, -1000.0], [-1000.0, 1000.0]], requires_grad=True)
    loss = F.cross_entropy(x, lamina.tensor([0, 0]))
    assert loss.item() == 1000
    loss.backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[0, 0], [-0.5, 0.5]])


def test_cross_entropy_does_not_split_the_program() -> None:
    """The labels are checked without running what is pending, or every step would run in two pieces."""
    weight = lamina.rand(5, 4, requires_grad=True)
    labels = lamina.tensor([0, 1, 2])
    lamina.flush()
    before = lamina.plan_stats()["flushes"]
    F.cross_entropy(lamina.rand(3, 5) @ weight, labels)
    assert lamina.plan_stats()["flushes"] == before


def test_kl_div_at_zero_probability() -> None:
    assert F.kl_div(lamina.tensor([-1.0]), lamina.tensor([0.0]), reduction="sum").item() == 0
    with pytest.warns(UserWarning, match="batchmean"):
        F.kl_div(lamina.zeros(2, 2), lamina.ones(2, 2))


def test_losses_warn_about_broadcast_targets() -> None:
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss):
        with pytest.warns(UserWarning, match="different to the input size"):
            assert loss(lamina.zeros(3, 2), lamina.ones(2)).ndim == 0


def test_legacy_reduction_arguments() -> None:
    x, y = lamina.zeros(2), lamina.ones(2)
    with pytest.warns(UserWarning, match="args will be deprecated, please use reduction='sum'"):
        assert F.mse_loss(x, y, size_average=False).item() == 2
    with pytest.warns(UserWarning, match="reduction='none'"):
        assert F.mse_loss(x, y, reduce=False).shape == (2,)


def test_dropout_zeroes_and_scales() -> None:
    lamina.manual_seed(0)
    x = lamina.ones(10_000, requires_grad=True)
    y = F.dropout(x, 0.3)
    values, counts = np.unique(y.detach().numpy(), return_counts=True)
    np.testing.assert_allclose(values, [0, 1 / 0.7], rtol=1e-6)
    assert counts[0] == pytest.approx(3000, abs=200)  # four standard deviations are 183
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())
    z = lamina.ones(50)
    assert F.dropout(z, 0.5, inplace=True) is z
    assert set(z.tolist()) == {0.0, 2.0}


def test_embedding_options() -> None:
    weight = lamina.tensor([[3.0, 4.0], [1.0, 1.0], [0.0, 5.0]], requires_grad=True)
    F.embedding(lamina.tensor([0, 1, 0, 2]), weight, padding_idx=-1).sum().backward()
    np.testing.assert_array_equal(weight.grad.numpy(), [[2, 2], [1, 1], [0, 0]])
    weight.grad = None
    F.embedding(lamina.tensor([0, 1, 0]), weight, scale_grad_by_freq=True).sum().backward()
    np.testing.assert_array_equal(weight.grad.numpy(), [[1, 1], [1, 1], [0, 0]])
    table = weight.detach().clone()
    F.embedding(lamina.tensor([0, 1]), table, max_norm=2.0)
    np.testing.assert_allclose(table.numpy(), [[1.2, 1.6], [1, 1], [0, 5]], rtol=1e-6)


def test_batch_norm_moves_the_running_statistics() -> None:
    x = np.random.default_rng(3).standard_normal((6, 2, 3)).astype(np.float32)
    mean, var = lamina.zeros(2), lamina.ones(2)
    F.batch_norm(lamina.tensor(x), mean, var, training=True, momentum=0.25)
    np.testing.assert_allclose(mean.numpy(), 0.25 * x.mean((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(var.numpy(), 0.75 + 0.25 * x.var((0, 2), ddof=1), rtol=1e-5)


def test_attention_where_nothing_may_be_looked_at() -> None:
    x = lamina.rand(1, 2, 3, requires_grad=True)
    for mask in (lamina.tensor([[True, False], [False, False]]), lamina.tensor([[0.0, -inf], [-inf, -inf]])):
        x.grad = None
        y = F.scaled_dot_product_attention(x, x, x, attn_mask=mask)
        np.testing.assert_allclose(y[0, 0].detach().numpy(), x[0, 0].detach().numpy(), rtol=1e-6)
        assert y[0, 1].tolist() == [0, 0, 0]
        y.sum().backward()
        assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize(
    ("queries", "keys"), [(128, 128), (129, 129), (300, 200), (200, 300), (1100, 1100), (0, 3), (3, 0)]
)
def test_causal_attention_is_that_of_a_mask(queries: int, keys: int) -> None:
    draw = lamina.Generator().manual_seed(1)
    leaves = [lamina.randn(2, n, 4, generator=draw, dtype=lamina.float64) for n in (queries, keys, keys)]
    for leaf in leaves:
        leaf.requires_grad_()
    mask = lamina.ones(queries, keys, dtype=lamina.bool).tril()
    causal, masked = (
        F.scaled_dot_product_attention(*leaves, **how) for how in ({"is_causal": True}, {"attn_mask": mask})
    )
    weight = lamina.randn(causal.shape, generator=draw, dtype=lamina.float64)
    lamina.testing.assert_close(causal, masked)
    for found, expected in zip(*(lamina.autograd.grad((y * weight).sum(), leaves) for y in (causal, masked))):
        lamina.testing.assert_close(found, expected)


def test_attention_shares_heads() -> None:
    query, key = lamina.rand(1, 4, 2, 3), lamina.rand(1, 2, 5, 3)
    shared = F.scaled_dot_product_attention(query, key, key, enable_gqa=True)
    repeated = lamina.stack([key[:, head // 2] for head in range(4)], 1)
    expected = F.scaled_dot_product_attention(query, repeated, repeated)
    np.testing.assert_allclose(shared.numpy(), expected.numpy(), rtol=1e-6)


def test_grad_fn_names() -> None:
    """A printed result shows PyTorch's name of the function, though it is composed of other ops."""
    x, t = lamina.rand(2, 3, requires_grad=True), lamina.tensor([0, 1])
    assert "grad_fn=<MseLossBackward0>" in repr(F.mse_loss(x, x * 2))
    assert "grad_fn=<NllLossBackward0>" in repr(F.cross_entropy(x, t))
    assert "grad_fn=<LeakyReluBackward0>" in repr(F.leaky_relu(x))
    assert "grad_fn=<BinaryCrossEntropyWithLogitsBackward0>" in repr(F.binary_cross_entropy_with_logits(x, x.detach()))


def scores(*shape: int) -> lamina.Tensor:
    return lamina.zeros(*shape)


def numbers(*values: Any) -> lamina.Tensor:
    return lamina.tensor(list(values))


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: F.linear(scores(2, 5), scores(3, 4)), RuntimeError, "expected 4 input features, got 5"),
    (lambda: F.cross_entropy(scores(2, 3), numbers(0, 3)), IndexError, "Target 3 is out of bounds"),
    (lambda: F.cross_entropy(scores(2, 3), numbers(0, -1)), IndexError, "Target -1 is out of bounds"),
    (lambda: F.cross_entropy(scores(2, 3), numbers(0, 1, 2)), ValueError, r"batch_size \(2\).*batch_size \(3\)"),
    (
        lambda: F.cross_entropy(scores(2, 3, 4), lamina.zeros(2, 5).long()),
        RuntimeError,
        r"Expected target size \[2, 4\]",
    ),
    (lambda: F.cross_entropy(scores(2, 3), numbers(0.0, 1.0)), RuntimeError, "class numbers of dtype int64"),
    (lambda: F.cross_entropy(scores(2, 3), lamina.zeros(2, 3).long()), RuntimeError, "floating point type for target"),
    (lambda: F.cross_entropy(scores(2, 3), numbers(0, 1), weight=scores(2)), RuntimeError, "all 3 classes"),
    (lambda: F.cross_entropy(scores(2, 3), numbers(0, 1), label_smoothing=1.5), RuntimeError, "between 0.0 and 1.0"),
    (lambda: F.cross_entropy(scores(2, 3), numbers(0, 1), reduction="max"), ValueError, "max is not a valid value"),
    (lambda: F.binary_cross_entropy(scores(2), scores(3)), ValueError, "target size"),
    (lambda: F.binary_cross_entropy_with_logits(scores(2), scores(3)), ValueError, "must be the same as input size"),
    (lambda: F.smooth_l1_loss(scores(2), scores(2), beta=-1), RuntimeError, "negative values for beta"),
    (lambda: F.smooth_l1_loss(scores(2), scores(2), beta=math.nan), RuntimeError, "negative values for beta"),
    (lambda: F.huber_loss(scores(2), scores(2), delta=0), RuntimeError, "non-positive values for delta"),
    (lambda: F.huber_loss(scores(2), scores(2), delta=math.nan), RuntimeError, "non-positive values for delta"),
    (lambda: F.soft_margin_loss(scores(3), scores(4, 3)), RuntimeError, r"input's shape \[3\], got \[4, 3\]"),
    (lambda: F.mse_loss(scores(2), scores(2), weight=scores(1)), ValueError, "must have the same size"),
    (lambda: F.gaussian_nll_loss(scores(2), scores(2), -lamina.ones(2)), ValueError, "negative entry"),
    (lambda: F.gaussian_nll_loss(scores(2, 3), scores(2, 3), scores(2, 2)), ValueError, "incorrect size"),
    (lambda: F.margin_ranking_loss(scores(2), scores(2), scores(2, 2)), RuntimeError, "same dimension"),
    (lambda: F.cosine_embedding_loss(scores(2), scores(2), scores(2)), RuntimeError, "1D target tensor expects 2D"),
    (lambda: F.triplet_margin_loss(scores(2), scores(2), scores(2), margin=0), ValueError, "greater than 0"),
    (lambda: F.multi_margin_loss(scores(2, 3), numbers(0, 1), p=3), ValueError, "only p == 1 and p == 2"),
    (lambda: F.multi_margin_loss(scores(2, 3), numbers(0)), RuntimeError, "inconsistent target size"),
    (lambda: F.one_hot(numbers(3), 2), RuntimeError, "smaller than num_classes"),
    (lambda: F.one_hot(scores(2)), RuntimeError, "one_hot is only applicable"),
    (lambda: F.embedding(scores(2), scores(2, 2)), RuntimeError, "Long, Int; but got torch.FloatTensor"),
    (lambda: F.embedding(numbers(2), scores(2, 2)), IndexError, "out of range in self: index 2 is out of bounds"),
    (lambda: F.embedding_bag(numbers(0), scores(2, 2), scores(1)), RuntimeError, "Long, Int; but got torch.Float"),
    (lambda: F.embedding_bag(numbers(0), scores(2, 2), numbers(0), mode="max", sparse=True), ValueError, "max mode"),
    (lambda: F.embedding(numbers(0), scores(2)), RuntimeError, "must be 2-D"),
    (lambda: F.glu(scores(2, 3)), RuntimeError, "must be even"),
    (lambda: F.glu(lamina.tensor(1.0)), RuntimeError, "0-dimensional"),
    (lambda: F.gelu(scores(2), approximate="erf"), RuntimeError, "none or tanh"),
    (lambda: F.prelu(scores(2, 3), scores(2)), RuntimeError, "Mismatch of parameter numbers"),
    (lambda: F.softshrink(scores(2), -1), RuntimeError, "greater or equal to 0"),
    (lambda: F.softshrink(scores(2), math.inf), RuntimeError, "and finite, but found to be inf"),
    (lambda: F.hardtanh(scores(2), 1, 0), ValueError, "min_val cannot be greater"),
    (lambda: F.celu(scores(2), 0), ZeroDivisionError, "alpha"),
    (lambda: F.layer_norm(scores(2, 4), (3,)), RuntimeError, r"expected input with shape \[\*, 3\]"),
    (lambda: F.layer_norm(scores(2, 3), (3,), scores(2)), RuntimeError, "weight to be of same shape"),
    (lambda: F.group_norm(scores(2, 3), 2), RuntimeError, "divisible by num_groups"),
    (lambda: F.batch_norm(scores(1, 3), None, None, training=True), ValueError, "more than 1 value per channel"),
    (lambda: F.batch_norm(scores(2, 3), None, None, training=True, eps=0.0), ValueError, "eps must be positive"),
    (lambda: F.batch_norm(scores(2, 3), scores(2), scores(3)), RuntimeError, "running_mean should contain 3"),
    (lambda: F.pad(scores(2, 3), (1,)), RuntimeError, "divisible by 2"),
    (lambda: F.pad(scores(2, 3), (1,) * 6), RuntimeError, "two times the input dimension"),
    (lambda: F.pad(scores(2, 3), (-2, -2)), RuntimeError, "negative output size"),
    (lambda: F.pad(scores(2, 3), (3, 0), mode="reflect"), RuntimeError, "less than the corresponding"),
    (lambda: F.pad(scores(2, 3), (4, 0), mode="circular"), RuntimeError, "wrapping around more than once"),
    (lambda: F.pad(scores(2, 3), (1, 0), mode="mirror"), NotImplementedError, "Unrecognised padding mode"),
    (lambda: F.bilinear(scores(2, 3), scores(1, 3), scores(2, 3, 3)), RuntimeError, "batch dimensions do not match"),
    (lambda: F.dropout(scores(2), 1.5), ValueError, "between 0 and 1, but got 1.5"),
    (
        lambda: F.scaled_dot_product_attention(*[scores(1, 2, 3)] * 3, attn_mask=scores(2, 2), is_causal=True),
        RuntimeError,
        "Explicit attn_mask should not be set when is_causal=True",
    ),
]


@pytest.mark.parametrize(("function", "error", "message"), ERRORS)
def test_errors(function: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        function()


def test_functions_agree_with_their_modules() -> None:
    """A module's arguments and defaults are those of its function."""
    pairs = {
        nn.LeakyReLU: F.leaky_relu, nn.ELU: F.elu, nn.CELU: F.celu, nn.Softplus: F.softplus, nn.Hardtanh: F.hardtanh,
        nn.Hardshrink: F.hardshrink, nn.Softshrink: F.softshrink, nn.GELU: F.gelu, nn.Dropout: F.dropout,
        nn.HuberLoss: F.huber_loss, nn.SmoothL1Loss: F.smooth_l1_loss, nn.CrossEntropyLoss: F.cross_entropy,
        nn.TripletMarginLoss: F.triplet_margin_loss, nn.MultiMarginLoss: F.multi_margin_loss,
        nn.PoissonNLLLoss: F.poisson_nll_loss, nn.KLDivLoss: F.kl_div,
    }  # fmt: skip
    for module, function in pairs.items():
        defaults = {name: p.default for name, p in inspect.signature(function).parameters.items()}
        for name, parameter in inspect.signature(module).parameters.items():
            assert defaults[name] == parameter.default, (module, name)


def test_shuffles_by_one_are_copies() -> None:
    x = lamina.zeros(1, 1, 2, 2)
    for shuffle in (F.pixel_shuffle, F.pixel_unshuffle):
        shuffle(x, 1).add_(1)
    assert not x.any()


def test_norms_of_infinite_order_are_the_largest_and_the_least_distance_from_0() -> None:
    x = lamina.tensor([[1.0, -5.0, 3.0, 4.0, -7.0]])
    assert F.lp_pool1d(x, math.inf, 2, ceil_mode=True).tolist() == [[5, 4, 7]]
    assert F.lp_pool1d(x, -math.inf, 2).tolist() == [[1, 3]]
    assert F.lp_pool2d(x.expand(1, 2, 5), math.inf, 2).tolist() == [[[5, 4]]]
    assert F.lp_pool3d(x.expand(1, 2, 2, 5), -math.inf, 2).tolist() == [[[[1, 3]]]]


@pytest.mark.parametrize("shape", [(), (1,), (5,), (1, 5), (3, 5), (3, 1), (2, 3, 5), (2, 1, 1)], ids=str)
def test_a_bias_of_any_shape_that_repeats_to_the_results(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, weight, bias = rng.standard_normal((2, 3, 4)), rng.standard_normal((5, 4)), rng.standard_normal(shape)
    tensor = lamina.tensor(bias, requires_grad=True)
    y = F.linear(lamina.tensor(x), lamina.tensor(weight), tensor)
    np.testing.assert_allclose(y.detach().numpy(), x @ weight.T + bias, rtol=1e-12)
    y.sum().backward()
    assert tensor.grad is not None
    assert tensor.grad.shape == shape
    assert tensor.grad.sum().item() == 30
    with pytest.raises(RuntimeError, match=r"bias of shape \(5,\), or one that repeats to the result's \(2, 3, 5\)"):
        F.linear(lamina.tensor(x), lamina.tensor(weight), lamina.zeros(2, 5, dtype=lamina.float64))
