// What each elementwise kernel shall compute of real numbers, spelt in wide arithmetic and PyTorch's conventions, and
// how far from it it may be.
#pragma once

#include <cmath>
#include <limits>

#include "integer_reference.h"
#include "special_reference.h"

namespace lamina::kernels {

// By bisection, where the tangent at 0 is not exact enough.
inline long double inverse_erf(long double x) {
  const long double magnitude = std::fabs(x), half_root_pi = 0.88622692545275801364908374167057259L;
  if (!(magnitude < 1)) return magnitude == 1 ? x * std::numeric_limits<long double>::infinity() : std::nanl("");
  if (magnitude < 1e-10L) return x * half_root_pi;
  long double low = 0, high = 8;
  for (int step = 0; step < 140; ++step) {
    const long double middle = (low + high) / 2;
    const bool below = magnitude < 0.5L ? std::erf(middle) < magnitude : std::erfc(middle) > 1 - magnitude;
    (below ? low : high) = middle;
  }
  return std::copysign(low, x);
}

// The argument of the normal distribution function p.
inline long double normal_quantile(long double p) {
  const long double infinity = std::numeric_limits<long double>::infinity(),
                    root = 1.41421356237309504880168872420969808L;
  if (!(p > 0 && p < 1)) return p == 0 ? -infinity : (p == 1 ? infinity : std::nanl(""));
  if (p > 0.25L && p < 0.75L) return root * inverse_erf(2 * p - 1);
  const long double tail = 2 * (p < 0.5L ? p : 1 - p);
  long double low = 0, high = 30;
  for (int step = 0; step < 90; ++step) {
    const long double middle = (low + high) / 2;
    (std::erfc(middle) > tail ? low : high) = middle;
  }
  return p < 0.5L ? -root * low : root * low;
}

inline long double digamma(long double x) {
  const long double pi = 3.14159265358979323846264338327950288L,
                    infinity = std::numeric_limits<long double>::infinity();
  if (x == 0) return std::copysign(infinity, -x);
  if (x < 0) return x == std::floor(x) ? std::nanl("") : digamma(1 - x) - pi / std::tan(pi * (x - std::nearbyint(x)));
  long double sum = 0;
  for (; x < 30; ++x) sum -= 1 / x;
  if (x == infinity) return x;
  const long double w = 1 / (x * x);
  return sum + std::log(x) - 1 / (2 * x) -
         w * (1 / 12.0L - w * (1 / 120.0L - w * (1 / 252.0L - w * (1 / 240.0L - w * (1 / 132.0L)))));
}

inline long double reference(Elementwise op, long double a, long double b) {
  const bool mixed_signs = (std::fmod(a, b) < 0) != (b < 0) && std::fmod(a, b) != 0;
  switch (op) {
    case Elementwise::copy:
      return a;
    case Elementwise::neg:
      return -a;
    case Elementwise::abs:
      return std::fabs(a);
    case Elementwise::sign:
      return a > 0 ? 1 : (a < 0 ? -1 : 0);
    case Elementwise::square:
      return a * a;
    case Elementwise::relu:
      return a < 0 ? 0 : a;
    case Elementwise::hardswish:
      return a * std::fmin(std::fmax(a + 3, 0), 6) / 6;
    case Elementwise::exp:
      return std::exp(a);
    case Elementwise::exp2:
      return std::exp2(a);
    case Elementwise::expm1:
      return std::expm1(a);
    case Elementwise::log:
      return std::log(a);
    case Elementwise::log2:
      return std::log2(a);
    case Elementwise::log10:
      return std::log10(a);
    case Elementwise::log1p:
      return std::log1p(a);
    case Elementwise::sqrt:
      return std::sqrt(a);
    case Elementwise::rsqrt:
      return 1 / std::sqrt(a);
    case Elementwise::reciprocal:
      return 1 / a;
    case Elementwise::sin:
      return std::sin(a);
    case Elementwise::cos:
      return std::cos(a);
    case Elementwise::tan:
      return std::tan(a);
    case Elementwise::asin:
      return std::asin(a);
    case Elementwise::acos:
      return std::acos(a);
    case Elementwise::atan:
      return std::atan(a);
    case Elementwise::sinh:
      return std::sinh(a);
    case Elementwise::cosh:
      return std::cosh(a);
    case Elementwise::tanh:
      return std::tanh(a);
    case Elementwise::asinh:
      return std::asinh(a);
    case Elementwise::acosh:
      return std::acosh(a);
    case Elementwise::atanh:
      return std::atanh(a);
    case Elementwise::sigmoid:
      return 1 / (1 + std::exp(-a));
    case Elementwise::erf:
      return std::erf(a);
    case Elementwise::erfc:
      return std::erfc(a);
    case Elementwise::erfinv:
      return inverse_erf(a);
    case Elementwise::erfcx:
      return scaled_erfc(a);
    case Elementwise::ndtri:
      return normal_quantile(a);
    case Elementwise::lgamma:
      return std::lgamma(a);
    case Elementwise::digamma:
      return digamma(a);
    case Elementwise::i0:
      return bessel(a, 0, false);
    case Elementwise::i0e:
      return bessel(a, 0, true);
    case Elementwise::i1:
      return bessel(a, 1, false);
    case Elementwise::i1e:
      return bessel(a, 1, true);
    case Elementwise::floor:
      return std::floor(a);
    case Elementwise::ceil:
      return std::ceil(a);
    case Elementwise::round:
      return std::nearbyint(a);
    case Elementwise::trunc:
      return std::trunc(a);
    case Elementwise::logical_not:
      return a == 0;
    case Elementwise::isnan:
      return std::isnan(a);
    case Elementwise::isinf:
      return std::isinf(a);
    case Elementwise::signbit:
      return std::signbit(a);
    case Elementwise::add:
      return a + b;
    case Elementwise::sub:
      return a - b;
    case Elementwise::mul:
      return a * b;
    case Elementwise::div:
      return a / b;
    case Elementwise::floor_divide: {
      if (b == 0) return a / b;
      const long double quotient = (a - std::fmod(a, b)) / b - (mixed_signs ? 1 : 0);
      return quotient == 0 ? std::copysign(0.0L, a / b) : std::nearbyint(quotient);
    }
    case Elementwise::remainder:
      return mixed_signs ? std::fmod(a, b) + b : std::fmod(a, b);
    case Elementwise::fmod:
      return std::fmod(a, b);
    case Elementwise::pow:
      return std::pow(a, b);
    // The second of equal operands; either, if it is NaN.
    case Elementwise::maximum:
      return std::isnan(a) || a > b ? a : b;
    case Elementwise::minimum:
      return std::isnan(a) || a < b ? a : b;
    case Elementwise::atan2:
      return std::atan2(a, b);
    case Elementwise::hypot:
      return std::hypot(a, b);
    case Elementwise::igamma:
      return incomplete_gamma(a, b, false);
    case Elementwise::igammac:
      return incomplete_gamma(a, b, true);
    case Elementwise::copysign:
      return std::copysign(a, b);
    case Elementwise::relu_gradient:
      return a <= 0 ? 0 : b;
    case Elementwise::eq:
      return a == b;
    case Elementwise::ne:
      return a != b;
    case Elementwise::lt:
      return a < b;
    case Elementwise::le:
      return a <= b;
    case Elementwise::gt:
      return a > b;
    case Elementwise::ge:
      return a >= b;
    case Elementwise::logical_and:
      return a != 0 && b != 0;
    case Elementwise::logical_or:
      return a != 0 || b != 0;
    case Elementwise::logical_xor:
      return (a != 0) != (b != 0);
    default:
      ADD_FAILURE() << "no floating-point reference for " << name_of(op);
      return 0;
  }
}

// The largest error of a floating-point kernel that the tests allow, in ulp of the result. Half an ulp is correct
// rounding.
inline double allowed_ulp(Elementwise op) {
  switch (op) {
    case Elementwise::exp:
    case Elementwise::log:
    case Elementwise::log1p:
      return 1;
    case Elementwise::exp2:
    case Elementwise::log2:
    case Elementwise::rsqrt:
    case Elementwise::hypot:
      return 1.5;
    case Elementwise::hardswish:  // rounded four times
    // Rounded twice, as PyTorch's.
    case Elementwise::floor_divide:
    case Elementwise::expm1:
    case Elementwise::log10:
    case Elementwise::sin:
    case Elementwise::cos:
    case Elementwise::erf:
    case Elementwise::tanh:
    case Elementwise::sigmoid:
    case Elementwise::asin:
    case Elementwise::acos:
    case Elementwise::atan:
    case Elementwise::atan2:
      return 2;
    case Elementwise::sinh:
    case Elementwise::cosh:
    case Elementwise::asinh:
    case Elementwise::acosh:
    case Elementwise::atanh:
    case Elementwise::erfinv:
      return 3;
    case Elementwise::erfc:
    case Elementwise::erfcx:
      return 4;
    // pow of float64 is the C library's without fused multiplications, which is within a few ulp everywhere.
    case Elementwise::tan:
    case Elementwise::pow:
    case Elementwise::i0:
    case Elementwise::i0e:
    case Elementwise::i1:
    case Elementwise::i1e:
      return 5;
    case Elementwise::lgamma:
    case Elementwise::digamma:
    case Elementwise::ndtri:
      return 6;
    // In float64, of sums and fractions of many terms; test_kernels_math.cpp has float32 within 1.
    case Elementwise::igamma:
    case Elementwise::igammac:
      return 100;
    default:
      // The long double reference is itself rounded once more.
      return 0.501;
  }
}

// In ulp of the true result; around the zeros of lgamma and digamma in ulp of 1, or of what digamma(x) is a difference
// of; of incomplete gamma functions that are small in ulp of their logarithm. i0 and i1 overflow where exp does, as
// PyTorch's.
template <class T>
double error_of(Elementwise op, T got, long double truth, T x) {
  const double error = ulp_error(got, truth), size = static_cast<double>(std::fabs(truth));
  if (op == Elementwise::igamma || op == Elementwise::igammac)
    return size > 0 && size < 1 ? error / std::fmax(1, -std::log(size)) : error;
  if ((op == Elementwise::i0 || op == Elementwise::i1) && std::isinf(got) && std::exp(std::fabs(x)) == std::fabs(got))
    return 0;
  if (op != Elementwise::lgamma && op != Elementwise::digamma) return error;
  const double least = op == Elementwise::digamma ? std::fmax(1, std::log(std::fabs(static_cast<double>(x)))) : 1;
  return size < least ? error * size / least : error;
}

}  // namespace lamina::kernels
