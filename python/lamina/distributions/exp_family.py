"""Exponential families: entropies and divergences from the normalizer and its derivatives."""

from __future__ import annotations

from .._core import Tensor
from ..autograd import grad
from ..autograd.modes import enable_grad
from .distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Densities ``h(x) exp(t(x) · e - A(e))`` of natural parameters e, with sufficient statistics t of mean A'(e).

    Subclasses write `_natural_params` (one or more tensors), `_log_normalizer` A of these, and `_mean_carrier_measure`,
    the mean of log h.

    Source: Nielsen and Nock, "Entropies and cross-entropies of exponential families", 2010.
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> float | Tensor:
        raise NotImplementedError

    def _normalizer_and_means(self) -> tuple[tuple[Tensor, ...], Tensor, tuple[Tensor, ...]]:
        """Natural parameters, A of them, and its derivatives; all differentiable in the distribution's parameters."""
        with enable_grad():
            natural = tuple(x if x.requires_grad else x.detach().requires_grad_() for x in self._natural_params)
            normalizer = self._log_normalizer(*natural)
            means = grad(normalizer.sum(), natural, create_graph=True)
        return natural, normalizer, means

    def _products(self, natural: tuple[Tensor, ...], means: tuple[Tensor, ...]) -> Tensor:
        """The inner products of the batch's members."""
        total: Tensor | float = 0.0
        for parameter, mean in zip(natural, means):
            product = parameter * mean
            total = total + product.reshape((*self._batch_shape, -1)).sum(-1)
        assert isinstance(total, Tensor)
        return total

    def entropy(self) -> Tensor:
        carrier = self._mean_carrier_measure
        natural, normalizer, means = self._normalizer_and_means()
        return normalizer - self._products(natural, means) - carrier
