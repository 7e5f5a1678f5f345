"""AdaptiveLogSoftmaxWithLoss: a softmax over many classes, of which the rare ones share small layers."""

from __future__ import annotations

from typing import NamedTuple

from ... import _core
from ..._core import Tensor
from .. import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..._typing import Device

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """The logarithm of each target's probability, and the loss that is its negative mean.

    Classes come by frequency, the most frequent first. Those below the first of the `cutoffs` have a score of their own
    in the head, which also scores the clusters between cutoffs; cluster i is reached through a layer of
    ``in_features / div_value ** (i + 1)`` features. ValueError for cutoffs that do not increase within the classes.
    (Grave et al., 2017)
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        increasing = cutoffs == sorted(set(cutoffs)) and all(int(c) == c for c in cutoffs)
        if not increasing or cutoffs[0] <= 0 or cutoffs[-1] > n_classes - 1:
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                "value is between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, device=device, dtype=dtype)
        self.tail = ModuleList()
        for n, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:]), 1):
            width = int(in_features // div_value**n)
            layers = ((in_features, width), (width, high - low))
            self.tail.append(Sequential(*(Linear(*sizes, bias=False, device=device, dtype=dtype) for sizes in layers)))

    def reset_parameters(self) -> None:
        """Draw new numbers."""
        self.head.reset_parameters()
        for cluster in self.tail:
            for layer in cluster:
                layer.reset_parameters()

    def forward(self, input: Tensor, target: Tensor) -> _ASMoutput:
        if target.ndim == 1:
            if input.shape[0] != target.shape[0]:
                raise RuntimeError("Input and target should have the same size in the batch dimension.")
            if input.ndim != 2:
                raise RuntimeError(
                    f"1D target tensor expects 2D input tensors, but found inputs with size {input.shape}"
                )
        elif target.ndim == 0:
            if input.ndim != 1:
                raise RuntimeError(
                    f"0D target tensor expects 1D input tensors, but found inputs with size {input.shape}"
                )
        else:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        batched = target.ndim == 1
        rows, targets = (input, target) if batched else (input.unsqueeze(0), target.unsqueeze(0))
        least, most = (int(targets.min()), int(targets.max())) if targets.numel() else (0, 0)
        if least < 0 or most >= self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{least}, {most}] were "
                "found. "
            )
        head = F.log_softmax(self.head(rows), dim=1)
        # The place in the head: the class itself, or its cluster.
        place = targets
        extra = head.new_zeros(rows.shape[0])
        for n, cluster in enumerate(self.tail):
            low, high = self.cutoffs[n], self.cutoffs[n + 1]
            chosen = ((targets >= low) & (targets < high)).nonzero().squeeze(1)
            if chosen.numel() == 0:
                continue
            scores = F.log_softmax(cluster(rows.index_select(0, chosen)), dim=1)
            local = scores.gather(1, (targets[chosen] - low).unsqueeze(1)).squeeze(1)
            extra = extra.index_add(0, chosen, local)
            place = place.index_fill(0, chosen, self.shortlist_size + n)
        output = head.gather(1, place.unsqueeze(1)).squeeze(1) + extra
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """The logarithms of all classes' probabilities: (N, in_features) to (N, n_classes)."""
        head = F.log_softmax(self.head(input), dim=1)
        parts = [head[:, : self.shortlist_size]]
        for n, cluster in enumerate(self.tail):
            within = F.log_softmax(cluster(input), dim=1)
            parts.append(within + head[:, self.shortlist_size + n].unsqueeze(1))
        return _core.cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The likeliest class of each row: (N, in_features) to (N,)."""
        return self.log_prob(input).argmax(dim=1)
