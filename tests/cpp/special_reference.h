// Modified Bessel functions, erfcx and incomplete gamma functions of long doubles, by their series, as slowly as these
// converge.
#pragma once

#include <cmath>
#include <limits>

namespace lamina::kernels {

// exp(-|x|) times the modified Bessel function of order 0 or 1, or that itself.
inline long double bessel(long double x, int order, bool scaled) {
  const long double size = std::fabs(x), pi = 3.14159265358979323846264338327950288L;
  if (std::isinf(x)) return scaled ? std::copysign(0.0L, order == 1 ? x : 1) : std::nanl("");
  long double sum = 1, term = 1, power = std::exp(-size);
  if (size < 60) {
    for (int k = 1; k < 200; ++k) sum += term *= size * size / 4 / (k * (k + order));
    if (order == 1) sum *= size / 2;
    if (!scaled) power = 1;
  } else {
    for (int k = 1; k < 30; ++k) sum += term *= ((2 * k - 1) * (2 * k - 1) - 4 * order) / (8 * k * size);
    sum /= std::sqrt(2 * pi * size);
    power = scaled ? 1 : std::exp(size);
  }
  return (order == 1 ? std::copysign(sum, x) : sum) * power;
}

// exp(x^2) erfc(x), by the asymptotic series where the factors' digits do not do.
inline long double scaled_erfc(long double x) {
  if (!(x > 12)) return std::exp(x * x) * std::erfc(x);
  long double sum = 1, term = 1;
  for (int k = 1; k < 40; ++k) sum += term *= -(2 * k - 1) / (2 * x * x);
  return sum / (x * 1.77245385090551602729816748334114518L);
}

inline long double lgamma_above_1(long double a) {  // of a + 1
  const long double euler = 0.57721566490153286060651209008240243L,
                    half_zeta_2 = 0.82246703342411321823620758332301259L;
  return a < 1e-8L ? a * (half_zeta_2 * a - euler) : std::lgamma(a + 1);
}

// The regularized incomplete gamma function, the upper or the lower one.
inline long double incomplete_gamma(long double a, long double x, bool upper) {
  const bool all = (a == 0 && x > 0) || (std::isinf(x) && x > 0 && a >= 0 && !std::isinf(a));
  const bool none = (x == 0 && a > 0) || (std::isinf(a) && a > 0 && x >= 0 && !std::isinf(x));
  if (all || none) return all == upper ? 0 : 1;
  if (!(a > 0 && x > 0) || std::isinf(a)) return std::nanl("");
  const long double mu = (x - a) / a;
  if (a > 1e5L) {  // the normal law with its first correction
    const long double half_square = std::fabs(mu) < 1e-3L
                                        ? mu * mu * (0.5L - mu * (1 / 3.0L - mu * (0.25L - mu * (0.2L - mu / 6))))
                                        : mu - std::log1p(mu);
    const long double eta = std::copysign(std::sqrt(2 * half_square), mu), z = eta * std::sqrt(a / 2);
    const long double c = std::fabs(mu) < 1e-3L ? -1 / 3.0L + eta * (1 / 12.0L - eta * 2 / 135) : 1 / mu - 1 / eta;
    const long double rest = std::exp(-a * half_square) / std::sqrt(2 * 3.14159265358979323846L * a) * c;
    return upper ? std::erfc(z) / 2 + rest : std::erfc(-z) / 2 - rest;
  }
  const long double scale = std::exp(a * std::log(x) - x - lgamma_above_1(a));
  if (x <= 1.5L && upper && a < 1) {
    long double sum = 0, power = 1;
    for (int n = 1; n < 60; ++n) power *= -x / n, sum += power / (a + n);
    const long double rest = std::expm1(a * std::log(x) - lgamma_above_1(a));
    return -rest - a * (rest + 1) * sum;
  }
  if (x < a + 1) {
    long double sum = 1, term = 1;
    for (int n = 1; n < 100000 && term > sum * 1e-21L; ++n) sum += term *= x / (a + n);
    return upper ? 1 - scale * sum : scale * sum;
  }
  long double b = x + 1 - a, c = 1e300L, d = 1 / b, fraction = d;  // Lentz's method
  for (int n = 1; n < 100000; ++n) {
    const long double factor = n * (a - n);
    b += 2, d = 1 / (factor * d + b), c = b + factor / c;
    fraction *= c * d;
    if (std::fabs(c * d - 1) < 1e-19L) break;
  }
  return upper ? scale * a * fraction : 1 - scale * a * fraction;
}

}  // namespace lamina::kernels
