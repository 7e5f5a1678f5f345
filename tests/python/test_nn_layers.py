"""Layers one by one: first numbers, printed form, and that a module computes what its function does."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import layer_samples
import numpy as np
import pytest
import volume_samples
import window_samples

import lamina
from lamina import nn
from lamina.nn import functional as F


def x(*shape: int) -> lamina.Tensor:
    return lamina.tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32))


def labels() -> lamina.Tensor:
    return lamina.tensor([1, 0, 2])


# The module, its inputs, the function it stands for, and how it prints.
LAYERS: list[tuple[nn.Module, tuple[Any, ...], Callable[..., Any], str]] = [
    (nn.Identity(7, a=3), (x(2),), lambda t: t, "Identity()"),
    (nn.Flatten(), (x(2, 3, 4),), lambda t: t.reshape(2, 12), "Flatten(start_dim=1, end_dim=-1)"),
    (nn.Flatten(0, 1), (x(2, 3, 4),), lambda t: t.reshape(6, 4), "Flatten(start_dim=0, end_dim=1)"),
    (nn.ReLU(), (x(5),), F.relu, "ReLU()"),
    (nn.ReLU(inplace=True), (x(5),), F.relu, "ReLU(inplace=True)"),
    (nn.ReLU6(), (x(5) * 5,), F.relu6, "ReLU6()"),
    (nn.Sigmoid(), (x(5),), lamina.sigmoid, "Sigmoid()"),
    (nn.Tanh(), (x(5),), lamina.tanh, "Tanh()"),
    (nn.GELU(), (x(5),), F.gelu, "GELU(approximate='none')"),
    (nn.GELU("tanh"), (x(5),), lambda t: F.gelu(t, "tanh"), "GELU(approximate='tanh')"),
    (nn.Softmax(dim=1), (x(2, 3),), lambda t: F.softmax(t, 1), "Softmax(dim=1)"),
    (nn.Softmin(dim=0), (x(2, 3),), lambda t: F.softmin(t, 0), "Softmin(dim=0)"),
    (nn.LogSoftmax(-1), (x(2, 3),), lambda t: F.log_softmax(t, -1), "LogSoftmax(dim=-1)"),
    (nn.GLU(), (x(2, 4),), F.glu, "GLU(dim=-1)"),
    (nn.LeakyReLU(), (x(5),), F.leaky_relu, "LeakyReLU(negative_slope=0.01)"),
    (nn.LeakyReLU(0.2, True), (x(5),), lambda t: F.leaky_relu(t, 0.2), "LeakyReLU(negative_slope=0.2, inplace=True)"),
    (nn.ELU(0.5), (x(5),), lambda t: F.elu(t, 0.5), "ELU(alpha=0.5)"),
    (nn.CELU(0.5), (x(5),), lambda t: F.celu(t, 0.5), "CELU(alpha=0.5)"),
    (nn.SELU(), (x(5),), F.selu, "SELU()"),
    (nn.SiLU(), (x(5),), F.silu, "SiLU()"),
    (nn.Mish(), (x(5),), F.mish, "Mish()"),
    (nn.Softplus(2, 3), (x(5),), lambda t: F.softplus(t, 2, 3), "Softplus(beta=2, threshold=3)"),
    (nn.Softsign(), (x(5),), F.softsign, "Softsign()"),
    (nn.Tanhshrink(), (x(5),), F.tanhshrink, "Tanhshrink()"),
    (nn.Hardshrink(), (x(5),), F.hardshrink, "Hardshrink(0.5)"),
    (nn.Softshrink(0.2), (x(5),), lambda t: F.softshrink(t, 0.2), "Softshrink(0.2)"),
    (nn.Hardtanh(-2, 0.5), (x(5),), lambda t: F.hardtanh(t, -2, 0.5), "Hardtanh(min_val=-2, max_val=0.5)"),
    (nn.Hardswish(), (x(5),), F.hardswish, "Hardswish()"),
    (nn.Hardsigmoid(), (x(5),), F.hardsigmoid, "Hardsigmoid()"),
    (nn.Threshold(0.1, 20), (x(5),), lambda t: F.threshold(t, 0.1, 20), "Threshold(threshold=0.1, value=20)"),
    (nn.LogSigmoid(), (x(5),), F.logsigmoid, "LogSigmoid()"),
    (nn.PReLU(3), (x(2, 3),), lambda t: F.leaky_relu(t, 0.25), "PReLU(num_parameters=3)"),
    (nn.Dropout(0.3).eval(), (x(5),), lambda t: t, "Dropout(p=0.3, inplace=False)"),
    (nn.MSELoss(), (x(3, 2), -x(3, 2)), F.mse_loss, "MSELoss()"),
    (nn.L1Loss(reduction="sum"), (x(3), -x(3)), lambda a, b: F.l1_loss(a, b, reduction="sum"), "L1Loss()"),
    (nn.SmoothL1Loss(beta=0.5), (x(3), -x(3)), lambda a, b: F.smooth_l1_loss(a, b, beta=0.5), "SmoothL1Loss()"),
    (nn.HuberLoss(delta=0.5), (x(3), -x(3)), lambda a, b: F.huber_loss(a, b, delta=0.5), "HuberLoss()"),
    (
        nn.CrossEntropyLoss(weight=lamina.tensor([1.0, 2.0, 3.0]), ignore_index=0, label_smoothing=0.1),
        (x(3, 3), labels()),
        lambda a, b: F.cross_entropy(a, b, lamina.tensor([1.0, 2.0, 3.0]), ignore_index=0, label_smoothing=0.1),
        "CrossEntropyLoss()",
    ),
    (nn.NLLLoss(reduction="none"), (x(3, 3), labels()), lambda a, b: -a.gather(1, b[:, None])[:, 0], "NLLLoss()"),
    (nn.BCELoss(), (x(3).sigmoid(), x(3).sigmoid()), F.binary_cross_entropy, "BCELoss()"),
    (
        nn.BCEWithLogitsLoss(pos_weight=lamina.tensor([2.0])),
        (x(3), x(3).sigmoid()),
        lambda a, b: F.binary_cross_entropy_with_logits(a, b, pos_weight=lamina.tensor([2.0])),
        "BCEWithLogitsLoss()",
    ),
    (
        nn.KLDivLoss(reduction="batchmean", log_target=True),
        (x(3, 2), -x(3, 2)),
        lambda a, b: F.kl_div(a, b, reduction="batchmean", log_target=True),
        "KLDivLoss()",
    ),
    (
        nn.GaussianNLLLoss(full=True), (x(3), -x(3), 2.0),
        lambda a, b, v: F.gaussian_nll_loss(a, b, v, True), "GaussianNLLLoss()",
    ),
    (
        nn.PoissonNLLLoss(full=True), (x(3), x(3).exp()),
        lambda a, b: F.poisson_nll_loss(a, b, full=True), "PoissonNLLLoss()",
    ),
    (nn.SoftMarginLoss(), (x(3), x(3).sign()), F.soft_margin_loss, "SoftMarginLoss()"),
    (
        nn.MarginRankingLoss(0.1), (x(3), -x(3), x(3).sign()),
        lambda *a: F.margin_ranking_loss(*a, margin=0.1), "MarginRankingLoss()",
    ),
    (nn.HingeEmbeddingLoss(), (x(3).abs(), x(3).sign()), F.hinge_embedding_loss, "HingeEmbeddingLoss()"),
    (nn.CosineEmbeddingLoss(), (x(3, 2), -x(3, 2), x(3).sign()), F.cosine_embedding_loss, "CosineEmbeddingLoss()"),
    (
        nn.TripletMarginLoss(swap=True), (x(3, 2), -x(3, 2), x(3, 2) * 2),
        lambda *a: F.triplet_margin_loss(*a, swap=True), "TripletMarginLoss()",
    ),
    (
        nn.CTCLoss(), (x(3, 1, 2).log_softmax(-1), lamina.tensor([[1]]), [3], [1]),
        F.ctc_loss, "CTCLoss()",
    ),
    (nn.MultiMarginLoss(p=2), (x(3, 3), labels()), lambda a, b: F.multi_margin_loss(a, b, p=2), "MultiMarginLoss()"),
]  # fmt: skip
LAYERS += window_samples.modules(x) + volume_samples.modules(x) + layer_samples.modules(x)


@pytest.mark.parametrize(
    ("module", "inputs", "function", "printed"), LAYERS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_computes_its_function_and_prints(
    module: nn.Module, inputs: tuple[Any, ...], function: Callable[..., Any], printed: str
) -> None:
    assert repr(module) == printed
    expected = function(*inputs).detach().numpy()
    copies = [value.clone() if isinstance(value, lamina.Tensor) else value for value in inputs]
    np.testing.assert_allclose(module(*copies).detach().numpy(), expected, rtol=1e-6)


def test_every_module_class_is_tested() -> None:
    elsewhere = {
        "Module",
        "Sequential",
        "ModuleList",
        "ModuleDict",
        "ParameterList",
        "ParameterDict",
        "LazyModuleMixin",
    }
    by_hand = {"Linear", "Bilinear", "MultiheadAttention"}
    by_hand |= set(nn.modules.rnn.__all__) | set(nn.modules.rnn_cells.__all__)  # test_nn_rnn.py
    by_hand |= set(nn.modules.transformer.__all__) | set(nn.modules.transformer_layers.__all__)
    by_hand |= {"AdaptiveLogSoftmaxWithLoss"}
    by_hand |= set(nn.modules.sync_batchnorm.__all__)  # test_nn_sync_batchnorm.py
    by_hand |= set(nn.modules.loss_linear.__all__)  # test_nn_linear_cross_entropy.py
    by_hand |= {name for name in nn.modules.__all__ if name.startswith("Lazy")}  # test_nn_lazy.py
    tested = {type(module).__name__ for module, *_ in LAYERS}
    assert tested | elsewhere | by_hand == set(nn.modules.__all__)


def test_adaptive_log_softmax() -> None:
    """Its probabilities are those of the head times those of the cluster, and add up to 1."""
    layer = nn.AdaptiveLogSoftmaxWithLoss(4, 9, [2, 5], div_value=2.0, head_bias=True)
    inputs, target = x(6, 4), lamina.tensor([0, 1, 2, 4, 5, 8])
    logs = layer.log_prob(inputs)
    np.testing.assert_allclose(logs.exp().sum(1).detach().numpy(), np.ones(6), rtol=1e-5)
    head = layer.head(inputs).log_softmax(1)
    last = layer.tail[1](inputs).log_softmax(1)
    np.testing.assert_allclose(logs[:, 6].detach().numpy(), (head[:, 3] + last[:, 1]).detach().numpy(), rtol=1e-5)
    output, loss = layer(inputs, target)
    np.testing.assert_allclose(output.detach().numpy(), logs.detach().numpy()[range(6), target.numpy()], rtol=1e-5)
    np.testing.assert_allclose(loss.item(), -output.detach().numpy().mean(), rtol=1e-5)
    assert lamina.equal(layer.predict(inputs), logs.argmax(1))
    alone = layer(inputs[5], target[5])
    np.testing.assert_allclose(alone.output.item(), output[5].item(), rtol=1e-5)
    with pytest.raises(RuntimeError, match="Target values should be in"):
        layer(inputs, target + 1)
    with pytest.raises(ValueError, match="cutoffs should be a sequence of unique, positive integers"):
        nn.AdaptiveLogSoftmaxWithLoss(4, 9, [5, 2])


def test_linear() -> None:
    layer = nn.Linear(4, 3)
    inputs = x(5, 2, 4)
    expected = inputs.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    np.testing.assert_allclose(layer(inputs).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    assert layer(x(4)).shape == (3,)
    assert layer(lamina.zeros(0, 4)).shape == (0, 3)
    bare = nn.Linear(4, 3, bias=False, dtype=lamina.float64)
    assert bare.bias is None
    assert bare.weight.dtype == lamina.float64
    assert repr(bare) == "Linear(in_features=4, out_features=3, bias=False)"
    with pytest.raises(RuntimeError, match="expected 4 input features, got 3"):
        layer(x(2, 3))
    with pytest.raises(TypeError, match="must be Tensor"):
        layer([1.0] * 4)


def test_linear_whose_weight_is_computed() -> None:
    """The weight may be taken out of the registry and set anew, as weight normalisation does."""
    layer = nn.Linear(2, 2, bias=False)
    del layer.weight
    layer.weight = lamina.eye(2) * 3
    assert layer(lamina.ones(1, 2)).tolist() == [[3, 3]]


def test_linear_of_nothing_warns_as_its_initialisation_does() -> None:
    with pytest.warns(UserWarning, match="zero-element"):
        layer = nn.Linear(0, 3)
    with pytest.warns(UserWarning, match="zero-element"):
        assert nn.Linear(4, 0)(x(2, 4)).shape == (2, 0)
    assert layer(lamina.zeros(2, 0)).detach().tolist() == [[0, 0, 0]] * 2


@pytest.mark.parametrize("make", [lambda: nn.Linear(400, 300), lambda: nn.Bilinear(400, 3, 100)])
def test_first_numbers_are_pytorchs(make: Callable[[], Any]) -> None:
    """Uniform within one over the root of the inputs: bounds, mean and variance."""
    lamina.manual_seed(0)
    layer = make()
    bound = 1 / sqrt(400)
    for parameter in layer.parameters():
        values = parameter.detach().numpy()
        assert bound * 0.9 < abs(values).max() <= bound
        deviations = 4 * bound / sqrt(3 * values.size)
        assert abs(values.mean()) < deviations
        assert values.std() == pytest.approx(bound / sqrt(3), rel=0.2)


def test_bilinear() -> None:
    layer = nn.Bilinear(2, 3, 4)
    assert repr(layer) == "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)"
    a, b = x(5, 2), x(5, 3)
    expected = np.einsum("ni,kij,nj->nk", a.numpy(), layer.weight.detach().numpy(), b.numpy())
    np.testing.assert_allclose(
        layer(a, b).detach().numpy(), expected + layer.bias.detach().numpy(), rtol=1e-4, atol=1e-6
    )
    assert nn.Bilinear(2, 3, 4, bias=False).bias is None
    with pytest.raises(ValueError, match="in1_features must be > 0"):
        nn.Bilinear(0, 3, 4)


def test_dropout_in_training() -> None:
    layer = nn.Dropout(0.25)
    ones = lamina.ones(1000)
    assert sorted(set(layer(ones).tolist())) == pytest.approx([0, 4 / 3])
    assert layer(ones).tolist() != layer(ones).tolist()
    assert layer.eval()(ones) is ones
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            nn.Dropout(p)


def test_loss_weights_are_buffers() -> None:
    loss = nn.CrossEntropyLoss(weight=lamina.ones(3))
    assert list(loss.state_dict()) == ["weight"]
    assert loss.double().weight.dtype == lamina.float64
    assert list(nn.BCEWithLogitsLoss(pos_weight=lamina.ones(1)).state_dict()) == ["pos_weight"]


def test_wrong_options() -> None:
    with pytest.raises(ValueError, match="max_val must be above min_val"):
        nn.Hardtanh(1, 0)
    with pytest.raises(ValueError, match="greater than 0"):
        nn.TripletMarginLoss(margin=0)
    with pytest.raises(ValueError, match="only p == 1 and p == 2"):
        nn.MultiMarginLoss(p=3)
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.MSELoss(size_average=False).reduction == "sum"


def test_batch_norm_keeps_statistics() -> None:
    layer = nn.BatchNorm1d(3, momentum=None)
    first, second = x(4, 3), x(4, 3) * 2 + 1
    layer(first), layer(second)
    means = [(t.mean(0)).numpy() for t in (first, second)]
    np.testing.assert_allclose(layer.running_mean.numpy(), sum(means) / 2, rtol=1e-5, atol=1e-6)
    assert layer.num_batches_tracked.item() == 2
    layer.eval()
    y = layer(first)
    expected = (first.numpy() - layer.running_mean.numpy()) / np.sqrt(layer.running_var.numpy() + 1e-5)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    assert layer.num_batches_tracked.item() == 2
    state = layer.state_dict()
    assert list(state) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert state._metadata[""]["version"] == 2
    # Files from before version 2 count no batches.
    del state["num_batches_tracked"]
    state._metadata[""]["version"] = 1
    fresh = nn.BatchNorm1d(3)
    fresh.load_state_dict(state)
    assert fresh.running_mean.tolist() == layer.running_mean.tolist()


def test_batch_norm_without_statistics_uses_the_batch_in_evaluation_too() -> None:
    layer = nn.BatchNorm2d(2, track_running_stats=False).eval()
    y = layer(x(3, 2, 4, 4) * 3 + 1).detach().numpy()
    np.testing.assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-6)
    assert list(layer.state_dict()) == ["weight", "bias"]
    with pytest.raises(ValueError, match="expected 4D input"):
        layer(x(3, 2))


def test_instance_norm_keeps_the_mean_of_the_batch() -> None:
    layer = nn.InstanceNorm1d(3, track_running_stats=True, momentum=0.5)
    t = x(4, 3, 5)
    layer(t)
    np.testing.assert_allclose(layer.running_mean.numpy(), t.mean((0, 2)).numpy() / 2, atol=1e-6)
    np.testing.assert_allclose(layer.running_var.numpy(), 0.5 + t.var(2).mean(0).numpy() / 2, rtol=1e-5)


@pytest.mark.parametrize(
    ("rank", "name"),
    [(2, "LazyBatchNorm1d"), (4, "LazyBatchNorm2d"), (5, "LazyBatchNorm3d"), (3, "LazyInstanceNorm1d")],
)
def test_lazy_norms(rank: int, name: str) -> None:
    layer = getattr(nn, name)()
    t = x(*(2, 3, 4, 5, 2)[:rank])
    y = layer(t)
    assert type(layer) is getattr(nn, name.removeprefix("Lazy"))
    assert (layer.num_features, tuple(layer.weight.shape), tuple(layer.running_var.shape)) == (3, (3,), (3,))
    again = getattr(nn, name)()
    again.load_state_dict(layer.state_dict())
    assert again.eval()(t).tolist() == layer.eval()(t).tolist()
    assert y.shape == t.shape


def test_dropout_drops_whole_channels_and_keeps_moments() -> None:
    t = lamina.ones(50, 40, 3, 3)
    y = F.dropout2d(t, 0.25).numpy()
    assert set(np.unique(y.reshape(2000, 9).std(1))) == {0}
    assert 0.2 < (y[:, :, 0, 0] == 0).mean() < 0.3
    normal = lamina.randn(200_000)
    for p in (0.2, 0.6):
        z = F.alpha_dropout(normal, p, training=True)
        assert abs(float(z.mean())) < 0.02
        assert abs(float(z.std()) - 1) < 0.02


def test_embedding_tables() -> None:
    table = x(4, 3)
    layer = nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad
    assert layer(lamina.tensor([1])).tolist() == table[1:2].tolist()
    padded = nn.Embedding(4, 3, padding_idx=-1)
    assert padded.padding_idx == 3
    assert padded.weight[3].tolist() == [0, 0, 0]
    bag = nn.EmbeddingBag.from_pretrained(table, mode="max", freeze=False)
    y = bag(lamina.tensor([0, 1, 2]), lamina.tensor([0, 2, 2]))
    np.testing.assert_allclose(y.detach().numpy()[0], table[:2].numpy().max(0))
    assert y[1].tolist() == [0, 0, 0]
    for sparse in (False, True):  # gradients are dense either way
        layer = nn.Embedding.from_pretrained(table, freeze=False, sparse=sparse)
        layer(lamina.tensor([1, 1])).sum().backward()
        assert layer.weight.grad is not None
        assert layer.weight.grad.tolist() == [[0, 0, 0], [2, 2, 2], [0, 0, 0], [0, 0, 0]]
    assert repr(layer) == "Embedding(4, 3, sparse=True)"
    nothing = F.embedding_bag(lamina.tensor([1]), layer.weight, lamina.tensor([0]), mode="max", padding_idx=1)
    assert nothing.requires_grad
    assert nothing.tolist() == [[0, 0, 0]]
    with pytest.raises(RuntimeError, match="idx < num_embeddings"):
        bag(lamina.tensor([[4]]))


def test_attention_layer_masks_and_batches() -> None:
    lamina.manual_seed(0)
    layer = nn.MultiheadAttention(4, 2, batch_first=True, add_bias_kv=True, add_zero_attn=True)
    t = x(2, 3, 4)
    hidden = lamina.tensor([[False, False, True], [False, False, False]])
    y, looks = layer(t, t, t, key_padding_mask=hidden, attn_mask=lamina.ones(3, 3).triu(1).bool())
    assert (y.shape, looks.shape) == ((2, 3, 4), (2, 3, 5))
    assert looks[0, :, 2].tolist() == [0, 0, 0]
    assert looks[1, 0, 1:3].tolist() == [0, 0]
    np.testing.assert_allclose(looks.sum(-1).detach().numpy(), 1, rtol=1e-6)
    alone, _ = layer(t[1], t[1], t[1], attn_mask=lamina.ones(3, 3).triu(1).bool())
    np.testing.assert_allclose(alone.detach().numpy(), y[1].detach().numpy(), rtol=1e-5, atol=1e-6)
    other = nn.MultiheadAttention(4, 2, kdim=3, vdim=2, bias=False)
    y, nothing = other(x(3, 4), x(5, 3), x(5, 2), need_weights=False)
    assert y.shape == (3, 4)
    assert nothing is None
    with pytest.raises(AssertionError, match="divisible by num_heads"):
        nn.MultiheadAttention(5, 2)
    for attention, length, message in (
        (layer, 4, "key shape .* does not match value shape"),
        (other, 4, "key's sequence and"),
    ):
        query = lamina.ones(1, 3, 4)
        with pytest.raises(AssertionError, match=message):
            attention(query, lamina.ones(1, 5, attention.kdim), lamina.ones(1, length, attention.vdim))


def test_resizing_options_that_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="only one of size or scale_factor"):
        F.interpolate(x(1, 1, 4), 2, 2.0)
    with pytest.raises(ValueError, match="align_corners option can only be set"):
        F.interpolate(x(1, 1, 4), 2, align_corners=True)
    with pytest.raises(NotImplementedError, match="Got 3D input, but bilinear mode needs 4D input"):
        F.interpolate(x(1, 1, 4), 2, mode="bilinear")
    with pytest.raises(ValueError, match="Anti-alias option is restricted"):
        F.interpolate(x(1, 1, 4, 4), 2, antialias=True)
