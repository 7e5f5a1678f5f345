"""Functions around the gamma function by series that end when they have converged: incomplete gamma, polygamma, zeta.

Incomplete gamma functions of large numbers, for which that takes too long, go by an expansion.
"""

from __future__ import annotations

from math import factorial, inf, nan, pi

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

_STEPS_A_LOOK = 16
_MOST_STEPS = 4096
_TINY = 1e-300
_ENOUGH = 1e-16
_LARGE = 1e4  # from here on the expansion for large numbers is as good, and the others take long


def _series(a: Tensor, x: Tensor) -> Tensor:
    """``1 + x / (a + 1) + x² / ((a + 1) (a + 2)) …``; converges fast for x < a + 1. Source: A. and S., 6.5.29."""
    total = term = _core.ones_like(x)
    for step in range(1, _MOST_STEPS):
        term = term * x / (a + step)
        total = total + term
        if step % _STEPS_A_LOOK == 0 and not holds_somewhere(term.detach() > total.detach() * _ENOUGH):
            break
    return total


def _fraction(a: Tensor, x: Tensor) -> Tensor:
    """The continued fraction of ``Γ(a, x) / (x^a e^-x)`` by Lentz's method, for x ≥ a + 1. A. and S., 6.5.31."""
    b = x + 1 - a
    c, d = _core.full_like(x, 1 / _TINY), 1 / b
    result = d
    for step in range(1, _MOST_STEPS):
        factor = (a - step) * step
        b = b + 2
        d, c = 1 / (factor * d + b), b + factor / c
        result = result * (d * c)
        if step % _STEPS_A_LOOK == 0 and not holds_somewhere(((d * c).detach() - 1).abs() > _ENOUGH * 4):
            break
    return result


def _polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    total = _core.zeros_like(x)
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


def _expansion(a: Tensor, x: Tensor, upper: bool) -> Tensor:
    """Either function for large `a`, by Temme's uniform expansion. DLMF, 8.12.3 to 8.12.12."""
    u = (x - a) / a
    near = u.abs() < 0.05
    # u - log(1 + u) is half of η²; near 0 by its series, over u².
    close = _polynomial(_core.where(near, u, 0.0), tuple((-1) ** k / k for k in range(2, 14)))
    far = _core.where(near, 1.0, u)
    eta = _core.where(near, u * (2 * close).sqrt(), far.sign() * (2 * (far - far.log1p())).sqrt())
    first = _polynomial(eta, (-1 / 3, 1 / 12, -2 / 135, 1 / 864, 1 / 2835, -139 / 777600, 1 / 25515))
    second = _polynomial(eta, (-1 / 540, -1 / 288, 1 / 378))
    z = eta * (a / 2).sqrt()
    rest = (-z * z).exp() / (2 * pi * a).sqrt() * _core.where(z.abs() < 40, first + second / a, 0.0)
    return _core.erfc(z if upper else -z) / 2 + (rest if upper else -rest)


def _incomplete(input: Tensor, other: Tensor, upper: bool) -> Tensor:
    kind = _core.result_type(input, other)
    if not kind.is_floating_point:
        raise NotImplementedError(f'"igamma{"c" if upper else ""}" not implemented for {kind}')
    a, x = broadcast_tensors(input.double(), other.double())
    plain = (a > 0) & (x > 0) & a.isfinite() & x.isfinite()
    large = plain & (a > _LARGE)
    below = plain & ~large & (x < a + 1)
    above = plain & ~large & (x >= a + 1)
    p_a, p_x = _core.where(plain, a, 1.0), _core.where(plain, x, 1.0)
    scale = (p_a * p_x.log() - p_x - lgamma(p_a)).exp()
    lower_part = scale / p_a * _series(_core.where(below, a, 1.0), _core.where(below, x, 1.0))
    upper_part = scale * _fraction(_core.where(above, a, 1.0), _core.where(above, x, 3.0))
    result = _core.where(below, 1 - lower_part if upper else lower_part, upper_part if upper else 1 - upper_part)
    if holds_somewhere(large):
        expanded = _expansion(_core.where(large, a, 1.0), _core.where(large, x, 1.0), upper)
        result = _core.where(large, expanded, result)
    # At the ends: all of the mass lies at 0 for a = 0, and nowhere for a = inf.
    all_below = ((a == 0) & (x > 0)) | ((x == inf) & (a >= 0) & a.isfinite())
    none_below = ((x == 0) & (a > 0)) | ((a == inf) & (x >= 0) & x.isfinite())
    at_ends = _core.where(all_below, 0.0 if upper else 1.0, _core.where(none_below, 1.0 if upper else 0.0, nan))
    return _core.where(plain, result, at_ends).to(kind)


@composed_as("Igamma")
def igamma(input: Tensor, other: Tensor) -> Tensor:
    """The regularized lower incomplete gamma function P(input, other); NaN for negative arguments."""
    return _incomplete(input, other, False)


@composed_as("Igammac")
def igammac(input: Tensor, other: Tensor) -> Tensor:
    """The regularized upper incomplete gamma function, ``1 - igamma``, without its cancellation."""
    return _incomplete(input, other, True)


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
    size = zeta(float(n + 1), input) * factorial(n)
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
