"""The chi-squared distribution."""

from __future__ import annotations

from .._core import Tensor
from . import constraints
from .gamma import Gamma
from .parameters import broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from typing_extensions import Self

__all__ = ["Chi2"]


class Chi2(Gamma):
    """The sum of the squares of `df` normal variables of variance 1."""

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Tensor | float, validate_args: bool | None = None) -> None:
        (degrees,) = broadcast_all(df)
        super().__init__(degrees / 2, 0.5, validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        new = self._new_or(_instance)
        Chi2.__init__(new, self.df.expand(batch_shape), validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def df(self) -> Tensor:
        return self.concentration * 2
