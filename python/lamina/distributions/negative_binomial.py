"""The negative binomial distribution."""

from __future__ import annotations

from .._core import Tensor, lgamma
from ..autograd.modes import no_grad
from ..functions.sampling import poisson
from ..nn.functional import logsigmoid
from . import constraints
from .gamma_samples import sample_log_gamma
from .trials import CountedTrials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NegativeBinomial"]


class NegativeBinomial(CountedTrials):
    """How many trials succeed before `total_count` have failed, each with probability `probs` below 1 (or `logits`).

    `total_count` need not be a whole number: the distribution is Poisson's, of a rate that has a gamma distribution.
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return poisson((sample_log_gamma(self.total_count.expand(shape)) + self.logits).exp())

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.total_count
        orders = lgamma(n + value) - lgamma(1 + value) - lgamma(n)
        # Without a failure to wait for there is one outcome, 0: the infinite terms would make NaN.
        orders = orders.where(n + value != 0, 0.0)
        return n * logsigmoid(-self.logits) + value * logsigmoid(self.logits) + orders
