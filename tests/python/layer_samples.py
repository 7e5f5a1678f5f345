"""Samples of normalizations, bags, rearrangements and further losses: functions and modules, as in nn_samples.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from nn_samples import Array, Sample, classes, normal, p_norm, positive, sigmoid, softmax, standardized

from lamina import nn
from lamina.nn import functional as F


def local_response(x: Array, size: int, alpha: float, beta: float, k: float) -> Array:
    result = np.empty_like(x)
    for c in range(x.shape[1]):
        around = x[:, max(0, c - size // 2) : c + (size - 1) // 2 + 1]
        result[:, c] = x[:, c] / (k + alpha * (around**2).sum(1) / size) ** beta
    return result


def shuffled(x: Array, r: int) -> Array:
    n, c, h, w = x.shape
    return x.reshape(n, c // r**2, r, r, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // r**2, h * r, w * r)


def windows(x: Array) -> Array:
    """Windows of 2 by 2 every 2 rows and column of (n, c, h, w), with a border of a column."""
    padded = np.pad(x, ((0, 0), (0, 0), (0, 0), (1, 1)))
    taps = [padded[:, :, i : i + padded.shape[2] - 1 : 2, j : j + padded.shape[3] - 1] for i in (0, 1) for j in (0, 1)]
    return np.stack(taps, 2).reshape(x.shape[0], x.shape[1] * 4, -1)


def folded(columns: Array) -> Array:
    """The adjoint of `windows`, for images (n, c, 4, 3)."""
    n, rows, _ = columns.shape
    units = np.eye(rows // 4 * 12).reshape(-1, rows // 4, 4, 3)
    return (columns.reshape(n, -1) @ windows(units).reshape(len(units), -1).T).reshape(n, rows // 4, 4, 3)


def linear_places(x: Array, size: int, corners: bool) -> Array:
    """Along the last axis."""
    last = x.shape[-1] - 1
    at = np.arange(size) * last / (size - 1) if corners else (np.arange(size) + 0.5) * x.shape[-1] / size - 0.5
    at = np.clip(at, 0, last)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, last)
    return x[..., low] * (1 - at + low) + x[..., high] * (at - low)


def bilinear(x: Array, size: tuple[int, int], corners: bool) -> Array:
    return linear_places(linear_places(x, size[1], corners).swapaxes(-1, -2), size[0], corners).swapaxes(-1, -2)


def multilabel_margin(x: Array, target: Array) -> float:
    total = 0.0
    for row, listed in zip(x, target):
        right = list(listed[: list(listed).index(-1)]) if -1 in listed else list(listed)
        wrong = [c for c in range(len(row)) if c not in right]
        total += sum(max(0.0, 1 - row[r] + row[w]) for r in right for w in wrong) / len(row)
    return total / len(x)


def heads(q: Array, k: Array, v: Array, w: Array, b: Array, out: Array, bias: Array) -> Array:
    """Two heads; query and key may look everywhere."""
    parts = [x @ u.T + c for x, u, c in zip((q, k, v), np.split(w, 3), np.split(b, 3))]
    length, batch, width = parts[0].shape
    q, k, v = (x.reshape(-1, batch, 2, width // 2).transpose(1, 2, 0, 3) for x in parts)
    looks = softmax(q @ k.swapaxes(-1, -2) / np.sqrt(width / 2), -1)
    return (looks @ v).transpose(2, 0, 1, 3).reshape(length, batch, width) @ out.T + bias


def corner_grid(rows: int, columns: int) -> Array:
    """x and y of each place, -1 and 1 at the outermost centres."""
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    return np.stack([x, y], -1)[None]


def moved_grid(theta: Array) -> Array:
    """For 4 by 2 places, whose outermost edges are at -1 and 1."""
    grid = np.concatenate([corner_grid(4, 2) * (0.5, 0.75), np.ones((1, 4, 2, 1))], -1)
    return np.einsum("nij,hwj->nhwi", theta, grid[0])


def looked(x: Array, grid: Array, corners: bool, border: bool) -> Array:
    """x (n, c, h, w) at the places of a grid, between neighbours."""
    result = np.zeros((*x.shape[:2], *grid.shape[1:3]))
    for place in np.ndindex(*grid.shape[:3]):
        at = [
            (u + 1) / 2 * (n - 1) if corners else ((u + 1) * n - 1) / 2 for u, n in zip(grid[place][::-1], x.shape[2:])
        ]
        if border:
            at = [min(max(a, 0), n - 1) for a, n in zip(at, x.shape[2:])]
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                share = max(0, 1 - abs(at[0] - i)) * max(0, 1 - abs(at[1] - j))
                result[(place[0], slice(None), *place[1:])] += share * x[place[0], :, i, j]
    return result


GRID = np.array([[[[0.13, -0.21], [-0.87, 0.4]]], [[[0.77, -0.55], [1.4, 0.93]]]])
INPLACE: list[tuple[str, Callable[[Array], Array], dict[str, Any]]] = [
    ("celu_", lambda x: np.where(x > 0, x, 2 * np.expm1(np.minimum(x, 0) / 2)), {"alpha": 2.0}),
    ("elu_", lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), {}),
    ("hardtanh_", lambda x: np.clip(x, -0.5, 1.5), {"min_val": -0.5, "max_val": 1.5}),
    ("leaky_relu_", lambda x: np.where(x > 0, x, 0.2 * x), {"negative_slope": 0.2}),
    ("rrelu_", lambda x: np.where(x > 0, x, x * 0.3), {"lower": 0.2, "upper": 0.4}),
    ("selu_", lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))), {}),
    ("threshold_", lambda x: np.where(x > 0.5, x, -3.0), {"threshold": 0.5, "value": -3.0}),
]


def _samples() -> list[Sample]:
    image, wide = normal(2, 3, 4, 3), normal(2, 8, 2, 3)
    mean, var = normal(3), positive(3)
    numbers, table = np.array([1, 3, 0, 2, 2, 1]), normal(4, 5)
    bags = [table[numbers[:2]], table[numbers[2:5]], table[numbers[5:]]]
    offsets = np.array([0, 2, 5])
    scores, labels = normal(3, 4), np.array([[3, 0, -1, 1], [1, 2, 3, 0], [-1, 0, 1, 2]])
    q, k, a, p, n = normal(3, 2, 4), normal(5, 2, 4), normal(3, 4), normal(3, 4), normal(3, 4)
    far = np.eye(4)[classes(4, 3)] * 1e3
    yes = (normal(3, 4) > 0) * 1.0
    attention = (q, k, normal(5, 2, 4), normal(12, 4), normal(12), normal(4, 4), normal(4))
    return [
        Sample("instance_norm", (image,), lambda x: standardized(x, (2, 3), 1e-5)),
        Sample(
            "instance_norm",
            (image, positive(3), normal(3)),
            lambda x, w, b: (
                (x - mean[:, None, None]) / np.sqrt(var[:, None, None] + 1e-5) * w[:, None, None] + b[:, None, None]
            ),
            {"running_mean": mean, "running_var": var, "weight": 1, "bias": 2, "use_input_stats": False},
        ),
        Sample(
            "local_response_norm",
            (wide,),
            lambda x: local_response(x, 4, 0.5, 0.75, 2.0),
            {"size": 4, "alpha": 0.5, "k": 2.0},
        ),
        Sample(
            "embedding_bag",
            (numbers, table, offsets),
            lambda i, w, o: np.stack([bag.sum(0) for bag in bags]),
            {"mode": "sum"},
        ),
        Sample("embedding_bag", (numbers.reshape(2, 3), table), lambda i, w: w[i].mean(1)),
        Sample(
            "embedding_bag",
            (numbers, table, offsets),
            lambda i, w, o: np.stack([bag.max(0) for bag in bags]),
            {"mode": "max"},
        ),
        Sample("pixel_shuffle", (wide,), lambda x: shuffled(x, 2), {"upscale_factor": 2}),
        Sample("pixel_unshuffle", (shuffled(wide, 2),), lambda x: wide, {"downscale_factor": 2}),
        Sample("channel_shuffle", (wide,), lambda x: x[:, [0, 4, 1, 5, 2, 6, 3, 7]], {"groups": 2}),
        Sample("native_channel_shuffle", (wide,), lambda x: x[:, [0, 4, 1, 5, 2, 6, 3, 7]], {"groups": 2}),
        Sample("unfold", (image,), windows, {"kernel_size": 2, "padding": (0, 1), "stride": (2, 1)}),
        Sample(
            "fold",
            (normal(2, 12, 8),),
            folded,
            {"output_size": (4, 3), "kernel_size": 2, "padding": (0, 1), "stride": (2, 1)},
        ),
        Sample(
            "interpolate", (image,), lambda x: x.repeat(2, 2).repeat(3, 3), {"scale_factor": (2, 3), "mode": "nearest"}
        ),
        Sample(
            "interpolate",
            (image,),
            lambda x: x[:, :, [0, 2, 3]][..., [0, 2]],
            {"size": (3, 2), "mode": "nearest-exact"},
        ),
        Sample("interpolate", (image,), lambda x: bilinear(x, (3, 5), False), {"size": (3, 5), "mode": "bilinear"}),
        Sample(
            "interpolate",
            (image,),
            lambda x: bilinear(x, (7, 2), True),
            {"size": (7, 2), "mode": "bilinear", "align_corners": True},
        ),
        Sample("interpolate", (image[0],), lambda x: linear_places(x, 6, False), {"scale_factor": 2, "mode": "linear"}),
        Sample("interpolate", (image,), lambda x: x.reshape(2, 3, 2, 2, 3).mean(3), {"size": (2, 3), "mode": "area"}),
        Sample("multilabel_margin_loss", (scores, labels), multilabel_margin),
        Sample(
            "multilabel_soft_margin_loss",
            (scores, yes),
            lambda x, t: -(t * np.log(sigmoid(x)) + (1 - t) * np.log(sigmoid(-x))).mean(),
        ),
        Sample(
            "triplet_margin_with_distance_loss",
            (a, p, n),
            lambda a, p, n: np.maximum(
                p_norm(a - p + 1e-6, 2, -1) - np.minimum(p_norm(a - n + 1e-6, 2, -1), p_norm(p - n + 1e-6, 2, -1)) + 4,
                0,
            ).mean(),
            {"margin": 4.0, "swap": True},
        ),
        Sample(
            "pdist",
            (scores,),
            lambda x: np.array([p_norm(x[i] - x[j], 3, 0) for i, j in ((0, 1), (0, 2), (1, 2))]),
            {"p": 3.0},
        ),
        Sample(
            "affine_grid",
            (np.eye(2, 3)[None],),
            lambda t: corner_grid(2, 3),
            {"size": (1, 1, 2, 3), "align_corners": True},
        ),
        Sample("affine_grid", (normal(2, 2, 3),), moved_grid, {"size": (2, 1, 4, 2), "align_corners": False}),
        Sample("grid_sample", (image, GRID), lambda x, g: looked(x, g, True, False), {"align_corners": True}),
        Sample(
            "grid_sample",
            (image, GRID),
            lambda x, g: looked(x, g, False, True),
            {"padding_mode": "border", "align_corners": False},
        ),
        *[Sample(name, (scores,), reference, options) for name, reference, options in INPLACE],
        Sample("rrelu", (scores,), lambda x: np.where(x > 0, x, x * (1 / 8 + 1 / 3) / 2)),
        Sample("gumbel_softmax", (far,), lambda x: x / 1e3),
        Sample("gumbel_softmax", (far,), lambda x: x / 1e3, {"hard": True, "dim": 1}),
        Sample("dropout1d", (image[0],), lambda x: x, {"p": 0.0}),
        Sample("dropout2d", (image,), lambda x: x * 0, {"p": 1.0}),
        Sample("dropout3d", (normal(1, 2, 2, 2, 2),), lambda x: x, {"training": False}),
        Sample("alpha_dropout", (image,), lambda x: x, {"p": 0.3}),
        Sample("feature_alpha_dropout", (image,), lambda x: x * 0, {"p": 1.0, "training": True}),
        Sample(
            "multi_head_attention_forward",
            attention,
            heads,
            {
                "embed_dim_to_check": 4,
                "num_heads": 2,
                "bias_k": None,
                "bias_v": None,
                "add_zero_attn": False,
                "dropout_p": 0.0,
                "in_proj_weight": 3,
                "in_proj_bias": 4,
                "out_proj_weight": 5,
                "out_proj_bias": 6,
            },
        ),
    ]


SAMPLES = _samples()


def modules(x: Callable[..., Any]) -> list[tuple[nn.Module, tuple[Any, ...], Callable[..., Any], str]]:
    """Rows of test_nn_layers.py: a module, its inputs, the function it stands for, and how it prints."""
    image, line = x(2, 4, 6, 6), x(2, 4, 6)
    bag, rows_of = nn.EmbeddingBag(5, 3, mode="sum", padding_idx=1), nn.Embedding(5, 3, 1, max_norm=2.0)
    numbers = x(2, 4).argsort()

    norm = "eps=1e-05, momentum=0.1, affine={0}, bias={0}, track_running_stats={1}"
    rows: list[tuple[nn.Module, tuple[Any, ...], Callable[..., Any], str]] = [
        (
            nn.LayerNorm(6),
            (line,),
            lambda t: F.layer_norm(t, (6,)),
            "LayerNorm((6,), eps=1e-05, elementwise_affine=True, bias=True)",
        ),
        (
            nn.RMSNorm((4, 6)),
            (line,),
            lambda t: F.rms_norm(t, (4, 6)),
            "RMSNorm((4, 6), eps=None, elementwise_affine=True)",
        ),
        (
            nn.GroupNorm(2, 4),
            (line,),
            lambda t: F.group_norm(t, 2),
            "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)",
        ),
        (
            nn.LocalResponseNorm(3),
            (image,),
            lambda t: F.local_response_norm(t, 3),
            "LocalResponseNorm(3, alpha=0.0001, beta=0.75, k=1.0)",
        ),
        (
            nn.BatchNorm1d(4),
            (line,),
            lambda t: F.batch_norm(t, None, None, training=True),
            f"BatchNorm1d(4, {norm.format(True, True)})",
        ),
        (
            nn.BatchNorm2d(4, affine=False).eval(),
            (image,),
            lambda t: t / (1 + 1e-5) ** 0.5,
            f"BatchNorm2d(4, {norm.format(False, True)})",
        ),
        (nn.InstanceNorm1d(4), (line,), F.instance_norm, f"InstanceNorm1d(4, {norm.format(False, False)})"),
        (
            nn.InstanceNorm2d(4, affine=True),
            (image,),
            F.instance_norm,
            f"InstanceNorm2d(4, {norm.format(True, False)})",
        ),
        (
            nn.BatchNorm3d(4).eval(),
            (x(2, 4, 2, 2, 2),),
            lambda t: t / (1 + 1e-5) ** 0.5,
            f"BatchNorm3d(4, {norm.format(True, True)})",
        ),
        (nn.InstanceNorm3d(4), (x(2, 4, 2, 2, 2),), F.instance_norm, f"InstanceNorm3d(4, {norm.format(False, False)})"),
        (nn.CosineSimilarity(), (line, -line), F.cosine_similarity, "CosineSimilarity()"),
        (nn.PairwiseDistance(), (line, -line), F.pairwise_distance, "PairwiseDistance()"),
        (
            nn.Unflatten(1, (2, 2)),
            (line,),
            lambda t: t.reshape(2, 2, 2, 6),
            "Unflatten(dim=1, unflattened_size=(2, 2))",
        ),
        (nn.Dropout1d(0.3).eval(), (line,), lambda t: t, "Dropout1d(p=0.3, inplace=False)"),
        (nn.Dropout2d(1.0), (image,), lambda t: t * 0, "Dropout2d(p=1.0, inplace=False)"),
        (nn.Dropout3d(0.3).eval(), (image,), lambda t: t, "Dropout3d(p=0.3, inplace=False)"),
        (nn.AlphaDropout(0.3).eval(), (line,), lambda t: t, "AlphaDropout(p=0.3, inplace=False)"),
        (nn.FeatureAlphaDropout(0.3).eval(), (line,), lambda t: t, "FeatureAlphaDropout(p=0.3, inplace=False)"),
        (nn.PixelShuffle(2), (image,), lambda t: F.pixel_shuffle(t, 2), "PixelShuffle(upscale_factor=2)"),
        (nn.PixelUnshuffle(2), (image,), lambda t: F.pixel_unshuffle(t, 2), "PixelUnshuffle(downscale_factor=2)"),
        (nn.ChannelShuffle(2), (image,), lambda t: F.channel_shuffle(t, 2), "ChannelShuffle(groups=2)"),
        (nn.Unfold(2), (image,), lambda t: F.unfold(t, 2), "Unfold(kernel_size=2, dilation=1, padding=0, stride=1)"),
        (
            nn.Fold((3, 4), 2),
            (line,),
            lambda t: F.fold(t, (3, 4), 2),
            "Fold(output_size=(3, 4), kernel_size=2, dilation=1, padding=0, stride=1)",
        ),
        (
            nn.Upsample(scale_factor=2),
            (image,),
            lambda t: F.interpolate(t, scale_factor=2),
            "Upsample(scale_factor=2.0, mode='nearest')",
        ),
        (
            nn.UpsamplingNearest2d((3, 9)),
            (image,),
            lambda t: F.interpolate(t, (3, 9)),
            "UpsamplingNearest2d(size=(3, 9), mode='nearest')",
        ),
        (
            nn.UpsamplingBilinear2d(8),
            (image,),
            lambda t: F.interpolate(t, 8, mode="bilinear", align_corners=True),
            "UpsamplingBilinear2d(size=8, mode='bilinear')",
        ),
        (nn.RReLU().eval(), (line,), F.rrelu, "RReLU(lower=0.125, upper=0.3333333333333333)"),
        (nn.Softmax2d(), (image,), lambda t: F.softmax(t, 1), "Softmax2d()"),
        (
            bag,
            (numbers,),
            lambda i: F.embedding_bag(i, bag.weight, mode="sum", padding_idx=1),
            "EmbeddingBag(5, 3, mode='sum', padding_idx=1)",
        ),
        (
            rows_of,
            (numbers,),
            lambda i: F.embedding(i, rows_of.weight, 1, 2.0),
            "Embedding(5, 3, padding_idx=1, max_norm=2.0)",
        ),
        (
            nn.TripletMarginWithDistanceLoss(margin=2.0),
            (line, -line, line * 2),
            lambda *a: F.triplet_margin_with_distance_loss(*a, margin=2.0),
            "TripletMarginWithDistanceLoss(\n  (distance_function): PairwiseDistance()\n)",
        ),
        (nn.MultiLabelMarginLoss(), (x(1, 3), x(1, 3).argsort()), F.multilabel_margin_loss, "MultiLabelMarginLoss()"),
        (
            nn.MultiLabelSoftMarginLoss(),
            (x(2, 3), x(2, 3).sigmoid()),
            F.multilabel_soft_margin_loss,
            "MultiLabelSoftMarginLoss()",
        ),
    ]
    for kind, mode in (("Reflection", "reflect"), ("Replication", "replicate"), ("Circular", "circular")):
        for axes, borders in ((1, (1, 2)), (2, (1, 2, 0, 1))):
            layer = getattr(nn, f"{kind}Pad{axes}d")(borders)
            rows.append(
                (layer, (image if axes == 2 else line,), _padder(borders, mode), f"{kind}Pad{axes}d({borders})")
            )
    for axes, borders in ((1, (2, 2)), (2, (2, 2, 2, 2))):
        rows.append(
            (getattr(nn, f"ZeroPad{axes}d")(2), (image,), _padder(borders, "constant"), f"ZeroPad{axes}d({borders})")
        )
        layer = getattr(nn, f"ConstantPad{axes}d")(2, 0.0)
        rows.append(
            (layer, (image,), _padder(borders, "constant"), f"ConstantPad{axes}d(padding={borders}, value=0.0)")
        )
    return rows


def _padder(borders: tuple[int, ...], mode: str) -> Callable[..., Any]:
    return lambda t: F.pad(t, borders, mode)
