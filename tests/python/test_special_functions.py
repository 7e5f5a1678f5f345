"""Special functions and counts where a table of samples does not reach: ends, NaN, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

import lamina


def test_incomplete_gamma_at_its_ends() -> None:
    a = lamina.tensor([0.0, 2.0, math.inf, 2.0, 0.0, math.inf, -1.0])
    x = lamina.tensor([1.0, 0.0, 5.0, math.inf, 0.0, math.inf, 1.0])
    expected = [1.0, 0.0, 0.0, 1.0, math.nan, math.nan, math.nan]
    np.testing.assert_array_equal(lamina.igamma(a, x).numpy(), np.array(expected, np.float32))
    np.testing.assert_array_equal(lamina.igammac(a, x).numpy(), 1 - np.array(expected, np.float32))


def test_zeta_at_its_poles_and_below() -> None:
    s = lamina.tensor([1.0, 2.0, 0.5, 2.5, 2.0])
    q = lamina.tensor([3.0, -1.0, 1.0, -0.5, -0.5])
    values = lamina.special.zeta(s, q).tolist()
    assert values[:2] == [math.inf, math.inf]
    assert math.isnan(values[2])
    assert math.isnan(values[3])
    assert values[4] == pytest.approx(4 + math.pi**2 / 2, rel=1e-6)


@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
def test_derivatives_of_sums_of_exponentials_at_ties(name: str) -> None:
    x, y = (lamina.tensor(v, dtype=lamina.float64, requires_grad=True) for v in ([2.0, 1.0, 0.0], [2.0, -1.0, 0.0]))
    assert lamina.autograd.gradgradcheck(getattr(lamina, name), (x, y))


def test_derivatives_of_sinc_at_zero() -> None:
    x = lamina.tensor([0.0, 1e-5, 0.079, 0.08], dtype=lamina.float64, requires_grad=True)
    expected = np.array([math.sin(math.pi * v) / (math.pi * v) if v else 1 for v in x.tolist()])
    np.testing.assert_allclose(lamina.sinc(x).detach().numpy(), expected, 1e-15)
    (first,) = lamina.autograd.grad(lamina.sinc(x).sum(), x, create_graph=True)
    (second,) = lamina.autograd.grad(first.sum(), x, create_graph=True)
    (third,) = lamina.autograd.grad(second.sum(), x)
    # By the series: -pi²/3 and pi⁴ x / 5 first of all.
    np.testing.assert_allclose(second.tolist()[:2], -(math.pi**2) / 3, 1e-9)
    np.testing.assert_allclose(third.tolist()[:2], [0, math.pi**4 * 1e-5 / 5], 1e-8)
    assert abs(third.tolist()[3] / third.tolist()[2] - 0.08 / 0.079) < 1e-3  # on both sides of where the series ends


def test_polygamma_refuses_negative_orders() -> None:
    with pytest.raises(RuntimeError, match="does not support negative n"):
        lamina.polygamma(-1, lamina.ones(1))


def test_frexp_of_what_is_nearly_nothing_or_everything() -> None:
    x = np.array([5e-324, 2.0**-1022, 1.7e308, -np.inf, np.nan])
    mantissa, exponent = lamina.frexp(lamina.tensor(x))
    np.testing.assert_array_equal(mantissa.numpy(), np.frexp(x)[0])
    np.testing.assert_array_equal(exponent.numpy()[:3], np.frexp(x)[1][:3])


def test_histogram_with_weights_edges_and_density() -> None:
    x, weight = np.linspace(-2, 2, 9), np.arange(9.0)
    edges = np.array([-1.0, 0.0, 0.25, 2.0])
    result = lamina.histogram(lamina.tensor(x), lamina.tensor(edges), weight=lamina.tensor(weight), density=True)
    np.testing.assert_allclose(result.hist.numpy(), np.histogram(x, edges, weights=weight, density=True)[0])
    with pytest.raises(RuntimeError, match="same dtype"):
        lamina.histogram(lamina.ones(2), lamina.tensor(edges))
    with pytest.raises(RuntimeError, match=r"range \[nan, nan\] is not finite"):
        lamina.histogram(lamina.tensor([1.0, math.nan]), 3)


def test_searchsorted_puts_nan_behind_everything_and_promotes_numbers() -> None:
    assert lamina.searchsorted(lamina.tensor([1, 2, 3]), 2.5).item() == 2
    row = lamina.tensor([1.0, 2.0, math.nan])
    assert lamina.searchsorted(row, lamina.tensor([2.0, math.nan])).tolist() == [1, 3]
    # PyTorch's halvings, where a row is not sorted by what a NaN is above.
    row = lamina.tensor([1.0, 2.0, math.nan, math.nan, math.nan])
    assert lamina.searchsorted(row, lamina.tensor([1.5, 9.0]), right=True).tolist() == [5, 5]
    with pytest.raises(NotImplementedError, match="not implemented for 'ComplexFloat'"):
        lamina.searchsorted(row, lamina.tensor([1j]))
    row = lamina.tensor([1.0, 2.0, math.nan])
    with pytest.raises(RuntimeError, match="sorter index out of range"):
        lamina.searchsorted(row, 2.0, sorter=lamina.tensor([0, 1, 3]))


def test_shift_operators_leave_others_their_turn() -> None:
    x = lamina.tensor([1, 2])
    assert (1 << x).tolist() == [2, 4]
    assert (lamina.tensor([-1, 3, 1]) << lamina.tensor([63, 63, 64])).tolist() == [-(2**63), -(2**63), 0]
    assert (256 >> x).tolist() == [128, 64]
    x <<= 2
    assert x.tolist() == [4, 8]
    assert x.__lshift__("1") is NotImplemented
    with pytest.raises(NotImplementedError, match="'Float'"):
        x << 1.5


def test_logcumsumexp_of_complex_infinities() -> None:
    for first in (complex(-math.inf, math.inf), complex(-math.inf, 1)):  # its exponential is 0 whatever the angle
        x = lamina.tensor([first, 1, 2])
        result = lamina.logcumsumexp(x, 0)
        assert result[0].real.item() == -math.inf
        assert result[1:].real.tolist() == pytest.approx(np.logaddexp.accumulate([1, 2]).tolist())
        assert result[1:].imag.tolist() == [0, 0]
    assert lamina.logaddexp(lamina.tensor(complex(math.inf, 1)), lamina.tensor(1j)).item() == complex(math.inf, 1)
    assert lamina.logaddexp(lamina.tensor(complex(-math.inf, math.nan)), lamina.tensor(1j)).isnan().item()
    assert (
        lamina.logaddexp(lamina.tensor(complex(-math.inf, 0)), lamina.tensor(complex(-math.inf, 0))).real.item()
        == -math.inf
    )
    x = lamina.tensor([complex(-math.inf, math.inf), 1j], requires_grad=True)
    lamina.logcumsumexp(x, 0)[1].real.backward()
    assert x.grad.tolist() == [0, 1]


def test_the_old_order_of_scaled_sums() -> None:
    """As optimizers of PyTorch 1 are written: ``exp_avg.mul_(beta1).add_(1 - beta1, grad)``."""
    x, y, z = lamina.tensor([1.0, 2.0]), lamina.tensor([3.0, 4.0]), lamina.tensor([5.0, 8.0])
    for name, operands, scaled in (
        ("add", (y,), y),
        ("sub", (y,), -y),
        ("addcmul", (y, z), y * z),
        ("addcdiv", (y, z), y / z),
    ):
        expected = x + 0.5 * scaled
        for place in (name, name + "_"):
            with pytest.warns(UserWarning, match=f"overload of {name}_? is deprecated") as warned:
                result = getattr(x.clone(), place)(0.5, *operands)
            assert lamina.equal(result, expected)
            assert [warning.filename for warning in warned] == [__file__]
        for options in ({}, {"out": lamina.empty(2)}):
            with pytest.warns(UserWarning, match="deprecated") as warned:
                assert lamina.equal(getattr(lamina, name)(x, 0.5, *operands, **options), expected)
            assert [warning.filename for warning in warned] == [__file__]
    with pytest.raises((TypeError, RuntimeError)):
        lamina.addcmul(x, 0.5, y)


def test_logit_has_slopes_where_it_has_values() -> None:
    x = lamina.tensor([0.0, 0.25, 0.5, 1.0, -0.5, 2.0], dtype=lamina.float64, requires_grad=True)
    y = lamina.logit(x)
    assert y.isnan().tolist() == [False] * 4 + [True] * 2
    (slope,) = lamina.autograd.grad(y.sum(), x)
    assert slope[:4].tolist() == pytest.approx([lamina.inf, 1 / (0.25 * 0.75), 4, lamina.inf])
    assert slope[4:].isnan().all()


def test_incomplete_gamma_of_large_numbers() -> None:
    """Of integers it is the sum of Poisson's probabilities; of ever larger numbers it goes to the normal law."""
    a = 20_000
    x = [float(a + step) for step in (-500, -1, 0, 1, 500, 1500)]
    sums = [sum(math.exp(k * math.log(b) - b - math.lgamma(k + 1)) for k in range(a)) for b in x]
    numbers = lamina.tensor(x, dtype=lamina.float64)
    of = lamina.full_like(numbers, a)
    np.testing.assert_allclose(lamina.igammac(of, numbers).numpy(), sums, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(lamina.igamma(of, numbers).numpy(), 1 - np.array(sums), rtol=0, atol=1e-9)
    of = lamina.full((3,), 1e14, dtype=lamina.float64)
    normal = lamina.igamma(of, of + of.sqrt() * lamina.tensor([-2, 0, 3]))
    np.testing.assert_allclose(normal.numpy(), [0.02275013, 0.5, 0.99865010], atol=1e-7)


def test_incomplete_gamma_is_right_to_the_last_digits_and_has_both_slopes() -> None:
    """Of whole numbers, P(a, x) = 1 - Q(a, x) and Q is a sum of Poisson's probabilities; where either is small, too."""
    a, x = np.meshgrid(np.arange(1.0, 40.0), np.array([2.0**-10, 0.25, 1.0, 1.75, 5.0, 12.0, 30.0, 75.0, 200.0]))
    k = np.arange(700)
    terms = np.exp(k * np.log(x[..., None]) - x[..., None] - np.array([math.lgamma(n + 1) for n in k]))
    below = k < a[..., None]
    for kind, rtol in ((lamina.float64, 1e-12), (lamina.float32, 2e-7)):
        of, at = (lamina.tensor(v, dtype=kind) for v in (a, x))
        np.testing.assert_allclose(lamina.igammac(of, at).numpy(), (terms * below).sum(-1), rtol, 1e-30)
        np.testing.assert_allclose(lamina.igamma(of, at).numpy(), (terms * ~below).sum(-1), rtol, 1e-30)
    of = lamina.tensor([1.0, 1.0, 2.0], dtype=lamina.float64, requires_grad=True)
    at = lamina.tensor([0.0, 2.0, 3.0], dtype=lamina.float64, requires_grad=True)
    by_order, by_place = lamina.autograd.grad(lamina.igamma(of, at).sum(), (of, at))
    # d/da Q(a, x) at a = 1 is e^-x log x + E1(x) + gamma's part: E1(2) = 0.0489005107080611.
    assert by_order[0].item() == 0
    euler = 0.5772156649015329
    assert -by_order[1].item() == pytest.approx(
        math.exp(-2) * math.log(2) + 0.0489005107080611 + euler * math.exp(-2), abs=1e-12
    )
    assert by_place[1:].tolist() == pytest.approx([math.exp(-2), 3 * math.exp(-3)], rel=1e-12)


def test_powers_of_float64_near_one_and_at_the_ends() -> None:
    base = lamina.tensor([1 + 2.0**-40, 1 - 2.0**-50, 5e-324, 1e300, -(2.0**53 - 1), -0.5], dtype=lamina.float64)
    exponent = lamina.tensor([2.0**41, 2.0**50, 0.5, 1.02, 3.0, 1074.0], dtype=lamina.float64)
    expected = [math.pow(*pair) for pair in zip(base.tolist(), exponent.tolist())]
    np.testing.assert_allclose((base**exponent).numpy(), expected, rtol=2.3e-16)


def test_bincount_of_many_is_exact_with_any_number_of_threads() -> None:
    numbers = np.random.default_rng(3).integers(0, 1000, 300_001)
    weights = np.arange(300_001)
    threads = lamina.get_num_threads()
    try:
        for count in (1, 2, 3):
            lamina.set_num_threads(count)
            assert lamina.bincount(lamina.tensor(numbers)).tolist() == np.bincount(numbers).tolist()
            sums = lamina.zeros(1000, dtype=lamina.int64)
            sums = sums.scatter_add(0, lamina.tensor(numbers), lamina.tensor(weights))
            assert sums.tolist() == np.bincount(numbers, weights).astype(np.int64).tolist()
    finally:
        lamina.set_num_threads(threads)


def test_bessel_functions_at_their_ends() -> None:
    inf, nan = math.inf, math.nan
    x = lamina.tensor([0.0, -0.0, -2.0, inf, nan])
    special = lamina.special
    for function in (special.bessel_y0, special.bessel_y1):
        np.testing.assert_array_equal(function(x).numpy(), [-inf, -inf, nan, nan, nan])
    for function in (special.modified_bessel_k0, special.scaled_modified_bessel_k1, special.modified_bessel_k1):
        np.testing.assert_array_equal(function(x).numpy(), [inf, inf, nan, 0, nan])
    np.testing.assert_array_equal(special.spherical_bessel_j0(x).numpy()[[0, 3, 4]], [1, 0, nan])
    np.testing.assert_array_equal(special.bessel_j1(x).numpy()[[0, 3, 4]], [0, nan, nan])
    np.testing.assert_array_equal(special.ndtri(x).numpy(), [-inf, -inf, nan, nan, nan])
    np.testing.assert_array_equal(special.erfcx(lamina.tensor([-30.0, inf, -inf])).numpy(), [inf, 0, inf])
    for name in ("bessel_j0", "airy_ai", "ndtri", "modified_bessel_i1"):
        function = getattr(special, name)
        assert function(lamina.tensor([1, 0])).dtype == lamina.float32
        assert function(lamina.ones(2, dtype=lamina.float64)).dtype == lamina.float64
    with pytest.raises(NotImplementedError, match="'ComplexFloat'"):
        special.bessel_j0(lamina.tensor([1j]))


def test_ndtri_of_areas_that_are_nearly_nothing() -> None:
    """The inverse of ndtr, whose logarithm has digits where it has none."""
    p = lamina.tensor([1e-300, 1e-100, 1e-20, 1e-5, 0.3], dtype=lamina.float64)
    back = lamina.special.log_ndtr(lamina.special.ndtri(p)).numpy()
    np.testing.assert_allclose(back, np.log(p.numpy()), rtol=1e-14)


def test_orthogonal_polynomials_of_a_degree_each() -> None:
    x = lamina.tensor([0.5, 2.0, -1.0, 0.25, 3.0], dtype=lamina.float64, requires_grad=True)
    degree = lamina.tensor([3.7, 4, 0, -2, math.inf])
    y = lamina.special.chebyshev_polynomial_t(x, degree)
    assert y.tolist() == [-1, 97, 1, 0, 0]
    (slope,) = lamina.autograd.grad(y.sum(), x)
    assert slope.tolist() == [0, 32 * 8 - 16 * 2, 0, 0, 0]
    numbers = lamina.special.legendre_polynomial_p(2.5, lamina.tensor([1, 2]))
    assert numbers.dtype == lamina.float32
    assert numbers.tolist() == [2.5, (3 * 6.25 - 1) / 2]
    assert lamina.special.hermite_polynomial_he(lamina.tensor([3]), 2.9).tolist() == [8]
    assert lamina.special.laguerre_polynomial_l(lamina.ones(2), -1).tolist() == [0, 0]
