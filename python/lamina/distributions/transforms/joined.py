"""Transforms with a part for each slice of their input."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from .. import constraints
from ..parameters import sum_rightmost
from .transform import Transform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CatTransform", "StackTransform"]


class _Parts(Transform):
    """The transforms `tseq`, each of a slice along `dim`."""

    def __init__(self, tseq: Sequence[Transform], dim: int, cache_size: int) -> None:
        if not all(isinstance(part, Transform) for part in tseq):
            raise TypeError(f"Expected transforms, got {list(tseq)}")
        super().__init__(cache_size)
        self.transforms = [part.with_cache(cache_size) if cache_size else part for part in tseq]
        self.dim = dim

    @property
    def bijective(self) -> bool:  # type: ignore[override]  # the parts'
        return all(part.bijective for part in self.transforms)

    def _split(self, x: Tensor) -> Sequence[Tensor]:
        raise NotImplementedError

    def _join(self, parts: list[Tensor], dim: int) -> Tensor:
        raise NotImplementedError

    def _slices(self, x: Tensor) -> Sequence[Tensor]:
        if not -x.dim() <= self.dim < x.dim():
            raise ValueError(f"dim {self.dim} is out of range for an input of {x.dim()} axes")
        return self._split(x)

    def _call(self, x: Tensor) -> Tensor:
        return self._join([part(piece) for part, piece in zip(self.transforms, self._slices(x))], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return self._join([part.inv(piece) for part, piece in zip(self.transforms, self._slices(y))], self.dim)

    def _stretches(self, x: Tensor, y: Tensor) -> list[Tensor]:
        return [
            part.log_abs_det_jacobian(piece, image)
            for part, piece, image in zip(self.transforms, self._slices(x), self._slices(y))
        ]


class CatTransform(_Parts):
    """Parts of `lengths` (1 each, if not given) along `dim`, one after the other, each with its transform of `tseq`.

    >>> CatTransform([ExpTransform(), identity_transform])(lamina.tensor([0.0, 5.0]))
    tensor([1., 5.])
    """

    def __init__(
        self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0
    ) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise ValueError(f"Expected a length for each transform, got {len(self.lengths)} for {len(tseq)}")

    @property
    def length(self) -> int:
        """Of the axis `dim`."""
        return sum(self.lengths)

    @property
    def event_dim(self) -> int:
        return max(part.event_dim for part in self.transforms)

    @property
    def domain(self) -> constraints.Constraint:  # type: ignore[override]  # the parts'
        return constraints.cat([part.domain for part in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> constraints.Constraint:  # type: ignore[override]  # the parts'
        return constraints.cat([part.codomain for part in self.transforms], self.dim, self.lengths)

    def with_cache(self, cache_size: int = 1) -> Transform:
        if self._cache_size == cache_size:
            return self
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _split(self, x: Tensor) -> Sequence[Tensor]:
        if x.shape[self.dim] != self.length:
            raise ValueError(f"Expected {self.length} places along dim {self.dim}, got {x.shape[self.dim]}")
        return x.split(self.lengths, self.dim)

    def _join(self, parts: list[Tensor], dim: int) -> Tensor:
        return _core.cat(parts, dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        stretches = [
            sum_rightmost(stretch, self.event_dim - part.event_dim)
            for part, stretch in zip(self.transforms, self._stretches(x, y))
        ]
        dim = self.dim - x.dim() if self.dim >= 0 else self.dim
        dim += self.event_dim
        if dim < 0:
            return self._join(stretches, dim)
        total = stretches[0]
        for stretch in stretches[1:]:
            total = total + stretch
        return total


class StackTransform(_Parts):
    """Each index along `dim` has its transform of `tseq`."""

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    @property
    def domain(self) -> constraints.Constraint:  # type: ignore[override]  # the parts'
        return constraints.stack([part.domain for part in self.transforms], self.dim)

    @property
    def codomain(self) -> constraints.Constraint:  # type: ignore[override]  # the parts'
        return constraints.stack([part.codomain for part in self.transforms], self.dim)

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else StackTransform(self.transforms, self.dim, cache_size)

    def _split(self, x: Tensor) -> Sequence[Tensor]:
        if x.shape[self.dim] != len(self.transforms):
            raise ValueError(f"Expected {len(self.transforms)} places along dim {self.dim}, got {x.shape[self.dim]}")
        return x.unbind(self.dim)

    def _join(self, parts: list[Tensor], dim: int) -> Tensor:
        return _core.stack(parts, dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self._join(self._stretches(x, y), self.dim)
