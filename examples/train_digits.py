"""Train a nested network with lazy shapes on handwritten digits, save it, and load it into a fresh one.

Run it with ``python train_digits.py``; it takes a few seconds. ``--help`` lists the options.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import lamina
from lamina import Tensor, nn
from lamina.nn import functional as F


class NestMLP(nn.Module):
    """A block inside a block: a Sequential, and a layer of its own."""

    def __init__(self, width: int, out: int, drop: float) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.LazyLinear(width), nn.ReLU(), nn.Dropout(drop), nn.LazyLinear(width), nn.ReLU(), nn.Dropout(drop)
        )
        self.linear = nn.LazyLinear(out)

    def forward(self, X: Tensor) -> Tensor:
        return self.linear(self.net(X))


class FixedHiddenMLP(nn.Module):
    """A layer used twice around a constant weight, beside a shortcut; and control flow that looks at the numbers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # Never trained. A buffer is saved with the parameters, so a fresh network loads the same constant.
        self.register_buffer("rand_weight", lamina.randn(width, width) * (0.5 / width**0.5))
        self.linear = nn.LazyLinear(width)

    def forward(self, X: Tensor) -> Tensor:
        hidden = F.relu(self.linear(X) @ self.rand_weight + 1)
        X = X + self.linear(hidden)
        while X.abs().mean() > 4:
            X = X / 2
        return X


def make_net(width: int = 256, out: int = 64, classes: int = 10, drop: float = 0.3) -> nn.Sequential:
    """Images (N, 8, 8) to class scores (N, classes). No layer is told how many inputs it has."""
    return nn.Sequential(nn.Flatten(), NestMLP(width, out, drop), FixedHiddenMLP(out), nn.LazyLinear(classes))


def accuracy(net: nn.Module, images: Tensor, targets: Tensor) -> float:
    """The part of `images` whose highest score is the target's."""
    net.eval()
    with lamina.no_grad():
        return float((net(images).argmax(1) == targets).float().mean())


def train_epoch(
    net: nn.Module, optimizer: lamina.optim.Optimizer, images: Tensor, targets: Tensor, batch_size: int
) -> tuple[float, float]:
    """One pass over the data in random order; returns the mean loss and the accuracy on the way."""
    net.train()
    order = lamina.randperm(len(images))
    losses, hits = [], []
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        scores = net(images[batch])
        loss = F.cross_entropy(scores, targets[batch], label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach() * len(batch))
        hits.append((scores.detach().argmax(1) == targets[batch]).sum())
    return float(sum(losses)) / len(order), float(sum(hits)) / len(order)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=2e-3, help="Adam's learning rate at the start")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, help="where to keep the weights (default: a temporary file)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> float:
    """Train, save, load, and return the accuracy on the held-out fifth."""
    options = parse_arguments(arguments)
    began = time.perf_counter()
    lamina.manual_seed(options.seed)
    images, targets = lamina.datasets.load_digits()
    order = lamina.randperm(len(images))
    held_out, rest = order[: len(order) // 5], order[len(order) // 5 :]
    test_images, test_targets = images[held_out] / 16, targets[held_out]
    train_images, train_targets = images[rest] / 16, targets[rest]

    net = make_net()
    optimizer = lamina.optim.Adam(net.parameters(), lr=options.lr)
    for epoch in range(options.epochs):
        for group in optimizer.param_groups:  # the rate falls linearly, to a twentieth in the last epoch
            group["lr"] = options.lr * max(1 - epoch / options.epochs, 0.05)
        loss, hit_rate = train_epoch(net, optimizer, train_images, train_targets, options.batch_size)
        held_out_rate = accuracy(net, test_images, test_targets)
        print(
            f"epoch {epoch + 1:3d}/{options.epochs}  loss {loss:.4f}  accuracy {hit_rate:.4f}  "
            f"held out {held_out_rate:.4f}  {time.perf_counter() - began:5.1f} s",
            flush=True,
        )
    print(net)

    with tempfile.TemporaryDirectory() as folder:
        path = options.save or Path(folder) / "digits.pt"
        lamina.save(net.state_dict(), path)
        size = path.stat().st_size
        fresh = make_net()
        fresh.load_state_dict(lamina.load(path))
    trained, loaded = accuracy(net, test_images, test_targets), accuracy(fresh, test_images, test_targets)
    print(f"accuracy on {len(test_targets)} held-out digits: {trained:.4f}")
    print(f"saved {size / 1024:.0f} KiB{f' to {path}' if options.save else ''}; loaded into a fresh net: {loaded:.4f}")
    if loaded != trained:
        raise RuntimeError(f"the loaded net has another accuracy: {loaded} instead of {trained}")
    return trained


if __name__ == "__main__":
    main()
