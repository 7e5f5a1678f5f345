"""Distributions of functions of random variables."""

from __future__ import annotations

from .._core import Tensor
from ..autograd.modes import no_grad
from . import constraints
from .distribution import Distribution
from .independent import Independent
from .parameters import sum_rightmost
from .transforms import ComposeTransform, Transform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from typing_extensions import Self

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The distribution of ``y = f(x)`` for x of `base_distribution` and f the `transforms`, one after the other.

    ``log_prob(y) = base.log_prob(x) - log |det dy/dx|``. A log-normal variable, for example:

    >>> TransformedDistribution(Normal(0.0, 1.0), ExpTransform())
    TransformedDistribution()
    """

    arg_constraints = {}

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | Sequence[Transform],
        validate_args: bool | None = None,
    ) -> None:
        if isinstance(transforms, Transform):
            transforms = [transforms]
        if not (isinstance(transforms, (list, tuple)) and all(isinstance(part, Transform) for part in transforms)):
            raise ValueError(f"transforms must be a Transform or a list of Transforms, but was {transforms}")
        self.transforms = list(transforms)
        whole = ComposeTransform(self.transforms)
        shape = base_distribution.batch_shape + base_distribution.event_shape
        event_dim = whole.domain.event_dim if self.transforms else 0
        if len(shape) < event_dim:
            raise ValueError(f"base_distribution needs to have shape with size at least {event_dim}, but got {shape}.")
        # Larger inputs make larger batches.
        forward = whole.forward_shape(shape)
        base_shape = whole.inverse_shape(forward)
        if base_shape != shape:
            batch = base_shape[: len(base_shape) - len(base_distribution.event_shape)]
            base_distribution = base_distribution.expand(batch)
        taken = event_dim - len(base_distribution.event_shape)
        self.base_dist = Independent(base_distribution, taken) if taken > 0 else base_distribution
        changed = whole.codomain.event_dim - event_dim if self.transforms else 0
        events = max(event_dim, len(base_distribution.event_shape)) + changed
        split = len(forward) - events
        super().__init__(forward[:split], forward[split:], validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        new = super().expand(batch_shape, _instance)
        shape = ComposeTransform(self.transforms).inverse_shape((*batch_shape, *self._event_shape))
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        new.transforms = self.transforms
        return new

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]  # the base's
        return self.base_dist.has_rsample

    @constraints.dependent_property
    def support(self) -> constraints.Constraint:
        if not self.transforms:
            base: constraints.Constraint = self.base_dist.support
            return base
        support = self.transforms[-1].codomain
        more = len(self._event_shape) - support.event_dim
        return constraints.independent(support, more) if more > 0 else support

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self._forward(self.base_dist.rsample(sample_shape))

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        events = len(self._event_shape)
        stretched: Tensor | float = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            events += transform.domain.event_dim - transform.codomain.event_dim
            log_stretch = transform.log_abs_det_jacobian(x, y)
            stretched = stretched - sum_rightmost(log_stretch, events - transform.domain.event_dim)
            y = x
        return stretched + sum_rightmost(self.base_dist.log_prob(y), events - len(self.base_dist.event_shape))

    def _monotone(self, p: Tensor) -> Tensor:
        """The probability of being below, or above where the transforms fall."""
        sign: int | Tensor = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return p if isinstance(sign, int) and sign == 1 else sign * (p - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        """NotImplementedError unless the transforms are monotone. It is 0 where an open support begins."""
        support = self.support
        if isinstance(support, constraints.greater_than) and isinstance(value, Tensor):
            self._validate_sample(value.where(value != support.lower_bound, support.lower_bound + 1))
        else:
            self._validate_sample(value)
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return self._monotone(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        """NotImplementedError unless the transforms are monotone."""
        return self._forward(self.base_dist.icdf(self._monotone(value)))
