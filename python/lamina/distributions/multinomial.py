"""The multinomial distribution."""

from __future__ import annotations

from .._core import Tensor, lgamma
from ..autograd.modes import no_grad
from . import constraints
from .binomial import Binomial
from .categories import Categories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from typing_extensions import Self

__all__ = ["Multinomial"]


class Multinomial(Categories):
    """How often each of n outcomes comes in `total_count` trials, of probabilities `probs` (..., n), or of `logits`."""

    def __init__(
        self,
        total_count: int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        super().__init__(probs, logits, validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        new = super().expand(batch_shape, _instance)
        new.total_count = self.total_count
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> constraints.Constraint:
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            drawn = self._categorical.sample((self.total_count, *sample_shape))
            counts = self.probs.new_zeros(self._extended_shape(sample_shape))
            index = drawn.movedim(0, -1)
            return counts.scatter_add(-1, index, counts.new_ones(index.shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        orders = lgamma(value.sum(-1) + 1) - lgamma(value + 1).sum(-1)
        # An outcome that cannot come and does not: 0 times -inf is meant to be 0.
        terms = (value * self.logits).where((value != 0) | self.logits.isfinite(), 0.0)
        return orders + terms.sum(-1)

    def entropy(self) -> Tensor:
        """``-log n! + n H - sum of E[-log x_i!]`` over the outcomes, whose counts are binomial."""
        n, probs = self.total_count, self.probs
        each = Binomial(n, probs, validate_args=False)
        counts = each.enumerate_support(False)
        orders = (each.log_prob(counts).exp() * lgamma(counts + 1)).sum((0, -1))
        return n * self._categorical.entropy() - lgamma(probs.new_tensor(n + 1.0)) + orders
