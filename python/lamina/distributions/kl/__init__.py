"""The Kullback-Leibler divergence, for the pairs of distributions that have a formula."""

from __future__ import annotations

from . import across, alike
from .alike import _kl_expfamily_expfamily
from .registry import kl_divergence, register_kl

__all__ = ["_kl_expfamily_expfamily", "across", "alike", "kl_divergence", "register_kl"]
