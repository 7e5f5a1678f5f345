"""Functions around the gamma function: incomplete gamma, polygamma, zeta."""

from __future__ import annotations

from math import factorial, inf, nan

from .. import _core
from .._core import Tensor, digamma, lgamma
from ..dtypes import real_type
from ..looking import holds_somewhere
from .arguments import composed, composed_as
from .shaping import broadcast_tensors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._typing import Number

__all__ = ["igamma", "igammac", "multigammaln", "polygamma", "zeta"]


def _check_floating(name: str, *operands: Tensor) -> None:
    kind = _core.result_type(*operands)
    if not kind.is_floating_point:
        raise NotImplementedError(f'"{name}" not implemented for {kind}')


@composed
def igamma(input: Tensor, other: Tensor) -> Tensor:
    """The regularized lower incomplete gamma function P(input, other); NaN for negative arguments."""
    _check_floating("igamma", input, other)
    return _core._igamma(input, other)


@composed
def igammac(input: Tensor, other: Tensor) -> Tensor:
    """The regularized upper incomplete gamma function, ``1 - igamma``, without its cancellation."""
    _check_floating("igammac", input, other)
    return _core._igammac(input, other)


# Bernoulli's numbers B2, B4 …
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
_DIRECT_TERMS = 12


@composed_as("SpecialZeta")
def zeta(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Hurwitz' zeta function: the sum of ``(other + k) ** -input`` over k ≥ 0, for `input` > 1.

    By the formula of Euler and Maclaurin. Infinite for `input` 1 and at `other` 0, -1, -2 …; NaN for `input` below 1,
    and for negative `other` where `input` is no integer.
    """
    kind = _core.result_type(input, other)
    kind = real_type("zeta", kind)
    tensors = [x for x in (input, other) if isinstance(x, Tensor)]
    where = tensors[0].device if tensors else None
    s, q = broadcast_tensors(*(_core.as_tensor(x, dtype=_core.float64, device=where) for x in (input, other)))
    whole = q == q.floor()
    pole = (s == 1) | ((q <= 0) & whole)
    invalid = (s < 1) | ((q < 0) & (s != s.floor())) | s.isnan() | q.isnan()
    odd = pole | invalid
    s, q = _core.where(odd, 2.0, s), _core.where(odd, 1.0, q)
    total = _core.zeros_like(q)
    while holds_somewhere(q < 0):
        total = total + _core.where(q < 0, q.abs() ** -s * _core.where(s % 2 == 0, 1.0, -1.0), 0.0)
        q = _core.where(q < 0, q + 1, q)
    for step in range(_DIRECT_TERMS):
        total = total + (q + step) ** -s
    end = q + _DIRECT_TERMS
    power = end**-s
    total = total + end * power / (s - 1) + power / 2
    rising, power = s, power / end
    for place, number in enumerate(_BERNOULLI, start=1):
        total = total + (number / factorial(2 * place)) * rising * power
        rising, power = rising * (s + 2 * place - 1) * (s + 2 * place), power / (end * end)
    return _core.where(invalid, nan, _core.where(pole, inf, total)).to(kind)


@composed
def polygamma(n: int, input: Tensor) -> Tensor:
    """The `n`-th derivative of `digamma`. RuntimeError for negative `n`. Source: Abramowitz and Stegun, 6.4.10."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if n == 0:
        return digamma(input)
    size = zeta(float(n + 1), input) * (float(factorial(n)) if n <= 170 else inf)
    return size if n % 2 else -size


@composed
def multigammaln(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension `p`, for elements above ``(p - 1) / 2``."""
    from math import log, pi

    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    result: Tensor = lgamma(input) + p * (p - 1) / 4 * log(pi)
    for place in range(1, p):
        result = result + lgamma(input - place / 2)
    return result
