"""What the relaxed distributions have in common: one in logarithms, which has the parameters, and its transform."""

from __future__ import annotations

from .transformed_distribution import TransformedDistribution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._core import Tensor
    from .relaxed_bernoulli import LogitRelaxedBernoulli
    from .relaxed_categorical import ExpRelaxedCategorical

__all__ = ["Relaxed"]


class Relaxed(TransformedDistribution):
    """Parameters are those of the base distribution."""

    if TYPE_CHECKING:
        base_dist: LogitRelaxedBernoulli | ExpRelaxedCategorical

    @property
    def temperature(self) -> Tensor | float:
        return self.base_dist.temperature

    @property
    def probs(self) -> Tensor:
        return self.base_dist.probs

    @property
    def logits(self) -> Tensor:
        return self.base_dist.logits
