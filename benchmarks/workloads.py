"""What is timed: one row a workload, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from typing import Any

MLP = (784, 512, 256, 10)
WIDE = (4096,) * 4
SEED_NET = (20, 256, 10)
SMALL = (20, 64, 10)
BLOCKS, MORE_BLOCKS = 152, 1000
REDUCTIONS = ("sum", "max", "argmax", "softmax", "logsumexp")
ROW_FUNCTIONS = ("mean", "var", "sum(x * x)", "layer_norm", "cross_entropy")
DEEP = (64,) * 10 + (10,)
RECORDED = 1000
HUGE = 10**7  # elements
HUGE_FLOPS = 4 * 10**9


@dataclass(frozen=True)
class Workload:
    """One row of the table."""

    name: str
    kind: str
    """The method of a contender that prepares it."""
    arguments: dict[str, Any] = field(default_factory=dict)
    flops: int = 0
    """Of the matrix products; 0 where they are not what counts."""
    bytes: int = 0
    """That must be read and written if every operand is touched once; 0 where that is not what counts."""
    huge: bool = False
    """Takes so long, or so much memory, that --quick leaves it out."""
    units: int = 1
    """How many times one run does the work; times are for one."""

    @property
    def differentiates(self) -> bool:
        return self.kind.endswith(("_backward", "_step"))


def _flops(sizes: tuple[int, ...], batch: int) -> int:
    return sum(2 * batch * fan_in * fan_out for fan_in, fan_out in pairwise(sizes))


def _step_flops(sizes: tuple[int, ...], batch: int) -> int:
    """Forward, the weights' gradients, and the inputs' but for the first layer's."""
    return 3 * _flops(sizes, batch) - _flops(sizes[:2], batch)


def _small_nets() -> list[Workload]:
    return [
        Workload("record a + b", "record", {"count": RECORDED}, units=RECORDED),
        Workload("seed net 20-256-10, batch 2: forward", "mlp_forward", {"sizes": SEED_NET, "batch": 2}),
        Workload("seed net 20-256-10, batch 2: forward + backward", "mlp_backward", {"sizes": SEED_NET, "batch": 2}),
        Workload("chimera, batch 2: forward", "chimera_forward"),
        Workload("chimera, batch 2: forward + backward", "chimera_backward"),
        Workload("20-64-10, batch 8: SGD step", "mlp_step", {"sizes": SMALL, "batch": 8, "optimizer": "SGD"}),
        Workload("10 layers of 64: compile the step's plan", "plan", {"sizes": DEEP, "anew": True}),
        Workload("10 layers of 64: look the step's plan up", "plan", {"sizes": DEEP, "anew": False}),
    ]


def _mlps() -> list[Workload]:
    rows = [
        Workload(f"MLP 784-512-256-10, batch {n}: forward", "mlp_forward", {"sizes": MLP, "batch": n}, _flops(MLP, n))
        for n in (1, 32, 128, 1024)
    ]
    for optimizer in ("SGD", "Adam"):
        for n in (32, 128, 1024):
            arguments = {"sizes": MLP, "batch": n, "optimizer": optimizer}
            name = f"MLP 784-512-256-10, batch {n}: {optimizer} step"
            rows.append(Workload(name, "mlp_step", arguments, _step_flops(MLP, n)))
    return rows


def _wide_mlps() -> list[Workload]:
    name, arguments = "three layers of 4096, batch 512", {"sizes": WIDE, "batch": 512}
    step = arguments | {"optimizer": "SGD"}
    return [
        Workload(f"{name}: forward", "mlp_forward", arguments, _flops(WIDE, 512), huge=True),
        Workload(f"{name}: SGD step", "mlp_step", step, _step_flops(WIDE, 512), huge=True),
    ]


def _residual_nets() -> list[Workload]:
    rows = []
    for count in (BLOCKS, MORE_BLOCKS):
        name, arguments = f"{count} residual blocks of 64, batch 32", {"count": count, "width": 64, "batch": 32}
        flops = 2 * count * _flops((64, 64), 32)
        rows.append(Workload(f"{name}: forward", "residual_forward", arguments, flops))
        rows.append(Workload(f"{name}: SGD step", "residual_step", arguments, 3 * flops))
    return rows


