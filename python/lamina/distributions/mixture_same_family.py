"""Mixtures."""

from __future__ import annotations

from .._core import Tensor
from ..autograd.modes import no_grad
from . import constraints
from .categorical import Categorical
from .distribution import Distribution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from typing_extensions import Self

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """A value of one of k components, chosen by `mixture_distribution`.

    `component_distribution` has the components along its last batch axis, of length k.
    """

    arg_constraints = {}

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError("The Mixture distribution needs to be an instance of lamina.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution needs to be an instance of lamina.distributions.Distribution")
        count = mixture_distribution.logits.shape[-1]
        components = component_distribution.batch_shape
        if not components or components[-1] != count:
            raise ValueError(
                f"`mixture_distribution` component ({count}) does not equal `component_distribution.batch_shape[-1]` "
                f"({components[-1] if components else 'none'})"
            )
        for size, other in zip(mixture_distribution.batch_shape, components[:-1]):
            if size != 1 and other != 1 and size != other:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({mixture_distribution.batch_shape}) is not compatible with "
                    f"`component_distribution.batch_shape`({components})"
                )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        super().__init__(components[:-1], component_distribution.event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        new = super().expand(batch_shape, _instance)
        count = self._component_distribution.batch_shape[-1]
        new._component_distribution = self._component_distribution.expand((*batch_shape, count))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        return new

    @property
    def mixture_distribution(self) -> Categorical:
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        return self._component_distribution

    @constraints.dependent_property
    def support(self) -> constraints.Constraint:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    def _weights(self) -> Tensor:
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *[1] * len(self._event_shape)))

    @property
    def _component_axis(self) -> int:
        return -1 - len(self._event_shape)

    @property
    def mean(self) -> Tensor:
        return (self._weights() * self._component_distribution.mean).sum(self._component_axis)

    @property
    def variance(self) -> Tensor:
        """The mean of the variances, and the variance of the means."""
        means = self._component_distribution.mean
        away = means - self.mean.unsqueeze(self._component_axis)
        return (self._weights() * (self._component_distribution.variance + away.square())).sum(self._component_axis)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            values = self._component_distribution.sample(sample_shape)
            chosen = self._mixture_distribution.expand(self._batch_shape).sample(sample_shape)
            index = chosen.reshape((*chosen.shape, *[1] * (len(self._event_shape) + 1)))
            shape = list(values.shape)
            shape[self._component_axis] = 1
            return values.gather(self._component_axis, index.expand(shape)).squeeze(self._component_axis)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        each = self._component_distribution.log_prob(value.unsqueeze(self._component_axis))
        return (each + self._mixture_distribution.logits).logsumexp(-1)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        each = self._component_distribution.cdf(value.unsqueeze(self._component_axis))
        return (each * self._mixture_distribution.probs).sum(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
