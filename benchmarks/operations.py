"""Single operations, as rows: expressions in PyTorch's words over named operands, for lamina and PyTorch eager.

They show where a user's next call is slow, not what the project promises: run them with ``--operations``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .workloads import Workload

SIZES = (64, 1000)

# Over matrices of a size; gradients are timed, too.
MATRICES = """
x + y; x * y; x / y; x + row; x * column; 2 * x + 1; x**2; p**2.5; p**y; torch.maximum(x, y); torch.where(mask, x, y)
torch.lerp(x, y, 0.3); x.clamp(-1, 1); torch.atan2(x, y); torch.hypot(x, y); x.exp(); p.log(); p.log1p(); x.sin()
x.tan(); x.tanh(); x.atan(); x.erf(); p.sqrt(); p.rsqrt(); x.abs(); x.sigmoid(); F.relu(x); F.gelu(x); F.silu(x)
F.elu(x); F.leaky_relu(x); F.softplus(x); F.mish(x); F.hardswish(x); F.hardtanh(x); F.logsigmoid(x); F.glu(x)
F.dropout(x, 0.1); x.sum(); x.sum(0); x.sum(1); x.mean(1); x.amax(1); x.max(0)[0]; x.var(0); x.var(1); x.norm(dim=1)
x.logsumexp(1); x.prod(1); x.softmax(0); x.softmax(1); x.log_softmax(1); x.cumsum(0); x.cumsum(1); x.cummax(1)[0]
x.logcumsumexp(1); x.sort(1)[0]; x.topk(5, 1)[0]; x.median(1)[0]; x.kthvalue(9, 1)[0]; x.t().contiguous()
torch.cat([x, y], 1); torch.stack([x, y], 1); x.flip(1); x.roll(3, 1); x[:, ::2] * 2; x.tril(); x.repeat(1, 3)
F.pad(x, (1, 1)); x.repeat_interleave(2, 1); x.diagonal() * 2; x[order]; x[:, order]; x.index_select(0, order)
x.gather(0, index); x.gather(1, index); x.scatter_add(0, index, y); x.index_add(0, order, y)
x.index_copy(1, order, y); x.masked_fill(mask, 0.0); x[mask]; F.layer_norm(x, x.shape[1:]); F.rms_norm(x, x.shape[1:])
F.batch_norm(x, None, None, training=True); F.normalize(x); F.cosine_similarity(x, y); torch.cdist(x, y)
F.mse_loss(x, y); F.l1_loss(x, y); F.smooth_l1_loss(x, y); F.cross_entropy(x, order)
F.binary_cross_entropy_with_logits(x, y.sigmoid()); F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean")
x @ y; x @ row; torch.outer(row, row); torch.einsum("ij,kj->ik", x, y); torch.linalg.inv(spd)
torch.linalg.solve(spd, x); torch.linalg.cholesky(spd); torch.logdet(spd)
"""

# Over the same; numbers alone.
MATRICES_FORWARD = """
x < y; x.sign(); x.floor(); x.round(); torch.fmod(x, y); torch.remainder(x, y); x.isnan(); torch.lgamma(p)
torch.digamma(p); p.cumprod(1); x.argmax(1); x.argmin(0); x.argsort(1); x.count_nonzero(); (x > 5).any()
(x > 1).nonzero(); (x * 9).round().unique(); x.histc(50); torch.bincount(index.flatten())
torch.searchsorted(row.sort()[0], x); torch.bucketize(x, row.sort()[0]); torch.isin(index, order)
F.one_hot(order, order.numel()); x.double(); x.long(); x.bfloat16().float(); index + index; index * 3 % 7
(index == 5).sum(); torch.rand(x.shape); torch.randn(x.shape); torch.randperm(x.numel()); torch.bernoulli(x.sigmoid())
torch.multinomial(x.softmax(1), 1); torch.zeros(x.shape); torch.full(x.shape, 3.0); torch.arange(x.numel())
torch.eye(x.shape[0]); torch.linalg.qr(x)[1].abs(); torch.fft.rfft(x).abs(); x.equal(y)
"""

# Over images, sequences, tables and heads of attention of one size.
LAYERS = """
F.conv2d(photo, stem, stride=2, padding=3); F.conv2d(image, filters, padding=1); F.conv2d(images, filters, padding=1)
F.conv2d(images, filters, padding=1, stride=2); F.conv2d(images, pointwise)
F.conv2d(images, depthwise, padding=1, groups=64); F.conv2d(digits, first, padding=2); F.conv2d(maps, second)
F.conv2d(deep, many, padding=1); F.conv1d(signals, taps, padding=1); F.conv3d(volumes, cubes, padding=1)
F.conv_transpose2d(small, up, stride=2, padding=1); F.max_pool2d(images, 2); F.max_pool2d(images, 3, 2, 1)
F.avg_pool2d(images, 2); F.adaptive_avg_pool2d(images, 1); F.batch_norm(images, None, None, training=True)
F.group_norm(images, 4); F.instance_norm(images); images.softmax(1); images.mean((2, 3)); images.sum(0)
F.interpolate(images, scale_factor=2); F.interpolate(images, scale_factor=2, mode="bilinear")
F.pixel_shuffle(images, 2); F.unfold(images, 3, padding=1); F.pad(images, (1, 1, 1, 1), mode="reflect")
F.grid_sample(images, grid, align_corners=False); images.permute(0, 2, 3, 1).reshape(-1, 64)
F.embedding(words, table); F.embedding_bag(words, table, mode="mean"); torch.bmm(heads, heads.mT)
F.scaled_dot_product_attention(q, k, v); F.scaled_dot_product_attention(q, k, v, is_causal=True)
F.scaled_dot_product_attention(long_q, long_k, long_v, is_causal=True); q.transpose(1, 2).contiguous()
"""

NORMAL = {
    "photo": (1, 3, 224, 224),
    "stem": (64, 3, 7, 7),
    "image": (1, 64, 56, 56),
    "images": (8, 64, 56, 56),
    "filters": (64, 64, 3, 3),
    "pointwise": (256, 64, 1, 1),
    "depthwise": (64, 1, 3, 3),
    "digits": (64, 1, 28, 28),
    "first": (6, 1, 5, 5),
    "maps": (64, 6, 14, 14),
    "second": (16, 6, 5, 5),
    "deep": (4, 512, 7, 7),
    "many": (512, 512, 3, 3),
    "signals": (16, 64, 256),
    "taps": (64, 64, 3),
    "volumes": (2, 8, 16, 16, 16),
    "cubes": (16, 8, 3, 3, 3),
    "small": (8, 64, 16, 16),
    "up": (64, 32, 4, 4),
    "table": (10000, 64),
    "heads": (64, 32, 32),
    **dict.fromkeys(("q", "k", "v"), (8, 8, 128, 64)),
    **dict.fromkeys(("long_q", "long_k", "long_v"), (2, 8, 1024, 64)),
}
MADE: dict[str, Callable[[np.random.Generator, int], Any]] = {
    "x": lambda draw, n: draw.standard_normal((n, n), np.float32),
    "y": lambda draw, n: draw.standard_normal((n, n), np.float32),
    "p": lambda draw, n: draw.uniform(0.1, 3, (n, n)).astype(np.float32),
    "row": lambda draw, n: draw.standard_normal(n, np.float32),
    "column": lambda draw, n: draw.standard_normal((n, 1), np.float32),
    "mask": lambda draw, n: draw.random((n, n)) < 0.5,
    "spd": lambda draw, n: np.cov(draw.standard_normal((n, 2 * n))).astype(np.float32),
    "index": lambda draw, n: draw.integers(0, n, (n, n)),
    "order": lambda draw, n: draw.permutation(n),
    "words": lambda draw, _: draw.integers(0, 10000, (256, 32)),
    "grid": lambda draw, _: draw.uniform(-1, 1, (8, 56, 56, 2)).astype(np.float32),
} | {name: lambda draw, _, shape=shape: draw.standard_normal(shape, np.float32) for name, shape in NORMAL.items()}


def operands(expression: str, size: int) -> dict[str, Any]:
    """What the expression reads, by name."""
    names = [name for name in MADE if re.search(rf"(?<![\w.\"]){name}(?![\w\"])(?!=\w)", expression)]
    return {name: MADE[name](np.random.default_rng(sum(map(ord, name))), size) for name in names}


def is_random(expression: str) -> bool:
    return re.search("rand|dropout|bernoulli|multinomial", expression) is not None


def _rows(text: str, sizes: Sequence[int], gradients: bool) -> list[Workload]:
    rows = []
    for size in sizes:
        for expression in (part.strip() for line in text.strip().splitlines() for part in line.split(";")):
            name, arguments = f"op {expression}{f', {size}' if size else ''}", {"expression": expression, "size": size}
            rows.append(Workload(f"{name}: forward", "operation", arguments))
            if gradients:
                rows.append(Workload(f"{name}: forward + gradients", "operation_backward", arguments))
    return rows


OPERATIONS = _rows(MATRICES, SIZES, True) + _rows(MATRICES_FORWARD, SIZES, False) + _rows(LAYERS, (0,), True)
