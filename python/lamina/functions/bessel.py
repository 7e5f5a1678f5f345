"""Modified Bessel functions that `lamina.special` alone has; `i0` is a function of the module."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .arguments import composed, composed_as
from .fits import by_double, polynomial
from .pointwise import xlogy

__all__ = [
    "i0e",
    "i1",
    "i1e",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
]

# Up to 2, with u = x**2 / 2 - 1, k0 is -log(x) i0(x) and a polynomial in u, k1 log(x) i1(x) + 1 / x and one times x.
# From there on either is exp(-x) / sqrt(x) times a polynomial in u = 4 / x - 1.
_BORDER = 2.0
# fmt: off
_K0_NEAR = (
    0.7819051943679178, 0.7812430851107339, 0.12278562011464675, 0.00777646646981443, 0.00026585892882551336,
    5.6886558483558625e-06, 8.336543759122888e-08, 8.891855786815677e-10, 7.213074767157564e-12, 4.599367348002837e-14,
)
_K0_FAR = (
    1.2185953385133905, -0.03107146182488952, 0.0030328918102753206, -0.0004797690567662314, 9.95605474202942e-05,
    -2.4735204561466906e-05, 7.002245645755651e-06, -2.191177788015528e-06, 7.427801232190096e-07,
    -2.689066247290161e-07, 1.02954317593912e-07, -4.133923052104385e-08, 1.7047535884249694e-08,
    -7.286380907337665e-09, 3.808399859919043e-09, -1.9309444875845705e-09, 4.757544705776374e-11,
    1.7887095838476482e-10, 8.133913205464114e-10, -5.541051446065683e-10, -3.119936129682105e-10,
    2.213758097591008e-10, 1.0926983537268735e-10, -6.910453875670571e-11,
)
_K1_NEAR = (
    -0.49820162023255865, -0.21068184102943446, -0.02142386442877562, -0.00100468814315167, -2.7280508484375018e-05,
    -4.841738881852856e-07, -6.0618987394895966e-09, -5.6443016935864006e-11, -4.061886417782172e-13,
)
_K1_FAR = (
    1.363151890371342, 0.10334973775386523, -0.005566729880074588, 0.0007357241549081501, -0.00013959021956272223,
    3.284386555825453e-05, -8.961207387750025e-06, 2.730041433569803e-06, -9.067087633371393e-07,
    3.2298119177151824e-07, -1.2203186351938403e-07, 4.8461952200091865e-08, -1.9817577141591116e-08,
    8.40938756536177e-09, -4.331939985658629e-09, 2.1757782025837176e-09, -8.336227195991456e-11,
    -1.7982138496175016e-10, -8.908596710923906e-10, 6.042482293782838e-10, 3.3867804167808003e-10,
    -2.399376595899464e-10, -1.1931668393112158e-10, 7.52479548635394e-11,
)
# fmt: on


@composed
def i0e(input: Tensor) -> Tensor:
    """``exp(-|x|) i0(x)``."""
    return _core._i0e(input)


@composed
def i1(input: Tensor) -> Tensor:
    """The modified Bessel function of order 1; odd."""
    return _core._i1(input)


@composed
def i1e(input: Tensor) -> Tensor:
    """``exp(-|x|) i1(x)``."""
    return _core._i1e(input)


@composed
def modified_bessel_i0(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 0: `i0`."""
    return _core.i0(input)


@composed
def modified_bessel_i1(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind of order 1: `i1`."""
    return _core._i1(input)


def _second_kind(order: int, scaled: bool, x: Tensor) -> Tensor:
    near, far = x.clamp(max=_BORDER), x.clamp(min=_BORDER)
    u = near * near / 2 - 1
    if order == 0:
        small = polynomial(u, _K0_NEAR) - near.log() * _core.i0(near)
    else:
        small = near * polynomial(u, _K1_NEAR) + xlogy(_core._i1(near), near) + 1 / near.abs()
    large = polynomial(4 / far - 1, _K1_FAR if order else _K0_FAR) * far.rsqrt()
    if scaled:
        return _core.where(x < _BORDER, small * near.exp(), large)
    return _core.where(x < _BORDER, small, large * (-far).exp())


@composed_as("SpecialModifiedBesselK0")
def modified_bessel_k0(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 0: infinite at 0, NaN below."""
    return by_double("modified_bessel_k0", lambda x: _second_kind(0, False, x), input)


@composed_as("SpecialModifiedBesselK1")
def modified_bessel_k1(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 1: infinite at 0, NaN below."""
    return by_double("modified_bessel_k1", lambda x: _second_kind(1, False, x), input)


@composed_as("SpecialScaledModifiedBesselK0")
def scaled_modified_bessel_k0(input: Tensor) -> Tensor:
    """``exp(x)`` times `modified_bessel_k0`."""
    return by_double("scaled_modified_bessel_k0", lambda x: _second_kind(0, True, x), input)


@composed_as("SpecialScaledModifiedBesselK1")
def scaled_modified_bessel_k1(input: Tensor) -> Tensor:
    """``exp(x)`` times `modified_bessel_k1`."""
    return by_double("scaled_modified_bessel_k1", lambda x: _second_kind(1, True, x), input)
