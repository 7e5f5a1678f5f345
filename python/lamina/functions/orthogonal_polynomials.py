"""The orthogonal polynomials of `lamina.special`, by the recurrences that lead from one degree to the next.

Degrees are numbers or tensors, of which the whole part counts; below 0 the polynomial is 0. All is computed in float64.
Source: Abramowitz and Stegun, 22.7.
"""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import real_type
from ..looking import holds_somewhere
from .arguments import as_number, composed_as
from .shaping import broadcast_tensors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .._typing import Number

    # (x, k, the polynomial of degree k, that of degree k - 1) to that of degree k + 1.
    Recurrence = Callable[[Tensor, int, Tensor, Tensor], Tensor]

__all__ = [
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
]


# Degrees are reached one by one: nobody would wait for more steps.
_MOST_STEPS = 2**20


def _too_many_steps(name: str) -> RuntimeError:
    return RuntimeError(f"{name}: degrees above {_MOST_STEPS} are not supported")


def _climb(
    name: str,
    input: Tensor | Number,
    n: Tensor | Number,
    first: Callable[[Tensor], Tensor],
    step: Recurrence,
    argument: Callable[[Tensor], Tensor] = lambda x: x,
) -> Tensor:
    """The polynomial of degree `n` that begins with 1 and `first`."""
    kind = real_type(name, _core.result_type(input, n))
    x = _core.as_tensor(input, dtype=_core.float64, device=getattr(n, "device", None))
    if isinstance(n, Tensor):
        return _climb_to_each(name, argument(x), n, first, step).to(kind)
    degree = int(as_number(name, "n", n))
    if degree > _MOST_STEPS:
        raise _too_many_steps(name)
    x = argument(x)
    if degree < 0:
        return _core.zeros_like(x, dtype=kind)
    before, at = _core.ones_like(x), first(x)
    for k in range(1, degree):
        before, at = at, step(x, k, at, before)
    return (at if degree else before).to(kind)


def _climb_to_each(name: str, x: Tensor, n: Tensor, first: Callable[[Tensor], Tensor], step: Recurrence) -> Tensor:
    x, n = broadcast_tensors(x, n.detach())
    if n.dtype.is_floating_point:
        n = _core.where(n.isfinite(), n, -1).trunc()
    if holds_somewhere(n.to(_core.float64) > _MOST_STEPS):  # which narrow integers could not be compared with
        raise _too_many_steps(name)
    before, at = _core.ones_like(x), first(x)
    result = _core.where(n < 0, 0.0, _core.where(n == 0, before, at))
    k = 1
    while holds_somewhere(n > k):
        before, at = at, step(x, k, at, before)
        k += 1
        result = _core.where(n == k, at, result)
    return result


def _of_chebyshev(x: Tensor, k: int, at: Tensor, before: Tensor) -> Tensor:
    return 2 * x * at - before


def _shifted(x: Tensor) -> Tensor:
    return 2 * x - 1


@composed_as("SpecialChebyshevPolynomialT")
def chebyshev_polynomial_t(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the first kind: ``cos(n acos(x))`` between -1 and 1."""
    return _climb("chebyshev_polynomial_t", input, n, lambda x: x, _of_chebyshev)


@composed_as("SpecialChebyshevPolynomialU")
def chebyshev_polynomial_u(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the second kind: ``sin((n + 1) a) / sin(a)`` with ``a = acos(x)``."""
    return _climb("chebyshev_polynomial_u", input, n, lambda x: 2 * x, _of_chebyshev)


@composed_as("SpecialChebyshevPolynomialV")
def chebyshev_polynomial_v(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the third kind: ``cos((n + 1/2) a) / cos(a / 2)`` with ``a = acos(x)``."""
    return _climb("chebyshev_polynomial_v", input, n, lambda x: 2 * x - 1, _of_chebyshev)


@composed_as("SpecialChebyshevPolynomialW")
def chebyshev_polynomial_w(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the fourth kind: ``sin((n + 1/2) a) / sin(a / 2)`` with ``a = acos(x)``."""
    return _climb("chebyshev_polynomial_w", input, n, lambda x: 2 * x + 1, _of_chebyshev)


@composed_as("SpecialShiftedChebyshevPolynomialT")
def shifted_chebyshev_polynomial_t(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """`chebyshev_polynomial_t` of ``2x - 1``."""
    return _climb("shifted_chebyshev_polynomial_t", input, n, lambda x: x, _of_chebyshev, _shifted)


@composed_as("SpecialShiftedChebyshevPolynomialU")
def shifted_chebyshev_polynomial_u(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """`chebyshev_polynomial_u` of ``2x - 1``."""
    return _climb("shifted_chebyshev_polynomial_u", input, n, lambda x: 2 * x, _of_chebyshev, _shifted)


@composed_as("SpecialShiftedChebyshevPolynomialV")
def shifted_chebyshev_polynomial_v(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """`chebyshev_polynomial_v` of ``2x - 1``."""
    return _climb("shifted_chebyshev_polynomial_v", input, n, lambda x: 2 * x - 1, _of_chebyshev, _shifted)


@composed_as("SpecialShiftedChebyshevPolynomialW")
def shifted_chebyshev_polynomial_w(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """`chebyshev_polynomial_w` of ``2x - 1``."""
    return _climb("shifted_chebyshev_polynomial_w", input, n, lambda x: 2 * x + 1, _of_chebyshev, _shifted)


@composed_as("SpecialHermitePolynomialH")
def hermite_polynomial_h(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Hermite's polynomial of physics, orthogonal under ``exp(-x**2)``."""
    step: Recurrence = lambda x, k, at, before: 2 * x * at - 2 * k * before  # noqa: E731
    return _climb("hermite_polynomial_h", input, n, lambda x: 2 * x, step)


@composed_as("SpecialHermitePolynomialHe")
def hermite_polynomial_he(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Hermite's polynomial of probability, orthogonal under ``exp(-x**2 / 2)``."""
    step: Recurrence = lambda x, k, at, before: x * at - k * before  # noqa: E731
    return _climb("hermite_polynomial_he", input, n, lambda x: x, step)


@composed_as("SpecialLaguerrePolynomialL")
def laguerre_polynomial_l(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Laguerre's polynomial, orthogonal under ``exp(-x)`` from 0 on."""
    step: Recurrence = lambda x, k, at, before: ((2 * k + 1 - x) * at - k * before) / (k + 1)  # noqa: E731
    return _climb("laguerre_polynomial_l", input, n, lambda x: 1 - x, step)


@composed_as("SpecialLegendrePolynomialP")
def legendre_polynomial_p(input: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Legendre's polynomial, orthogonal between -1 and 1."""
    step: Recurrence = lambda x, k, at, before: ((2 * k + 1) * x * at - k * before) / (k + 1)  # noqa: E731
    return _climb("legendre_polynomial_p", input, n, lambda x: x, step)
