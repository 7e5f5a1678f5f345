"""The functions of ``torch.special`` that lamina has, most of them under their other names."""

from __future__ import annotations

from ._core import digamma, erf, erfc, erfinv, exp2, expm1, i0, log1p, log_softmax, logsumexp, round, softmax
from ._core import digamma as psi
from ._core import lgamma as gammaln
from ._core import sigmoid as expit
from .functions.bessel import i0e, i1, i1e
from .functions.gamma_family import igamma as gammainc
from .functions.gamma_family import igammac as gammaincc
from .functions.gamma_family import multigammaln, polygamma, zeta
from .functions.pointwise import logit, sinc, xlogy
from .functions.special_values import entr, log_ndtr, ndtr, xlog1py

# fmt: off
__all__ = [
    "digamma", "entr", "erf", "erfc", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln", "i0",
    "i0e", "i1", "i1e", "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "multigammaln", "ndtr", "polygamma",
    "psi", "round", "sinc", "softmax", "xlog1py", "xlogy", "zeta",
]
# fmt: on
