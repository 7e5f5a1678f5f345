"""Nets as people train them, in PyTorch's words: each with its inputs, its loss and its optimiser.

Nothing in them is drawn at random while they run, so that everybody computes the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

from .. import arrays

BURGERS = 0.003  # viscosity
CLIP, ENTROPY = 0.2, 0.01  # of proximal policy optimisation
TOKENS = 64  # different ones
FREQUENCY = 30.0  # of the first layer of sines


@dataclass(frozen=True)
class Task:
    """What is trained, or run forward."""

    net: Any
    forward: Callable[[], Any]
    loss: Callable[[], Any]
    optimizer: str = "Adam"
    settings: tuple[tuple[str, float], ...] = ()


def filled(torch: Any, net: Any) -> Any:
    """Weights drawn as layers draw them, the same for everybody; biases 0, and what norms multiply by stays 1."""
    with torch.no_grad():
        for place, parameter in enumerate(net.parameters()):
            shape = tuple(parameter.shape)
            if len(shape) > 1:
                drawn = arrays.normal(*shape, seed=100 + place) * prod(shape[1:]) ** -0.5
                parameter.copy_(torch.tensor(drawn))
            elif not bool((parameter == 1).all()):
                parameter.zero_()
    return net


def _classifier(torch: Any, net: Any, x: Any, classes: int, optimizer: str = "Adam", **settings: float) -> Task:
    y = torch.tensor(arrays.labels(len(x), classes))
    cross_entropy = torch.nn.functional.cross_entropy
    return Task(net, lambda: net(x), lambda: cross_entropy(net(x), y), optimizer, tuple(settings.items()))


def cnn(torch: Any, batch: int) -> Task:
    """Two convolutions and two linear layers, for images of 28 x 28."""
    nn = torch.nn
    net = nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Linear(128, 10)),
    )
    return _classifier(torch, filled(torch, net), torch.tensor(arrays.normal(batch, 1, 28, 28)), 10)


def resnet(torch: Any, batch: int) -> Task:
    """ResNet-20 for images of 32 x 32 (He et al., 2016)."""
    nn = torch.nn

    class Block(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self, before: int, width: int) -> None:
            super().__init__()
            stride = 1 if before == width else 2
            self.first = nn.Conv2d(before, width, 3, stride, 1, bias=False)
            self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
            self.norms = nn.ModuleList([nn.BatchNorm2d(width), nn.BatchNorm2d(width)])
            self.shortcut = nn.Identity()
            if stride == 2:
                self.shortcut = nn.Sequential(nn.Conv2d(before, width, 1, 2, bias=False), nn.BatchNorm2d(width))

        def forward(self, x: Any) -> Any:
            y = self.norms[0](self.first(x)).relu()
            return (self.norms[1](self.second(y)) + self.shortcut(x)).relu()

    widths = (16, 16, 16, 16, 32, 32, 32, 64, 64, 64)
    net = nn.Sequential(
        *(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
        *(Block(before, width) for before, width in pairwise(widths)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)),
    )
    x = torch.tensor(arrays.normal(batch, 3, 32, 32))
    return _classifier(torch, filled(torch, net), x, 10, "SGD", momentum=0.9, weight_decay=1e-4)


def unet(torch: Any, batch: int) -> Task:
    """Three levels of 16, 32 and 64 channels, for images of 64 x 64 (Ronneberger et al., 2015)."""
    nn, F = torch.nn, torch.nn.functional

    def pair(before: int, width: int) -> Any:
        first, second = nn.Conv2d(before, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())

    class UNet(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.ModuleList([pair(1, 16), pair(16, 32), pair(32, 64)])
            self.up = nn.ModuleList([nn.ConvTranspose2d(64, 32, 2, 2), nn.ConvTranspose2d(32, 16, 2, 2)])
            self.joined = nn.ModuleList([pair(64, 32), pair(32, 16)])
            self.last = nn.Conv2d(16, 1, 1)

        def forward(self, x: Any) -> Any:
            first = self.down[0](x)
            second = self.down[1](F.max_pool2d(first, 2))
            x = self.down[2](F.max_pool2d(second, 2))
            for up, joined, across in zip(self.up, self.joined, (second, first)):
                x = joined(torch.cat([up(x), across], 1))
            return self.last(x)

    net = filled(torch, UNet())
    x = torch.tensor(arrays.normal(batch, 1, 64, 64))
    target = (torch.tensor(arrays.normal(batch, 1, 64, 64, seed=5)) > 0).float()
    return Task(net, lambda: net(x), lambda: F.binary_cross_entropy_with_logits(net(x), target))


def recurrent(torch: Any, batch: int, layer: str, steps: int = 50) -> Task:
    """A model of sequences of tokens: embedding, two recurrent layers of 128, and a linear one."""
    nn = torch.nn

    class Model(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(TOKENS, 32)
            self.layers = getattr(nn, layer)(32, 128, num_layers=2, batch_first=True)
            self.head = nn.Linear(128, TOKENS)

        def forward(self, x: Any) -> Any:
            return self.head(self.layers(self.embedding(x))[0]).flatten(0, 1)

    x = torch.tensor(arrays.labels(batch * (steps + 1), TOKENS).reshape(batch, steps + 1))
    return _next_token(torch, filled(torch, Model()), x)


def _next_token(torch: Any, net: Any, x: Any) -> Task:
    before, after = x[:, :-1].contiguous(), x[:, 1:].reshape(-1)
    cross_entropy = torch.nn.functional.cross_entropy
    return Task(net, lambda: net(before), lambda: cross_entropy(net(before), after))


def gpt(torch: Any, batch: int, width: int = 128, heads: int = 4, steps: int = 64) -> Task:
    """Four layers of a transformer's decoder, with the norms first (Radford et al., 2019)."""
    nn, F = torch.nn, torch.nn.functional

    class Layer(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
            self.queries, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.dense = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            size = x.shape
            parts = self.queries(self.norms[0](x)).chunk(3, -1)
            q, k, v = (part.view(size[0], size[1], heads, width // heads).transpose(1, 2) for part in parts)
            attention = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.mixed(attention.transpose(1, 2).reshape(size))
            return x + self.dense(self.norms[1](x))

    class Model(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = nn.Embedding(TOKENS, width), nn.Embedding(steps, width)
            self.layers = nn.Sequential(*(Layer() for _ in range(4)), nn.LayerNorm(width))
            self.head = nn.Linear(width, TOKENS, bias=False)

        def forward(self, x: Any) -> Any:
            x = self.tokens(x) + self.places(torch.arange(x.shape[1]))
            return self.head(self.layers(x)).flatten(0, 1)

    x = torch.tensor(arrays.labels(batch * (steps + 1), TOKENS).reshape(batch, steps + 1))
    return _next_token(torch, filled(torch, Model()), x)


def ppo(torch: Any, batch: int) -> Task:
    """The update of an actor and a critic by proximal policy optimisation (Schulman et al., 2017)."""
    nn = torch.nn

    def net_of(outputs: int) -> Any:
        return nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs))

    both = filled(torch, nn.ModuleList([net_of(4), net_of(1)]))
    actor, critic = both
    states, actions = torch.tensor(arrays.normal(batch, 8)), torch.tensor(arrays.labels(batch, 4))
    old, advantages, returns = (torch.tensor(arrays.normal(batch, seed=seed)) for seed in (5, 6, 7))

    def loss() -> Any:
        policy = torch.distributions.Categorical(logits=actor(states))
        ratio = (policy.log_prob(actions) - old * 0.1 + 1.4).exp()
        advantage = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
        gain = torch.min(advantage * ratio, advantage * clipped).mean() + ENTROPY * policy.entropy().mean()
        return 0.5 * ((critic(states).view(-1) - returns) ** 2).mean() - gain

    return Task(both, lambda: actor(states), loss)


def pinn(torch: Any, batch: int) -> Task:
    """Burgers' equation at so many points by a physics-informed net of 20 x 4 (Raissi et al., 2019)."""
    nn, grad = torch.nn, torch.autograd.grad
    hidden = [layer for _ in range(3) for layer in (nn.Linear(20, 20), nn.Tanh())]
    net = filled(torch, nn.Sequential(nn.Linear(2, 20), nn.Tanh(), *hidden, nn.Linear(20, 1)))
    x, t = (torch.tensor(arrays.normal(batch, 1, seed=seed)).requires_grad_() for seed in (1, 5))
    ones = torch.ones(batch, 1)

    def loss() -> Any:
        u = net(torch.cat([x, t], 1))
        by_x, by_t = grad(u, (x, t), ones, create_graph=True)
        (by_xx,) = grad(by_x, x, ones, create_graph=True)
        return ((by_t + u * by_x - BURGERS * by_xx) ** 2).mean()

    return Task(net, lambda: net(torch.cat([x, t], 1)), loss)


def tabular(torch: Any, batch: int) -> Task:
    """Six embeddings and ten numbers through batch norms and linear layers."""
    nn = torch.nn

    class Model(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embeddings = nn.ModuleList([nn.Embedding(50, 8) for _ in range(6)])
            self.norm = nn.BatchNorm1d(10)
            self.layers = nn.Sequential(
                *(nn.Linear(58, 200), nn.ReLU(), nn.BatchNorm1d(200), nn.Linear(200, 100), nn.ReLU()),
                *(nn.BatchNorm1d(100), nn.Linear(100, 1)),
            )

        def forward(self, kinds: Any, numbers: Any) -> Any:
            embedded = [embedding(kinds[:, i]) for i, embedding in enumerate(self.embeddings)]
            return self.layers(torch.cat([*embedded, self.norm(numbers)], 1))

    net = filled(torch, Model())
    kinds = torch.tensor(arrays.labels(batch * 6, 50).reshape(batch, 6))
    numbers, target = (torch.tensor(arrays.normal(batch, n, seed=n)) for n in (10, 1))
    mse_loss = torch.nn.functional.mse_loss
    return Task(net, lambda: net(kinds, numbers), lambda: mse_loss(net(kinds, numbers), target), "AdamW")


def siren(torch: Any, batch: int) -> Task:
    """A picture of so many points by layers of sines, 128 wide (Sitzmann et al., 2020)."""
    nn = torch.nn

    class Sine(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self, before: int) -> None:
            super().__init__()
            self.linear, self.frequency = nn.Linear(before, 128), FREQUENCY if before == 2 else 1.0

        def forward(self, x: Any) -> Any:
            return (self.frequency * self.linear(x)).sin()

    net = filled(torch, nn.Sequential(Sine(2), Sine(128), Sine(128), nn.Linear(128, 1)))
    x, target = torch.tensor(arrays.normal(batch, 2)), torch.tensor(arrays.normal(batch, 1, seed=5))
    return Task(net, lambda: net(x), lambda: ((net(x) - target) ** 2).mean())


TASKS: dict[str, Callable[[Any, int], Task]] = {
    "CNN": cnn,
    "ResNet-20": resnet,
    "U-Net": unet,
    "LSTM": lambda torch, batch: recurrent(torch, batch, "LSTM"),
    "GRU": lambda torch, batch: recurrent(torch, batch, "GRU"),
    "GPT": gpt,
    "PPO": ppo,
    "PINN": pinn,
    "tabular": tabular,
    "SIREN": siren,
}