def _nets() -> list[Workload]:
    """Nets as people train them (contenders/torch_nets.py); a batch of the PINN and the SIREN is of points."""
    forward = (("CNN", 1), ("ResNet-20", 8), ("LSTM", 1), ("GPT", 1))
    step = (("CNN", 64), ("ResNet-20", 32), ("U-Net", 4), ("LSTM", 16), ("GRU", 16), ("GPT", 12))
    step += (("PPO", 256), ("PINN", 1000), ("tabular", 256), ("SIREN", 4096))
    rows = [Workload(f"{net}, batch {n}: forward", "net_forward", {"net": net, "batch": n}) for net, n in forward]
    return rows + [Workload(f"{net}, batch {n}: step", "net_step", {"net": net, "batch": n}) for net, n in step]


def _linears() -> list[Workload]:
    shapes = [(n, 784, 512) for n in (1, 8, 32, 128, 1024)]
    shapes += [(n, n, n) for n in (64, 128, 256, 512, 1024, 2048, 4096)]
    shapes += [(n, 4096, 4096) for n in (32, 512)]
    workloads = []
    for rows, inputs, outputs in shapes:
        name, arguments = f"linear {rows} x {inputs} x {outputs}", {"rows": rows, "inputs": inputs, "outputs": outputs}
        flops = _flops((inputs, outputs), rows)
        touched = 4 * (rows * inputs + inputs * outputs + outputs + rows * outputs) if rows == 1 else 0
        huge = flops > HUGE_FLOPS
        workloads.append(Workload(name, "linear", arguments, flops, touched, huge=huge))
        gradients = f"{name}: forward + gradients"
        workloads.append(Workload(gradients, "linear_backward", arguments, 3 * flops, huge=huge))
    return workloads


def _products() -> list[Workload]:
    """Many small ones, heads of attention (the second factor transposed), and float64."""
    rows = []
    for batch, shape, dtype, transposed in (
        (512, (32, 32, 32), "float32", False),
        (64, (64, 64, 64), "float32", False),
        (16, (256, 256, 256), "float32", False),
        (96, (128, 64, 128), "float32", True),
        (1, (256, 256, 256), "float64", False),
        (1, (1024, 1024, 1024), "float64", False),
    ):
        sizes = dict(zip(("rows", "depth", "columns"), shape))
        arguments = {"batch": batch, **sizes, "dtype": dtype, "transposed": transposed}
        name = f"{batch} products {' x '.join(map(str, shape))}, {dtype}{', transposed' * transposed}"
        rows.append(Workload(name, "matmul", arguments, 2 * batch * prod(shape) * (dtype == "float32")))
    return rows


def _reduction(name: str, text: str, shape: tuple[int, ...], axis: int = -1) -> Workload:
    count = prod(shape)
    touched = (8 if name in ("softmax", "layer_norm") else 4) * count
    arguments = {"name": name, "shape": shape, "axis": axis}
    return Workload(f"{name}, {text}", "reduction", arguments, bytes=touched, huge=count > HUGE)


def _reductions() -> list[Workload]:
    rows = [_reduction(name, "10^3", (1000,)) for name in REDUCTIONS]
    for text, count, width in (("10^6", 10**6, 1000), ("10^8", 10**8, 1000)):
        rows += [_reduction(name, f"{text}, rows of 1000", (count // width, width)) for name in REDUCTIONS]
        rows += [_reduction(name, f"{text}, first axis", (count // width, width), 0) for name in REDUCTIONS]
        rows += [_reduction(name, f"{text}, all", (count,)) for name in REDUCTIONS]
        rows += [_reduction(name, f"{text}, rows of 1000", (count // width, width)) for name in ROW_FUNCTIONS]
    return rows


def _losses() -> list[Workload]:
    return [
        Workload(f"{name}, {rows} x {width}: forward + backward", f"{name}_backward", {"rows": rows, "width": width})
        for name in ("cross_entropy", "layer_norm")
        for rows, width in ((1024, 10), (256, 1000), (4096, 1000))
    ]


def _elementwise() -> list[Workload]:
    return [
        Workload(f"{name}, {text}", "elementwise", {"name": name, "count": n}, bytes=8 * n, huge=n > HUGE)
        for name in ("relu", "relu(tanh(2x+1))")
        for text, n in (("10^4", 10**4), ("10^6", 10**6), ("10^8", 10**8))
    ]


WORKLOADS = [
    *_small_nets(),
    *_mlps(),
    *_wide_mlps(),
    *_residual_nets(),
    *_nets(),
    *_linears(),
    *_products(),
    *_reductions(),
    *_losses(),
    *_elementwise(),
]
