"""ResNet-18 to ResNet-152 from one nested block, and a small one trained on handwritten digits.

Layers are grouped into residual blocks, blocks into stages, stages into a network: modules all the way. Run it with
``python resnet.py``; training takes some seconds. ``--help`` lists the options. (He et al., 2016)
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import lamina
from lamina import Tensor, nn
from lamina.nn import functional as F

# Blocks in each of the four stages, and whether they are bottlenecks.
DEPTHS = {
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
    152: ((3, 8, 36, 3), True),
}
EXPANSION = 4  # how many times wider a bottleneck ends than it is inside


def convolution(channels: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    """A convolution and its normalization, whose bias makes one of the convolution needless."""
    return nn.Sequential(
        nn.LazyConv2d(channels, kernel_size, stride, padding=kernel_size // 2, bias=False), nn.LazyBatchNorm2d()
    )


class Block(nn.Module):
    """relu(body(X) + shortcut(X)); the body is two 3×3 convolutions, or a 3×3 one between two that narrow and widen.

    No layer is told how many channels come in. The shortcut is the identity unless the shape changes.
    """

    def __init__(self, width: int, stride: int, changes: bool, bottleneck: bool) -> None:
        super().__init__()
        out = width * EXPANSION if bottleneck else width
        if bottleneck:
            layers = [convolution(width, 1), nn.ReLU(), convolution(width, 3, stride), nn.ReLU(), convolution(out, 1)]
        else:
            layers = [convolution(width, 3, stride), nn.ReLU(), convolution(out, 3)]
        self.body = nn.Sequential(*layers)
        self.shortcut = convolution(out, 1, stride) if changes else nn.Identity()

    def forward(self, X: Tensor) -> Tensor:
        return F.relu(self.body(X) + self.shortcut(X))


def stage(blocks: int, width: int, first: bool, bottleneck: bool) -> nn.Sequential:
    """Blocks of one width. The first one halves the image, but not in the network's first stage."""
    changes = not first or bottleneck
    return nn.Sequential(
        *(Block(width, 2 if n == 0 and not first else 1, changes and n == 0, bottleneck) for n in range(blocks))
    )


def resnet(
    blocks: Sequence[int], bottleneck: bool = False, classes: int = 1000, width: int = 64, small_images: bool = False
) -> nn.Sequential:
    """Images (N, C, H, W) to class scores (N, classes). Small images are not halved twice before the first stage."""
    if small_images:
        stem = nn.Sequential(convolution(width, 3), nn.ReLU())
    else:
        stem = nn.Sequential(convolution(width, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1))
    stages = (stage(count, width * 2**n, n == 0, bottleneck) for n, count in enumerate(blocks))
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(classes))
    return nn.Sequential(stem, *stages, head)


def make_resnet(depth: int, classes: int = 1000) -> nn.Sequential:
    """The network of the paper with this many layers: 18, 34, 50, 101 or 152. KeyError for another."""
    blocks, bottleneck = DEPTHS[depth]
    return resnet(blocks, bottleneck, classes)


def accuracy(net: nn.Module, images: Tensor, targets: Tensor) -> float:
    """The part of `images` whose highest score is the target's."""
    net.eval()
    with lamina.no_grad():
        return float((net(images).argmax(1) == targets).float().mean())


def train_epoch(
    net: nn.Module, optimizer: lamina.optim.Optimizer, images: Tensor, targets: Tensor, batch_size: int
) -> float:
    """One pass over the data in random order; returns the mean loss."""
    net.train()
    order = lamina.randperm(len(images))
    losses = []
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        loss = F.cross_entropy(net(images[batch]), targets[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach() * len(batch))
    return float(sum(losses)) / len(order)


def main(arguments: list[str] | None = None) -> float:
    """Train a small network, and return its accuracy on the held-out fifth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--lr", type=float, default=0.1, help="the learning rate at the start")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    lamina.manual_seed(options.seed)
    images, targets = lamina.datasets.load_digits()
    images = images.unsqueeze(1) / 16
    order = lamina.randperm(len(images))
    held_out, rest = order[: len(order) // 5], order[len(order) // 5 :]

    net = resnet((1, 1, 1), classes=10, width=options.width, small_images=True)
    nn.resolve(net, (1, 1, 8, 8))
    optimizer = lamina.optim.SGD(net.parameters(), lr=options.lr, momentum=0.9, weight_decay=1e-3)
    schedule = lamina.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
    for epoch in range(options.epochs):
        loss = train_epoch(net, optimizer, images[rest], targets[rest], options.batch_size)
        schedule.step()
        held_out_rate = accuracy(net, images[held_out], targets[held_out])
        print(
            f"epoch {epoch + 1:3d}/{options.epochs}  loss {loss:.4f}  held out {held_out_rate:.4f}  "
            f"{time.perf_counter() - began:5.1f} s",
            flush=True,
        )
    print(f"{sum(p.numel() for p in net.parameters())} parameters; held-out digits: {held_out_rate:.4f}")
    return held_out_rate


if __name__ == "__main__":
    main()
