"""The continuous Bernoulli distribution."""

from __future__ import annotations

from math import log

from .._core import Tensor
from ..nn.functional import binary_cross_entropy_with_logits
from . import constraints
from .exp_family import ExponentialFamily
from .parameters import broadcast_all, clamp_probs, probs_to_logits
from .trials import Trials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(Trials, ExponentialFamily):
    """Density in proportion to ``p^x (1 - p)^(1 - x)`` on [0, 1], for the p of `probs` or of `logits`.

    With e the logarithm of p's odds it is ``e exp(e x) / expm1(e)``: 0/0 at p = 1/2. For a p between the two `lims`
    series are taken, in ``d = p - 1/2``.

    Source: Loaiza-Ganem and Cunningham, "The continuous Bernoulli: fixing a pervasive error in variational
    autoencoders", 2019.
    """

    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._lims = lims
        super().__init__(probs, logits, validate_args)

    def _odds(self) -> Tensor:
        """e, for a p kept away from 0 and 1."""
        return probs_to_logits(self.probs, is_binary=True)

    def _near_half(self, p: Tensor) -> Tensor:
        return (p > self._lims[0]) & (p <= self._lims[1])

    def _both(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Where the series holds, its d; and a p away from 1/2, with the logarithm of its odds, for elsewhere."""
        probs = clamp_probs(self.probs)
        near = self._near_half(probs)
        away = probs.where(~near, self._lims[0])
        return near, probs.where(near, 0.5) - 0.5, away, away.log() - (-away).log1p()

    def _log_constant(self) -> Tensor:
        near, d, p, e = self._both()
        square = d.square()
        series = log(2) + (4 / 3 + 104 / 45 * square) * square
        return series.where(near, (e / (2 * p - 1)).log())

    @property
    def mean(self) -> Tensor:
        near, d, p, e = self._both()
        series = 0.5 + (1 / 3 + 16 / 45 * d.square()) * d
        return series.where(near, p / (2 * p - 1) - 1 / e)

    @property
    def variance(self) -> Tensor:
        near, d, p, e = self._both()
        square = d.square()
        series = 1 / 12 - (1 / 15 + 128 / 945 * square) * square
        return series.where(near, p * (p - 1) / (2 * p - 1).square() + 1 / e.square())

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.icdf(self._uniform(sample_shape, self._given()))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, x = broadcast_all(self.logits, value)
        return self._log_constant() - binary_cross_entropy_with_logits(logits, x, reduction="none")

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        x, e = value.clamp(0, 1), self._odds()
        return x.where(e == 0, (e * x).expm1() / e.where(e != 0, 1.0).expm1())

    def icdf(self, value: Tensor) -> Tensor:
        e = self._odds()
        return value.where(e == 0, (value * e.expm1()).log1p() / e.where(e != 0, 1.0))

    def entropy(self) -> Tensor:
        return -self._odds() * self.mean - (-clamp_probs(self.probs)).log1p() - self._log_constant()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        """``log(expm1(e) / e)``: its series is ``e/2 + e²/24 - e⁴/2880`` near 0."""
        (e,) = natural_params
        near = self._near_half(e.sigmoid())
        small, large = e.where(near, 0.0), e.where(~near, 1.0)
        square, size = small.square(), large.abs()
        series = small / 2 + (1 / 24 - square / 2880) * square
        return series.where(near, large.clamp(min=0) + (-(-size).expm1() / size).log())

    @property
    def _mean_carrier_measure(self) -> float:
        return 0.0
