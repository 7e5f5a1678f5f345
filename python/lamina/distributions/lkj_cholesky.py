"""The distribution of Lewandowski, Kurowicka and Joe."""

from __future__ import annotations

from math import log, pi

from .. import _core
from .._core import Tensor, lgamma
from ..autograd.modes import no_grad
from ..dtypes import finfo
from ..functions.gamma_family import multigammaln
from ..functions.matrices import diag_embed
from . import constraints
from .beta import Beta
from .distribution import Distribution
from .parameters import broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from typing_extensions import Self

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Cholesky factors of matrices R of correlations, (dim, dim), of a density in proportion to ``det(R)^(c - 1)``.

    The `concentration` c of 1 makes all R alike; a larger one prefers those near the identity. ValueError for a `dim`
    below 2. Samples have no gradient.

    Source: Lewandowski, Kurowicka and Joe, "Generating random correlation matrices based on vines and extended onion
    method", 2009.
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Tensor | float = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        new = super().expand(batch_shape, _instance)
        new.dim = self.dim
        return new

    def _rows(self) -> Tensor:
        """1, …, dim - 1: how many elements are before the diagonal in all rows but the first."""
        c = self.concentration
        return _core.arange(1, self.dim, dtype=c.dtype, device=c.device)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """By the onion method: row by row, a squared length with a beta distribution, in an even direction."""
        with no_grad():
            before = self._rows()
            fall = self.concentration.unsqueeze(-1) + (self.dim - 1 - before) / 2
            squared = Beta(before / 2, fall, validate_args=False).sample(sample_shape)
            direction = self._normal(sample_shape, squared)[..., 1:, :].tril()
            direction = direction / direction.square().sum(-1, True).sqrt()
            rows = squared.sqrt().unsqueeze(-1) * direction
            first = _core.zeros_like(rows[..., :1, :])
            below = _core.cat([first, rows], -2)
            left = 1 - below.square().sum(-1)
            return below + diag_embed(left.clamp(min=finfo(left.dtype).tiny).sqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        """With respect to the elements below the diagonal of the factor."""
        self._validate_sample(value)
        c, n = self.concentration, self.dim - 1
        # det(R)^(c - 1), and the Jacobian of the factor to R: row k's diagonal element to the power of dim - k.
        powers = 2 * (c - 1).unsqueeze(-1) + n - self._rows()
        spread = (powers * value.diagonal(0, -2, -1)[..., 1:].log()).sum(-1)
        most = c + n / 2
        return spread - n * log(pi) / 2 - multigammaln(most - 0.5, n) + n * lgamma(most)
