"""Samples of nn.functional: inputs, options, and what NumPy makes of them. A function without a row fails a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import erf, log, pi, sqrt
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Sample:
    """``F.<name>(*inputs, **options)`` should be ``reference(*inputs)``; floating point inputs get gradients."""

    name: str
    inputs: tuple[Array, ...]
    reference: Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)


_rng = np.random.default_rng(7)


def normal(*shape: int) -> Array:
    """Numbers around 0, none nearer than 0.05 to a whole or half number, where slopes may jump."""
    numbers = _rng.standard_normal(shape) * 2
    nearest = np.round(numbers * 2) / 2
    return np.where(np.abs(numbers - nearest) < 0.05, nearest + 0.1, numbers)


def positive(*shape: int) -> Array:
    return _rng.uniform(0.2, 2.0, shape)


def probabilities(*shape: int) -> Array:
    numbers = _rng.uniform(0.1, 1.0, shape)
    return numbers / numbers.sum(-1, keepdims=True)


def fractions(*shape: int) -> Array:
    return _rng.uniform(0.1, 0.9, shape)


def classes(count: int, *shape: int) -> Array:
    return _rng.integers(0, count, shape)


def signs(*shape: int) -> Array:
    return np.where(_rng.random(shape) < 0.5, -1.0, 1.0)


def reduced(reduction: str, loss: Array) -> Any:
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](loss)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def softmax(x: Array, axis: int) -> Array:
    exp = np.exp(x - x.max(axis, keepdims=True))
    return exp / exp.sum(axis, keepdims=True)


def log_softmax(x: Array, axis: int) -> Array:
    return np.log(softmax(x, axis))


def softplus(x: Array) -> Array:
    return np.log1p(np.exp(x))


def phi(x: Array) -> Array:
    return 0.5 * (1 + np.vectorize(erf)(x / sqrt(2)))


def p_norm(x: Array, p: float, axis: int, keepdims: bool = False) -> Array:
    return (np.abs(x) ** p).sum(axis, keepdims=keepdims) ** (1 / p)


def standardized(x: Array, axes: tuple[int, ...], eps: float) -> Array:
    mean = x.mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(x.var(axes, keepdims=True) + eps)


def _activations() -> list[Sample]:
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    x = normal(3, 4)
    table: list[tuple[str, Callable[..., Any], dict[str, Any]]] = [
        ("relu", lambda x: np.maximum(x, 0), {}),
        ("relu6", lambda x: np.clip(x, 0, 6), {}),
        ("hardtanh", lambda x: np.clip(x, -0.5, 1.5), {"min_val": -0.5, "max_val": 1.5}),
        ("hardsigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), {}),
        ("hardswish", lambda x: x * np.clip(x + 3, 0, 6) / 6, {}),
        ("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x), {"negative_slope": 0.2}),
        ("threshold", lambda x: np.where(x > 0.5, x, -3.0), {"threshold": 0.5, "value": -3.0}),
        ("elu", lambda x: np.where(x > 0, x, 1.5 * np.expm1(np.minimum(x, 0))), {"alpha": 1.5}),
        ("selu", lambda x: scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))), {}),
        ("celu", lambda x: np.where(x > 0, x, 2 * np.expm1(np.minimum(x, 0) / 2)), {"alpha": 2.0}),
        ("silu", lambda x: x * sigmoid(x), {}),
        ("mish", lambda x: x * np.tanh(softplus(x)), {}),
        ("gelu", lambda x: x * phi(x), {}),
        (
            "gelu",
            lambda x: 0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))),
            {"approximate": "tanh"},
        ),
        ("softplus", lambda x: np.where(2 * x > 3, x, softplus(2 * x) / 2), {"beta": 2, "threshold": 3}),
        ("logsigmoid", lambda x: np.log(sigmoid(x)), {}),
        ("softsign", lambda x: x / (1 + np.abs(x)), {}),
        ("tanhshrink", lambda x: x - np.tanh(x), {}),
        ("hardshrink", lambda x: np.where(np.abs(x) > 0.7, x, 0), {"lambd": 0.7}),
        ("softshrink", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.7, 0), {"lambd": 0.7}),
        ("sigmoid", sigmoid, {}),
        ("tanh", np.tanh, {}),
        ("glu", lambda x: x[:, :2] * sigmoid(x[:, 2:]), {}),
        ("softmax", lambda x: softmax(x, 0), {"dim": 0}),
        ("softmin", lambda x: softmax(-x, 1), {"dim": 1}),
        ("log_softmax", lambda x: log_softmax(x, -1), {"dim": -1}),
    ]
    rows = [Sample(name, (x,), reference, options) for name, reference, options in table]
    rows.append(Sample("relu_", (np.abs(x),), lambda x: x))
    rows.append(Sample("prelu", (x, positive(1)), lambda x, w: np.where(x > 0, x, w * x)))
    rows.append(Sample("prelu", (normal(2, 3, 2), positive(3)), lambda x, w: np.where(x > 0, x, w[:, None] * x)))
    return rows


def _regression_losses() -> list[Sample]:
    x, y = normal(4, 3), normal(4, 3)
    rows = []
    for reduction in ("mean", "sum", "none"):

        def row(name: str, loss: Callable[..., Any], reduction: str = reduction, **options: Any) -> Sample:
            return Sample(name, (x, y), lambda *a: reduced(reduction, loss(*a)), {"reduction": reduction, **options})

        def huber(x: Array, y: Array, delta: float) -> Array:
            d = np.abs(x - y)
            return np.where(d < delta, 0.5 * d**2, delta * (d - 0.5 * delta))

        rows += [
            row("mse_loss", lambda x, y: (x - y) ** 2),
            row("l1_loss", lambda x, y: np.abs(x - y)),
            row("smooth_l1_loss", lambda x, y: huber(x, y, 0.7) / 0.7, beta=0.7),
            row("huber_loss", lambda x, y: huber(x, y, 1.3), delta=1.3),
            row("poisson_nll_loss", lambda x, y: np.exp(x) - y * x),
        ]
    counts = positive(4, 3) + 1.1
    stirling = counts * np.log(counts) - counts + 0.5 * np.log(2 * pi * counts)
    rows += [
        Sample(
            "poisson_nll_loss",
            (positive(4, 3), counts),
            lambda x, y: np.mean(x - y * np.log(x + 1e-8) + stirling),
            {"log_input": False, "full": True},
        ),
        Sample(
            "gaussian_nll_loss",
            (x, y, positive(4, 1)),
            lambda x, y, v: np.mean(0.5 * (np.log(v) + (x - y) ** 2 / v)) + 0.5 * log(2 * pi),
            {"full": True},
        ),
        Sample(
            "mse_loss",
            (x, y, positive(4, 3)),
            lambda x, y, w: ((x - y) ** 2 * w).sum() / w.sum(),
            {"weight": 2},
        ),
    ]
    return rows


def _classification_losses() -> list[Sample]:
    scores, target = normal(5, 4), classes(4, 5)
    rows = []

    def nll(logp: Array, t: Array) -> Array:
        return -np.take_along_axis(logp, np.expand_dims(t, 1), 1).squeeze(1)

    for reduction in ("mean", "sum", "none"):
        for shape in ((5, 4), (2, 4, 3)):
            x, t = normal(*shape), classes(4, *shape[:1], *shape[2:])
            rows.append(
                Sample(
                    "cross_entropy",
                    (x, t),
                    lambda x, t, r=reduction: reduced(r, nll(log_softmax(x, 1), t)),
                    {"reduction": reduction},
                )
            )
            rows.append(
                Sample("nll_loss", (x, t), lambda x, t, r=reduction: reduced(r, nll(x, t)), {"reduction": reduction})
            )
        p, q = fractions(3, 2), fractions(3, 2)
        rows += [
            Sample(
                "binary_cross_entropy",
                (p, q),
                lambda p, q, r=reduction: reduced(r, -(q * np.log(p) + (1 - q) * np.log(1 - p))),
                {"reduction": reduction},
            ),
            Sample(
                "binary_cross_entropy_with_logits",
                (normal(3, 2), q),
                lambda x, q, r=reduction: reduced(r, -(q * np.log(sigmoid(x)) + (1 - q) * np.log(sigmoid(-x)))),
                {"reduction": reduction},
            ),
            Sample(
                "kl_div",
                (np.log(p), q),
                lambda x, q, r=reduction: reduced(r, q * (np.log(q) - x)),
                {"reduction": reduction},
            ),
        ]
    probs = probabilities(5, 4)
    rows += [
        Sample("cross_entropy", (scores, probs), lambda x, p: -(p * log_softmax(x, 1)).sum(1).mean()),
        Sample(
            "cross_entropy",
            (scores, target),
            lambda x, t: np.mean(0.8 * nll(log_softmax(x, 1), t) - 0.2 * log_softmax(x, 1).mean(1)),
            {"label_smoothing": 0.2},
        ),
        Sample("cross_entropy", (scores[0], target[0]), lambda x, t: -log_softmax(x, 0)[t]),
        Sample(
            "kl_div",
            (np.log(probs), np.log(probabilities(5, 4))),
            lambda x, q: (np.exp(q) * (q - x)).sum() / 5,
            {"reduction": "batchmean", "log_target": True},
        ),
    ]
    return rows


def _margin_losses() -> list[Sample]:
    a, b, c, s = normal(4, 3), normal(4, 3), normal(4, 3), signs(4)

    def cosine(a: Array, b: Array) -> Array:
        return (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))

    def distance(a: Array, b: Array) -> Array:
        return np.sqrt(((a - b + 1e-6) ** 2).sum(-1))

    def multi_margin(x: Array, t: Array, p: int) -> Any:
        rows = np.arange(len(t))
        loss = np.maximum(0, 1 - x[rows, t][:, None] + x) ** p
        loss[rows, t] = 0
        return loss.sum(1).mean() / x.shape[1]

    return [
        Sample(
            "margin_ranking_loss",
            (a[0], b[0], signs(3)),
            lambda a, b, s: np.maximum(0, -s * (a - b) + 0.3).mean(),
            {"margin": 0.3},
        ),
        Sample(
            "hinge_embedding_loss",
            (positive(4), s),
            lambda x, s: np.where(s == 1, x, np.maximum(0, 1 - x)).mean(),
        ),
        Sample("soft_margin_loss", (a, signs(4, 3)), lambda x, s: np.log1p(np.exp(-s * x)).mean()),
        Sample(
            "cosine_embedding_loss",
            (a, b, s),
            lambda a, b, s: np.where(s == 1, 1 - cosine(a, b), np.maximum(0, cosine(a, b) + 0.2)).mean(),
            {"margin": -0.2},
        ),
        Sample(
            "triplet_margin_loss",
            (a, b, c),
            lambda a, b, c: np.maximum(distance(a, b) - distance(a, c) + 1, 0).mean(),
        ),
        Sample(
            "triplet_margin_loss",
            (a, b, c),
            lambda a, b, c: np.maximum(distance(a, b) - np.minimum(distance(a, c), distance(b, c)) + 1, 0).mean(),
            {"swap": True},
        ),
        Sample("multi_margin_loss", (normal(4, 3), classes(3, 4)), lambda x, t: multi_margin(x, t, 1)),
        Sample("multi_margin_loss", (normal(4, 3), classes(3, 4)), lambda x, t: multi_margin(x, t, 2), {"p": 2}),
    ]


def _others() -> list[Sample]:
    x = normal(3, 4)
    batch, mean, var = normal(5, 3, 2), normal(3), positive(3)
    query, key, value = normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 3)

    def attention(q: Array, k: Array, v: Array, causal: bool) -> Array:
        scores = q @ k.swapaxes(-1, -2) / 2
        if causal:
            scores = np.where(np.tril(np.ones(scores.shape[-2:], dtype=bool)), scores, -np.inf)
        return softmax(scores, -1) @ v

    def group_norm(x: Array, w: Array, b: Array) -> Array:
        groups = standardized(x.reshape(x.shape[0], 2, -1), (2,), 1e-5).reshape(x.shape)
        return groups * w[:, None] + b[:, None]

    return [
        Sample("linear", (x, normal(2, 4), normal(2)), lambda x, w, b: x @ w.T + b),
        Sample("linear", (normal(2, 3, 4), normal(2, 4)), lambda x, w: x @ w.T),
        Sample(
            "bilinear",
            (x, normal(3, 2), normal(5, 4, 2), normal(5)),
            lambda a, b, w, c: np.einsum("ni,kij,nj->nk", a, w, b) + c,
        ),
        Sample("dropout", (x,), lambda x: x, {"p": 0.0}),
        Sample("dropout", (x,), lambda x: x * 0, {"p": 1.0}),
        Sample("dropout", (x,), lambda x: x, {"p": 0.5, "training": False}),
        Sample("layer_norm", (x,), lambda x: standardized(x, (1,), 1e-5), {"normalized_shape": (4,)}),
        Sample(
            "layer_norm",
            (x, normal(3, 4), normal(3, 4)),
            lambda x, w, b: standardized(x, (0, 1), 1e-3) * w + b,
            {"normalized_shape": [3, 4], "weight": 1, "bias": 2, "eps": 1e-3},
        ),
        Sample(
            "rms_norm",
            (x, normal(4)),
            lambda x, w: x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-3) * w,
            {"normalized_shape": (4,), "weight": 1, "eps": 1e-3},
        ),
        Sample(
            "group_norm", (normal(2, 4, 3), normal(4), normal(4)), group_norm, {"num_groups": 2, "weight": 1, "bias": 2}
        ),
        Sample(
            "batch_norm",
            (batch, positive(3), normal(3)),
            lambda x, w, b: (x - mean[:, None]) / np.sqrt(var[:, None] + 1e-5) * w[:, None] + b[:, None],
            {"running_mean": mean, "running_var": var, "weight": 1, "bias": 2},
        ),
        Sample(
            "batch_norm",
            (batch,),
            lambda x: standardized(x, (0, 2), 1e-5),
            {"running_mean": None, "running_var": None, "training": True},
        ),
        Sample("normalize", (x,), lambda x: x / p_norm(x, 2, 1, True)),
        Sample("normalize", (x,), lambda x: x / p_norm(x, 1, 0, True), {"p": 1.0, "dim": 0}),
        Sample(
            "cosine_similarity",
            (x, normal(3, 4)),
            lambda a, b: (a * b).sum(1) / (p_norm(a, 2, 1) * p_norm(b, 2, 1)),
        ),
        Sample(
            "cosine_similarity",
            (x, normal(1, 4)),
            lambda a, b: (a * b).sum(-1) / (p_norm(a, 2, -1) * p_norm(b, 2, -1)),
            {"dim": -1},
        ),
        Sample("pairwise_distance", (x, normal(3, 4)), lambda a, b: p_norm(a - b + 1e-6, 2, -1)),
        Sample("pairwise_distance", (x, normal(3, 4)), lambda a, b: p_norm(a - b + 1e-6, 3, -1), {"p": 3}),
        Sample("embedding", (classes(4, 2, 3), normal(4, 5)), lambda i, w: w[i]),
        Sample("one_hot", (classes(4, 2, 3),), lambda i: np.eye(4, dtype=np.int64)[i], {"num_classes": 4}),
        Sample("pad", (x,), lambda x: np.pad(x, ((0, 0), (1, 2)), constant_values=7), {"pad": (1, 2), "value": 7.0}),
        Sample("pad", (x,), lambda x: np.pad(x, ((2, 0), (0, 1)))[:, 1:], {"pad": (-1, 1, 2, 0)}),
        Sample("pad", (x,), lambda x: np.pad(x, ((0, 0), (1, 3)), mode="reflect"), {"pad": (1, 3), "mode": "reflect"}),
        Sample("pad", (x,), lambda x: np.pad(x, ((0, 0), (5, 2)), mode="edge"), {"pad": (5, 2), "mode": "replicate"}),
        Sample(
            "pad",
            (normal(2, 3, 4),),
            lambda x: np.pad(x, ((0, 0), (1, 2), (4, 1)), mode="wrap"),
            {"pad": (4, 1, 1, 2), "mode": "circular"},
        ),
        Sample("scaled_dot_product_attention", (query, key, value), lambda q, k, v: attention(q, k, v, False)),
        Sample(
            "scaled_dot_product_attention",
            (query, key, value),
            lambda q, k, v: attention(q, k, v, True),
            {"is_causal": True},
        ),
    ]


SAMPLES = [*_activations(), *_regression_losses(), *_classification_losses(), *_margin_losses(), *_others()]
