"""The binomial distribution."""

from __future__ import annotations

from .. import _core
from .._core import Tensor, lgamma
from ..autograd.modes import no_grad
from ..functions.sampling import binomial
from ..nn.functional import softplus
from . import constraints
from .trials import CountedTrials, Trials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Binomial"]


class Binomial(CountedTrials):
    """How many of `total_count` trials succeed, each with probability `probs` (or `logits`)."""

    arg_constraints = {"total_count": constraints.nonnegative_integer, **Trials.arg_constraints}
    has_enumerate_support = True

    def __init__(
        self,
        total_count: Tensor | int = 1,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        super().__init__(total_count, probs, logits, validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.total_count
        choices = lgamma(n + 1) - lgamma(value + 1) - lgamma(n - value + 1)
        # value log p + (n - value) log(1 - p), by logits
        return choices + value * self.logits - n * softplus(self.logits)

    def entropy(self) -> Tensor:
        """NotImplementedError unless all counts are alike."""
        probabilities = self.log_prob(self.enumerate_support(False))
        return -(probabilities.exp() * probabilities).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        count = int(self.total_count.max())
        if not bool((self.total_count == count).all()):
            raise NotImplementedError("Inhomogeneous total count not supported by `enumerate_support`.")
        return self._along_batch(_core.arange(1 + count, dtype=self.total_count.dtype, device="cpu"), expand)
