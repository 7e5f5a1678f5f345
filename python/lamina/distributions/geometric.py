"""The geometric distribution."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..autograd.modes import no_grad
from ..nn.functional import binary_cross_entropy_with_logits
from . import constraints
from .distribution import Distribution
from .parameters import broadcast_all, lazy_property, logits_to_probs, one_of, probs_to_logits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Geometric"]


class Geometric(Distribution):
    """How many trials fail before the first success, each of which comes with probability `probs` (or `logits`)."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given = one_of("Geometric", probs=probs, logits=logits)
        (value,) = broadcast_all(probs if logits is None else logits)  # type: ignore[arg-type]  # one is there
        setattr(self, given, value)
        super().__init__(value.shape, validate_args=validate_args)
        if self._validate_args and given == "probs" and not bool((value > 0).all()):
            raise ValueError(f"Geometric: expected probs above 0, but found invalid values:\n{value}")

    @lazy_property
    def probs(self) -> Tensor:
        return logits_to_probs(self.logits, is_binary=True)

    @lazy_property
    def logits(self) -> Tensor:
        return probs_to_logits(self.probs, is_binary=True)

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return _core.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            return (self._uniform(sample_shape, self.probs).log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        # The logarithm of 1 - 1 is -inf: no trial may fail then, and none does.
        probs = probs.where((probs != 1) | (value != 0), 0.0)
        return value * (-probs).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
