"""What distributions have in common that are moved and stretched."""

from __future__ import annotations

from .._core import Tensor
from . import constraints
from .distribution import Distribution
from .parameters import broadcast_all

__all__ = ["LocationScale"]


class LocationScale(Distribution):
    """Real numbers ``loc + scale * x`` for an x of a fixed distribution, whose mode is 0; the two broadcast."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mode(self) -> Tensor:
        return self.loc
