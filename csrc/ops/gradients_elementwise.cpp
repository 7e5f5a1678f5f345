// Gradients of elementwise ops, as formulas. Edge choices are PyTorch's and stated where they are made.
#include <cmath>
#include <numbers>

#include "ops/gradient.h"

namespace lamina::gradient {

using namespace build;

namespace {

ValuePtr zeros(const ValuePtr& like) { return zeros_like(like); }
ValuePtr number_like(double value, const ValuePtr& like) { return number(value, like->dtype); }
ValuePtr equal(const ValuePtr& a, const ValuePtr& b) { return binary(Op::eq, a, b); }
ValuePtr less(const ValuePtr& a, const ValuePtr& b) { return binary(Op::lt, a, b); }
// The slope of digamma, for float64: reflected at 1/2, ten terms of the sum of 1 / (x + k)^2, and the rest by its
// asymptotic series, which needs them. Source: Abramowitz and Stegun, 6.4.
ValuePtr trigamma(const ValuePtr& x) {
  const ValuePtr half = number_like(0.5, x), mirrored = less(x, half);
  const ValuePtr y = build::where(mirrored, 1.0 - x, x), z = y + 10.0, w = build::reciprocal(z), w2 = w * w;
  ValuePtr series = number_like(7.0 / 6, x);
  for (double bernoulli : {-691.0 / 2730, 5.0 / 66, -1.0 / 30, 1.0 / 42, -1.0 / 30, 1.0 / 6})
    series = series * w2 + bernoulli;
  ValuePtr sum = w * (series * w2 + (w * 0.5 + 1.0));
  for (int k = 0; k < 10; ++k) sum = sum + build::square(build::reciprocal(y + double(k)));
  // The branch that is not taken must stay finite.
  const ValuePtr turn = build::where(mirrored, x - build::detach(build::round(x)), half);
  const ValuePtr reflection = build::square(build::reciprocal(build::sin(turn * std::numbers::pi) / std::numbers::pi));
  return build::where(mirrored, reflection - sum, sum);
}

// d/da of igamma(a, x), for float64: by central differences of sixth order of the one of both functions that is small,
// with steps so short that they are off by some 1e-13 of it.
ValuePtr slope_by_order(const ValuePtr& a, const ValuePtr& x) {
  const ValuePtr reach =
      build::minimum(build::minimum(a, build::sqrt(a)), build::reciprocal(build::abs(build::log(x / a))));
  const ValuePtr step = build::detach(reach * 0.01), zero = number_like(0, a), above = less(a, x);
  ValuePtr sum;
  for (int k = 1; k <= 3; ++k) {
    const ValuePtr more = a + step * double(k), fewer = a - step * double(k);
    const ValuePtr difference = build::where(above, build::igammac(fewer, x) - build::igammac(more, x),
                                             build::igamma(more, x) - build::igamma(fewer, x));
    const ValuePtr part = difference * (k == 1 ? 3.0 / 4 : (k == 2 ? -3.0 / 20 : 1.0 / 60));
    sum = sum ? sum + part : part;
  }
  const ValuePtr none = equal(step, zero);  // at x = 0
  return build::where(none, zero, sum / build::where(none, number_like(1, a), step));
}
// d/dx of it.
ValuePtr gamma_density(const ValuePtr& a, const ValuePtr& x) {
  return build::exp((a - 1.0) * build::log(x) - x - build::lgamma(a));
}
void incomplete_gamma(Gradient& d, double sign) {
  auto along = [&](std::size_t operand, ValuePtr (*slope)(const ValuePtr&, const ValuePtr&)) {
    const ValuePtr a = build::cast(d.x(), DType::kFloat64), x = build::cast(d.y(), DType::kFloat64);
    return d.g() * build::cast(slope(a, x) * sign, d.dtype(operand));
  };
  d.give(0, [&] { return along(0, slope_by_order); });
  d.give(1, [&] { return along(1, gamma_density); });
}
// i1(x) / x, the result being i1(x); near 0 by its series, whose derivatives are right, too. Both may be scaled.
ValuePtr by_argument(const ValuePtr& x, const ValuePtr& result, const ValuePtr& scale) {
  const ValuePtr one = number_like(1, x), small = build::binary(Op::lt, build::abs(x), number_like(0.5, x));
  const ValuePtr quarter = build::square(build::where(small, x, number_like(0, x))) * 0.25;
  ValuePtr series = one;
  for (int k = 6; k > 0; --k) series = quarter / (k * (k + 1.0)) * series + 1;
  return build::where(small, series * scale * 0.5, result / build::where(small, one, x));
}

}  // namespace

void zero(Gradient& d) {
  d.give(0, [&] { return zeros(d.g()); });
}

void neg(Gradient& d) {
  d.give(0, [&] { return -d.g(); });
}
// At 0 the gradient is 0 (sign).
void abs(Gradient& d) {
  d.give(0, [&] { return d.g() * build::sign(d.x()); });
}
void square(Gradient& d) {
  d.give(0, [&] { return d.g() * (d.x() * 2.0); });
}
// At 0 the gradient is 0; a NaN passes it on.
void relu(Gradient& d) {
  d.give(0, [&] { return build::relu_gradient(d.r(), d.g()); });
}
// At -3 the slope is 0, at 3 and at NaN it is 1. Up to -3 the gradient is 0 whatever comes, as PyTorch's.
void hardswish(Gradient& d) {
  d.give(0, [&] {
    const ValuePtr x = d.x(), low = number_like(-3, x), none = number_like(0, x);
    const ValuePtr from_below = build::where(less(low, x), x * (1.0 / 3) + 0.5, none);
    const ValuePtr slope = build::where(less(x, number_like(3, x)), from_below, number_like(1, x));
    return build::where(binary(Op::le, x, low), none, d.g()) * slope;
  });
}
void exp(Gradient& d) {
  d.give(0, [&] { return d.g() * d.r(); });
}
void exp2(Gradient& d) {
  d.give(0, [&] { return d.g() * d.r() * std::numbers::ln2; });
}
void expm1(Gradient& d) {
  d.give(0, [&] { return d.g() * (d.r() + 1.0); });
}
void log(Gradient& d) {
  d.give(0, [&] { return d.g() / d.x(); });
}
void log2(Gradient& d) {
  d.give(0, [&] { return d.g() / (d.x() * std::numbers::ln2); });
}
void log10(Gradient& d) {
  d.give(0, [&] { return d.g() / (d.x() * std::numbers::ln10); });
}
void log1p(Gradient& d) {
  d.give(0, [&] { return d.g() / (d.x() + 1.0); });
}
void sqrt(Gradient& d) {
  d.give(0, [&] { return d.g() / (d.r() * 2.0); });
}
void rsqrt(Gradient& d) {
  d.give(0, [&] { return d.g() * (d.r() * d.r() * d.r()) * -0.5; });
}
void reciprocal(Gradient& d) {
  d.give(0, [&] { return -d.g() * (d.r() * d.r()); });
}
void sin(Gradient& d) {
  d.give(0, [&] { return d.g() * build::cos(d.x()); });
}
void cos(Gradient& d) {
  d.give(0, [&] { return d.g() * -build::sin(d.x()); });
}
void tan(Gradient& d) {
  d.give(0, [&] { return d.g() * (d.r() * d.r() + 1.0); });
}
void asin(Gradient& d) {
  d.give(0, [&] { return d.g() * build::rsqrt(1.0 - d.x() * d.x()); });
}
void acos(Gradient& d) {
  d.give(0, [&] { return d.g() * -build::rsqrt(1.0 - d.x() * d.x()); });
}
void atan(Gradient& d) {
  d.give(0, [&] { return d.g() / (d.x() * d.x() + 1.0); });
}
void sinh(Gradient& d) {
  d.give(0, [&] { return d.g() * build::cosh(d.x()); });
}
void cosh(Gradient& d) {
  d.give(0, [&] { return d.g() * build::sinh(d.x()); });
}
void tanh(Gradient& d) {
  d.give(0, [&] { return d.g() * (1.0 - d.r() * d.r()); });
}
void asinh(Gradient& d) {
  d.give(0, [&] { return d.g() * build::rsqrt(d.x() * d.x() + 1.0); });
}
void acosh(Gradient& d) {
  d.give(0, [&] { return d.g() * build::rsqrt((d.x() - 1.0) * (d.x() + 1.0)); });
}
void atanh(Gradient& d) {
  d.give(0, [&] { return d.g() / (1.0 - d.x() * d.x()); });
}
void sigmoid(Gradient& d) {
  d.give(0, [&] { return d.g() * ((1.0 - d.r()) * d.r()); });
}
void erf(Gradient& d) {
  d.give(0, [&] { return d.g() * (build::exp(-build::square(d.x())) * (2.0 * std::numbers::inv_sqrtpi)); });
}
void erfc(Gradient& d) {
  d.give(0, [&] { return d.g() * (build::exp(-build::square(d.x())) * (-2.0 * std::numbers::inv_sqrtpi)); });
}
void erfinv(Gradient& d) {
  d.give(0, [&] { return d.g() * (build::exp(build::square(d.r())) * (0.5 / std::numbers::inv_sqrtpi)); });
}
void erfcx(Gradient& d) {
  d.give(0, [&] { return d.g() * (d.x() * d.r() - std::numbers::inv_sqrtpi) * 2.0; });
}
void ndtri(Gradient& d) {
  // The derivative of an inverse function: sqrt(2 pi) exp(r^2 / 2).
  d.give(0, [&] {
    return d.g() * (build::exp(build::square(d.r()) * 0.5) * (std::numbers::sqrt2 / std::numbers::inv_sqrtpi));
  });
}
void lgamma(Gradient& d) {
  d.give(0, [&] { return d.g() * build::digamma(d.x()); });
}
void digamma(Gradient& d) {
  d.give(0, [&] { return d.g() * build::cast(trigamma(build::cast(d.x(), DType::kFloat64)), d.dtype(0)); });
}
void i0(Gradient& d) {
  d.give(0, [&] { return d.g() * build::i1(d.x()); });
}
void i0e(Gradient& d) {
  d.give(0, [&] { return d.g() * (build::i1e(d.x()) - build::sign(d.x()) * d.r()); });
}
void i1(Gradient& d) {
  d.give(0, [&] { return d.g() * (build::i0(d.x()) - by_argument(d.x(), d.r(), number_like(1, d.x()))); });
}
void i1e(Gradient& d) {
  d.give(0, [&] {
    const ValuePtr by_x = by_argument(d.x(), d.r(), build::exp(build::neg(build::abs(d.x()))));
    return d.g() * (build::i0e(d.x()) - build::sign(d.x()) * d.r() - by_x);
  });
}

void add(Gradient& d) {
  d.give(0, [&] { return d.g(); });
  d.give(1, [&] { return d.g(); });
}
void sub(Gradient& d) {
  d.give(0, [&] { return d.g(); });
  d.give(1, [&] { return -d.g(); });
}
void mul(Gradient& d) {
  d.give(0, [&] { return d.g() * d.y(); });
  d.give(1, [&] { return d.g() * d.x(); });
}
void div(Gradient& d) {
  d.give(0, [&] { return d.g() / d.y(); });
  d.give(1, [&] { return -d.g() * (d.x() / d.y() / d.y()); });
}
void remainder(Gradient& d) {
  d.give(0, [&] { return d.g(); });
  d.give(1, [&] { return -d.g() * binary(Op::floor_divide, d.x(), d.y()); });
}
void fmod(Gradient& d) {
  d.give(0, [&] { return d.g(); });
  d.give(1, [&] { return -d.g() * build::trunc(d.x() / d.y()); });
}
// x^0 has gradient 0 with respect to x, even at x = 0; 0^y has gradient 0 with respect to y for y >= 0.
void pow(Gradient& d) {
  d.give(0, [&] {
    ValuePtr less = d.y() - 1.0;
    if (grad_enabled())  // x^-1 has no place in the second gradient of a constant
      less = build::where(equal(d.y(), number_like(0, d.y())), number_like(0, d.y()), less);
    ValuePtr slope = d.y() * build::pow(d.x(), less);
    return build::where(equal(d.y(), number_like(0, d.y())), number_like(0, d.g()), d.g() * slope);
  });
  d.give(1, [&] {
    ValuePtr flat =
        binary(Op::logical_and, equal(d.x(), number_like(0, d.x())), binary(Op::ge, d.y(), number_like(0, d.y())));
    return build::where(flat, number_like(0, d.g()), d.g() * (d.r() * build::log(d.x())));
  });
}
// Ties share the gradient; a NaN passes it to both.
void maximum(Gradient& d) {
  auto share = [&](const ValuePtr& mine, const ValuePtr& other) {
    return build::where(less(mine, other), number_like(0, d.g()), build::where(equal(mine, other), d.g() * 0.5, d.g()));
  };
  d.give(0, [&] { return share(d.x(), d.y()); });
  d.give(1, [&] { return share(d.y(), d.x()); });
}
void minimum(Gradient& d) {
  auto share = [&](const ValuePtr& mine, const ValuePtr& other) {
    return build::where(less(other, mine), number_like(0, d.g()), build::where(equal(mine, other), d.g() * 0.5, d.g()));
  };
  d.give(0, [&] { return share(d.x(), d.y()); });
  d.give(1, [&] { return share(d.y(), d.x()); });
}
// atan2(x, y): x is the ordinate. At the origin the gradient is 0.
void atan2(Gradient& d) {
  auto share = [&](const ValuePtr& part) {
    ValuePtr norm = d.x() * d.x() + d.y() * d.y();
    return build::where(equal(norm, number_like(0, norm)), number_like(0, d.g()), d.g() * (part / norm));
  };
  d.give(0, [&] { return share(d.y()); });
  d.give(1, [&] { return share(-d.x()); });
}
void hypot(Gradient& d) {
  d.give(0, [&] { return d.g() * (d.x() / d.r()); });
  d.give(1, [&] { return d.g() * (d.y() / d.r()); });
}
void igamma(Gradient& d) { incomplete_gamma(d, 1); }
void igammac(Gradient& d) { incomplete_gamma(d, -1); }
// At 0 the gradient is 0.
void copysign(Gradient& d) {
  d.give(0, [&] {
    return build::where(equal(d.x(), number_like(0, d.x())), number_like(0, d.g()), d.g() * (d.r() / d.x()));
  });
  d.give(1, [&] { return zeros(d.g()); });
}

void relu_gradient(Gradient& d) {
  d.give(0, [&] { return zeros(d.g()); });
  d.give(1, [&] { return build::relu_gradient(d.x(), d.g()); });
}

void where(Gradient& d) {
  d.give(1, [&] { return build::where(d.x(), d.g(), number_like(0, d.g())); });
  d.give(2, [&] { return build::where(d.x(), number_like(0, d.g()), d.g()); });
}
void cast(Gradient& d) {
  d.give(0, [&] { return build::cast(d.g(), d.dtype(0)); });
}

}  // namespace lamina::gradient
