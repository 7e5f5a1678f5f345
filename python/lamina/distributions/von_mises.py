"""The distribution of von Mises."""

from __future__ import annotations

from math import log, pi

from .._core import Tensor
from ..autograd.modes import no_grad
from ..functions.bessel import i0e, i1e
from ..functions.sampling import drawn
from . import constraints
from .distribution import Distribution
from .parameters import broadcast_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["VonMises"]


class VonMises(Distribution):
    """Angles about `loc`, in radians: density in proportion to ``exp(concentration cos(x - loc))`` over a turn.

    Samples lie in [-pi, pi). The two parameters broadcast; the density is repeated from turn to turn.

    Source: Mardia and Jupp, "Directional statistics", 2000, 3.5.4.
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """Of the direction."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The circular one: 1 less the length of the mean unit vector."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            shape = self._extended_shape(sample_shape)
            spread = self.concentration.expand(shape)
            turned = drawn(lambda rng, x: rng.vonmises(0.0, x.double().numpy()), None, spread) + self.loc
            return (turned + pi) % (2 * pi) - pi

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        # cos - 1, by the half angle: close to the mean nothing cancels.
        fall = 2 * self.concentration * ((value - self.loc) / 2).sin().square()
        return -fall - log(2 * pi) - i0e(self.concentration).log()
