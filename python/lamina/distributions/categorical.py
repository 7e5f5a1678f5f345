"""The categorical distribution."""

from __future__ import annotations

from math import nan

from .. import _core
from .._core import Tensor
from ..autograd.modes import no_grad
from ..dtypes import finfo
from ..functions.sampling import multinomial
from ..functions.shaping import broadcast_shapes
from . import constraints
from .distribution import Distribution
from .parameters import lazy_property, logits_to_probs, one_of, probs_to_logits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Categorical"]


class Categorical(Distribution):
    """An index from 0 to n-1, with probabilities `probs` (..., n), which are divided by their sum, or of `logits`.

    >>> Categorical(probs=lamina.tensor([1.0, 3.0])).log_prob(lamina.tensor(1))
    tensor(-0.2877)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        given = one_of("Categorical", probs=probs, logits=logits)
        value = probs if logits is None else logits
        if not isinstance(value, Tensor) or value.dim() < 1:
            raise ValueError(f"`{given}` parameter must be at least one-dimensional.")
        if given == "probs":
            self.probs = value / value.sum(-1, True)
        else:
            self.logits = value - value.logsumexp(-1, True)
        self._num_events = value.shape[-1]
        super().__init__(value.shape[:-1], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, self._num_events - 1)

    @lazy_property
    def probs(self) -> Tensor:
        return logits_to_probs(self.logits)

    @lazy_property
    def logits(self) -> Tensor:
        return probs_to_logits(self.probs)

    @property
    def param_shape(self) -> _core.Size:
        return _core.Size((*self._batch_shape, self._num_events))

    @property
    def mean(self) -> Tensor:
        return self.probs.new_full(self._batch_shape, nan)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return self.probs.new_full(self._batch_shape, nan)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        count = 1
        for length in sample_shape:
            count *= length
        with no_grad():
            rows = self.probs.reshape((-1, self._num_events))
            if count == 0 or rows.shape[0] == 0:
                return rows.new_empty(self._extended_shape(sample_shape), dtype=_core.int64)
            return multinomial(rows, count, True).T.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        index = value.long().unsqueeze(-1)
        shape = broadcast_shapes(value.shape, self._batch_shape)
        return self.logits.expand((*shape, self._num_events)).gather(-1, index.expand((*shape, 1))).squeeze(-1)

    def entropy(self) -> Tensor:
        # A logit of -inf has a probability of 0: the least number makes their product 0, not NaN.
        return -(self.logits.clamp(min=finfo(self.logits.dtype).min) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        given = self.__dict__["probs" if "probs" in self.__dict__ else "logits"]
        return self._along_batch(_core.arange(self._num_events, device=given.device), expand)
