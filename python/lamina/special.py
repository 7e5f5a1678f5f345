"""The functions of ``torch.special`` that lamina has, most of them under their other names."""

from __future__ import annotations

from ._core import erf, erfc, erfinv, exp2, expm1, log1p, log_softmax, logsumexp, round, softmax
from ._core import sigmoid as expit
from .functions.pointwise import logit, sinc, xlogy
from .functions.special_values import digamma, entr, ndtr, xlog1py
from .functions.special_values import digamma as psi
from .functions.special_values import lgamma as gammaln

# fmt: off
__all__ = [
    "digamma", "entr", "erf", "erfc", "erfinv", "exp2", "expit", "expm1", "gammaln", "log1p", "log_softmax", "logit",
    "logsumexp", "ndtr", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy",
]
# fmt: on
