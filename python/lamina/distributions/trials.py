"""What distributions have in common that count trials."""

from __future__ import annotations

from .._core import Size, Tensor
from . import constraints
from .distribution import Distribution
from .parameters import broadcast_all, lazy_property, logits_to_probs, one_of, probs_to_logits

__all__ = ["CountedTrials", "Trials"]


class Trials(Distribution):
    """Each trial succeeds with probability `probs`, or with odds of logarithm `logits`: exactly one is given."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given = one_of(type(self).__name__, probs=probs, logits=logits)
        (value,) = broadcast_all(probs if logits is None else logits)  # type: ignore[arg-type]  # one is there
        setattr(self, given, value)
        super().__init__(value.shape, validate_args=validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        return logits_to_probs(self.logits, is_binary=True)

    @lazy_property
    def logits(self) -> Tensor:
        return probs_to_logits(self.probs, is_binary=True)

    @property
    def param_shape(self) -> Size:
        """Of `probs` and `logits`."""
        return self._batch_shape

    def _given(self) -> Tensor:
        """The parameter that was given: of its dtype and device, without computing the other."""
        given: Tensor = self.__dict__["probs" if "probs" in self.__dict__ else "logits"]
        return given


class CountedTrials(Trials):
    """`Trials` with a number `total_count`, which broadcasts with the probabilities."""

    def __init__(
        self,
        total_count: Tensor | float,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given = one_of(type(self).__name__, probs=probs, logits=logits)
        value, count = broadcast_all(probs if logits is None else logits, total_count)  # type: ignore[arg-type]
        self.total_count = count.to(value.dtype)
        super().__init__(**{given: value}, validate_args=validate_args)
