"""Bessel functions of the first and second kind, which swing; of `lamina.special`.

Near their zeros their errors are those of the waves around: a few units in the last place of the size of these.
"""

from __future__ import annotations

from math import factorial, pi

from .. import _core
from .._core import Tensor
from .arguments import composed_as
from .fits import by_double, polynomial
from .pointwise import xlogy

__all__ = ["bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "spherical_bessel_j0"]

# Up to 8, polynomials in u = x**2 / 32 - 1: (j0(x) - 1) / x**2, j1(x) / x, and what y0 and y1 / x have besides
# 2/pi log(x) j0(x) and 2/pi (log(x) j1(x) - 1 / x) / x. From there on, of order n and with t = x - (2n + 1) pi / 4,
# sqrt(2 / (pi x)) times p cos(t) - q / x sin(t), or p sin(t) + q / x cos(t), p and q polynomials in u = 128 / x**2 - 1.
_BORDER = 8.0
# fmt: off
_J = (
    (
        -0.02981782297313082, 0.058889736951126356, -0.07915440204760084, 0.053901626807923125, -0.021452268647181808,
        0.0055938922144599, -0.0010317406967228675, 0.00014196824013296404, -1.5153271721373389e-05,
        1.292461645008021e-06, -9.017421400374679e-08, 5.244551278304611e-09, -2.582648266027715e-10,
        1.0910638219931294e-11, -4.0131470856349116e-13, 1.2874303364048614e-14,
    ),
    (
        -0.05814382795599107, 0.08105866038589796, 0.15151665143806636, -0.2595948652859303, 0.15858376432721838,
        -0.05474581821284722, 0.012456814392263375, -0.0020290394945705996, 0.0002494945813597261,
        -2.404574865968694e-05, 1.868452603720601e-06, -1.196708186787801e-07, 6.431190177265836e-09,
        -2.943013798001659e-10, 1.1658972367678622e-11, -4.0045728425886457e-13,
    ),
)
_Y = (
    (
        -0.382250654459425, -0.8284358903604587, 1.6470964788745468, 0.14412632369302475, -1.0775477338215995,
        0.6721770783431679, -0.21895747096171628, 0.046367047681375125, -0.00702574105727097, 0.000806158605961636,
        -7.279541882454115e-05, 5.3213188103997145e-06, -3.2185078445935923e-07, 1.6390875014077404e-08,
        -7.13046146536789e-10, 2.6926938054524057e-11, -8.840112096073101e-13,
    ),
    (
        0.07075985882118005, -0.24337743079193114, 0.02336757172099348, 0.23507209206669755, -0.19639839859930203,
        0.07854786922242532, -0.01962875683311711, 0.0034224907399188495, -0.0004438173434420147, 4.467433012646365e-05,
        -3.601000022590458e-06, 2.3804930420514178e-07, -1.3153147367094951e-08, 6.169688029066965e-10,
        -2.499531546171249e-11, 8.760001143977853e-13,
    ),
)
_P = (
    (
        0.9994572757882519, -0.0005363673192129672, 6.137416081283524e-06, -2.0527448261170675e-07,
        1.2803747743828764e-08, -1.2121098178951377e-09, 1.550640953808597e-10, -2.491146535471666e-11,
        4.674289307624388e-12, -1.0157485021065676e-12, 3.455012974455743e-13, -1.0251790052831013e-13,
    ),
    (
        1.0009070262780821, 0.0008988049416705183, -7.9596946984383e-06, 2.453676633366693e-07, -1.4708512991275258e-08,
        1.3602969253877949e-09, -1.713107485294131e-10, 2.72345126828134e-11, -5.191158004646548e-12,
        1.0954826479277623e-12, -2.6335760672461096e-13, 1.0923713653079462e-13, -3.5455617466606254e-14,
    ),
)
_Q = (
    (
        -0.12444091103610815, 0.0005466519279475266, -1.1817110660715592e-05, 5.684971881753781e-07,
        -4.5349736139769986e-08, 5.146231602705606e-09, -7.57586453075858e-10, 1.3623497617833053e-10,
        -2.8840344824996496e-11, 6.951785915752245e-12, -1.6783779045026498e-12, 4.605060470396763e-13,
        -2.7338449247237154e-13, 1.0185094098694355e-13,
    ),
    (
        0.3742149922195918, -0.0007697167057643706, 1.4569614809339924e-05, -6.633568561050814e-07,
        5.136106815451932e-08, -5.720890888840857e-09, 8.315586321594619e-10, -1.4816588916791194e-10,
        3.1143942213346517e-11, -7.465104477698295e-12, 1.796964474573459e-12, -4.91574062967655e-13,
        2.8960940831153833e-13, -1.0759215471978615e-13,
    ),
)
# fmt: on


def _wave(size: Tensor, order: int, second: bool) -> Tensor:
    u = 2 * (_BORDER / size).square() - 1
    p, q = polynomial(u, _P[order]), polynomial(u, _Q[order]) / size
    sine, cosine = size.sin(), size.cos()
    # sqrt(2) times the cosine and the sine of t.
    cosine, sine = (sine - cosine, -sine - cosine) if order else (cosine + sine, sine - cosine)
    return (p * sine + q * cosine if second else p * cosine - q * sine) * (pi * size).rsqrt()


def _first_near(x: Tensor, order: int) -> Tensor:
    square = x.square()
    fitted = polynomial(square / 32 - 1, _J[order])
    return x * fitted if order else 1 + square * fitted


def _first(order: int, x: Tensor) -> Tensor:
    size = x.abs()
    wave = _wave(size.clamp(min=_BORDER), order, second=False)
    far = _core.copysign(_core.ones_like(x), x) * wave if order else wave
    return _core.where(size < _BORDER, _first_near(x.clamp(-_BORDER, _BORDER), order), far)


def _second(order: int, x: Tensor) -> Tensor:
    near = x.clamp(max=_BORDER)
    fitted = polynomial(near.square() / 32 - 1, _Y[order])
    pole = xlogy(_first_near(near, order), near)
    small = near * fitted + 2 / pi * (pole - 1 / near.abs()) if order else fitted + 2 / pi * pole
    return _core.where(x < _BORDER, small, _wave(x.clamp(min=_BORDER), order, second=True))


@composed_as("SpecialBesselJ0")
def bessel_j0(input: Tensor) -> Tensor:
    """The Bessel function of the first kind of order 0."""
    return by_double("bessel_j0", lambda x: _first(0, x), input)


@composed_as("SpecialBesselJ1")
def bessel_j1(input: Tensor) -> Tensor:
    """The Bessel function of the first kind of order 1; odd."""
    return by_double("bessel_j1", lambda x: _first(1, x), input)


@composed_as("SpecialBesselY0")
def bessel_y0(input: Tensor) -> Tensor:
    """The Bessel function of the second kind of order 0: -inf at 0, NaN below."""
    return by_double("bessel_y0", lambda x: _second(0, x), input)


@composed_as("SpecialBesselY1")
def bessel_y1(input: Tensor) -> Tensor:
    """The Bessel function of the second kind of order 1: -inf at 0, NaN below."""
    return by_double("bessel_y1", lambda x: _second(1, x), input)


@composed_as("SpecialSphericalBesselJ0")
def spherical_bessel_j0(input: Tensor) -> Tensor:
    """``sin(x) / x``, 1 at 0, and 0 at infinity."""

    def compute(x: Tensor) -> Tensor:
        far = _core.where((x.abs() < 0.5) | x.isinf(), 1.0, x)
        square = x.clamp(-0.5, 0.5).square()
        series = polynomial(square, tuple((-1.0) ** k / factorial(2 * k + 1) for k in range(8)))
        return _core.where(x.abs() < 0.5, series, _core.where(x.isinf(), 0.0, far.sin() / far))

    return by_double("spherical_bessel_j0", compute, input)
