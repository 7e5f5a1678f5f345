"""Constraints of several axes or parts, made of those of one."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from .constraint import Constraint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MixtureSameFamilyConstraint", "cat", "independent", "stack"]


class _IndependentConstraint(Constraint):
    """`base_constraint` of events with `reinterpreted_batch_ndims` more axes: all their parts must be allowed."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]  # the base's
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]  # the base's and more
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        allowed = self.base_constraint.check(value)
        if allowed.dim() < self.reinterpreted_batch_ndims:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        for _ in range(self.reinterpreted_batch_ndims):
            allowed = allowed.all(-1)
        return allowed

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """`base_constraint` of components that lie along one more batch axis, the last: all must allow a value."""

    def __init__(self, base_constraint: Constraint) -> None:
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]  # the base's
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]  # the base's
        return self.base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        if value.dim() < self.event_dim:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        return self.base_constraint.check(value.unsqueeze(-1 - self.event_dim)).all(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint!r})"


class _Parts(Constraint):
    """A constraint for each part along the axis `dim`."""

    def __init__(self, cseq: Sequence[Constraint], dim: int) -> None:
        self.cseq = list(cseq)
        if not all(isinstance(part, Constraint) for part in self.cseq):
            raise TypeError(f"Expected constraints, got {self.cseq}")
        self.dim = dim

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]  # the parts'
        return any(part.is_discrete for part in self.cseq)

    @property
    def event_dim(self) -> int:  # type: ignore[override]  # the parts'
        return max(part.event_dim for part in self.cseq)

    def _check_axis(self, value: Tensor) -> None:
        if not -value.dim() <= self.dim < value.dim():
            raise ValueError(f"dim {self.dim} is out of range for a value of {value.dim()} axes")


class _Cat(_Parts):
    """Parts of `lengths` (1 each, if not given) along `dim`, one after the other, each with its constraint."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None) -> None:
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise ValueError(f"Expected a length for each constraint, got {len(self.lengths)} for {len(self.cseq)}")

    def check(self, value: Tensor) -> Tensor:
        self._check_axis(value)
        parts = value.split(self.lengths, self.dim)
        return _core.cat([part.check(piece) for part, piece in zip(self.cseq, parts)], self.dim)


class _Stack(_Parts):
    """Each index along `dim` has its constraint."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        super().__init__(cseq, dim)

    @property
    def event_dim(self) -> int:  # type: ignore[override]  # the parts', and `dim` if it is of the event
        event_dim = super().event_dim
        return event_dim + 1 if self.dim + event_dim < 0 else event_dim

    def check(self, value: Tensor) -> Tensor:
        self._check_axis(value)
        parts = value.unbind(self.dim)
        return _core.stack([part.check(piece) for part, piece in zip(self.cseq, parts)], self.dim)


cat = _Cat
independent = _IndependentConstraint
stack = _Stack
