// The error in ulp of the vector functions, over the whole range of their arguments.
#include <gtest/gtest.h>

#include "kernel_operands.h"
#include "kernel_reference.h"

namespace lamina::kernels {
namespace {

constexpr Elementwise kFunctions[] = {
    Elementwise::exp,    Elementwise::exp2,    Elementwise::expm1, Elementwise::log,   Elementwise::log2,
    Elementwise::log10,  Elementwise::log1p,   Elementwise::sin,   Elementwise::cos,   Elementwise::tanh,
    Elementwise::erf,    Elementwise::sigmoid, Elementwise::sqrt,  Elementwise::rsqrt, Elementwise::reciprocal,
    Elementwise::sinh,   Elementwise::cosh,    Elementwise::asinh, Elementwise::acosh, Elementwise::atanh,
    Elementwise::asin,   Elementwise::acos,    Elementwise::atan,  Elementwise::erfc,  Elementwise::erfinv,
    Elementwise::lgamma, Elementwise::digamma, Elementwise::i0,    Elementwise::i0e,   Elementwise::i1,
    Elementwise::i1e,    Elementwise::erfcx,   Elementwise::ndtri,
};

template <class T>
void expect_accurate(const Table& table, Elementwise op, const std::vector<T>& x, const std::vector<long double>& truth,
                     double allowed) {
  std::vector<T> result(x.size());
  const void* operands[] = {x.data()};
  table.elementwise[static_cast<std::size_t>(op)][kIndex<T>](result.data(), operands, x.size());
  double worst = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = error_of(op, result[i], truth[i], x[i]);
    if (error > worst) worst = error, at = i;
  }
  EXPECT_LE(worst, allowed) << name_of(op) << "(" << x[at] << ") = " << result[at] << " instead of " << truth[at];
}

template <class T>
void expect_accurate(Elementwise op, const std::vector<T>& x, double allowed) {
  std::vector<long double> truth;
  for (const T value : x) truth.push_back(reference(op, static_cast<long double>(value), 0.0L));
  for_each_table([&](const Table& table) { expect_accurate(table, op, x, truth, allowed); });
}

template <class T>
void expect_accurate(Elementwise op, const std::vector<T>& x) {
  expect_accurate(op, x, allowed_ulp(op));
}

// Every 70,001st bit pattern: all exponents, both signs, infinities and NaNs.
std::vector<float> all_magnitudes() {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 70001) {
    const std::uint32_t word = static_cast<std::uint32_t>(bits);
    x.push_back(0);
    std::memcpy(&x.back(), &word, sizeof(word));
  }
  return x;
}

std::vector<double> all_magnitudes_double() {
  std::mt19937_64 random(5);
  std::vector<double> x(60000);
  for (double& value : x) {
    const std::uint64_t word = random();
    std::memcpy(&value, &word, sizeof(word));
  }
  return x;
}

// Where the functions are neither 0, 1, infinite nor their own argument.
template <class T>
std::vector<T> moderate(T limit) {
  std::mt19937_64 random(6);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> x(60000);
  for (T& value : x) {
    value = static_cast<T>(uniform(random) * std::exp2(12 * uniform(random) - 8) * limit);
  }
  return x;
}

TEST(KernelsMath, float32_over_all_magnitudes) {
  const std::vector<float> x = all_magnitudes();
  for (const Elementwise op : kFunctions) expect_accurate(op, x);
}

TEST(KernelsMath, float32_over_moderate_arguments) {
  const std::vector<float> x = moderate<float>(8);
  for (const Elementwise op : kFunctions) expect_accurate(op, x);
}

TEST(KernelsMath, float64_over_all_magnitudes) {
  const std::vector<double> x = all_magnitudes_double();
  for (const Elementwise op : kFunctions) expect_accurate(op, x);
}

TEST(KernelsMath, float64_over_moderate_arguments) {
  const std::vector<double> x = moderate<double>(64);
  for (const Elementwise op : kFunctions) expect_accurate(op, x);
}

// By way of float64.
TEST(KernelsMath, gamma_and_bessel_functions_of_float32) {
  for (const Elementwise op : {Elementwise::lgamma, Elementwise::digamma, Elementwise::i0, Elementwise::i0e,
                               Elementwise::i1, Elementwise::i1e, Elementwise::erfcx}) {
    expect_accurate(op, all_magnitudes(), 1);
    expect_accurate(op, moderate<float>(8), 1);
  }
}

// Multiples of pi/2, where the reduction of the argument cancels all leading digits.
TEST(KernelsMath, sine_near_its_zeros) {
  std::vector<float> x;
  std::vector<double> y;
  for (int n = -8200; n <= 8200; ++n) {
    const double zero = n * 1.57079632679489661923;
    for (int step = -2; step <= 2; ++step) {
      x.push_back(static_cast<float>(zero) * (1 + static_cast<float>(step) * 0x1p-23f));
      y.push_back(zero * (1 + step * 0x1p-52));
    }
  }
  for (const Elementwise op : {Elementwise::sin, Elementwise::cos}) {
    expect_accurate(op, x);
    expect_accurate(op, y);
  }
}

template <class T>
void expect_accurate_pairs(Elementwise op, const std::vector<T>& a, const std::vector<T>& b, double allowed) {
  const void* operands[] = {a.data(), b.data()};
  std::vector<long double> truth;
  for (std::size_t i = 0; i < a.size(); ++i)
    truth.push_back(reference(op, static_cast<long double>(a[i]), static_cast<long double>(b[i])));
  for_each_table([&](const Table& table) {
    std::vector<T> result(a.size());
    table.elementwise[static_cast<std::size_t>(op)][kIndex<T>](result.data(), operands, a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_LE(error_of(op, result[i], truth[i], a[i]), allowed)
          << name_of(op) << "(" << a[i] << ", " << b[i] << ") = " << result[i] << " instead of " << truth[i];
    }
  });
}

template <class T>
void expect_accurate_powers(int exponents) {
  std::mt19937_64 random(8);
  std::uniform_real_distribution<T> uniform(-1, 1);
  std::vector<T> a, b;
  for (int i = 0; i < 60000; ++i) {
    const T exponent = std::ldexp(uniform(random), static_cast<int>(random() % 16) - 8);
    a.push_back(std::ldexp(uniform(random), static_cast<int>(random() % (2 * exponents)) - exponents));
    b.push_back(i % 2 == 0 ? exponent : std::nearbyint(exponent));
    // Powers of a base near 1 are the ones that neither vanish nor overflow.
    if (i % 4 < 2) a.back() = 1 + uniform(random) / 16;
    if (i % 4 < 2) b.back() *= 16;
  }
  expect_accurate_pairs(Elementwise::pow, a, b, 1);
}

TEST(KernelsMath, pow_over_many_bases_and_exponents) {
  expect_accurate_powers<float>(128);
  expect_accurate_powers<double>(1024);
}

// Small numbers, ratios around 1, and all scales.
template <class T>
void expect_accurate_incomplete_gamma(double allowed) {
  std::mt19937_64 random(12);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> a, x;
  for (int i = 0; i < 30000; ++i) {
    const double order = std::exp2(uniform(random) * (i % 3 == 0 ? 13 : 3) + (i % 3 == 1 ? 5 : 0));
    const double far = std::exp2(uniform(random) * 6), near = 1 + 4 * uniform(random) / std::sqrt(order + 1);
    a.push_back(static_cast<T>(order));
    x.push_back(static_cast<T>(order * (i % 2 == 0 ? far : std::fabs(near))));
  }
  expect_accurate_pairs(Elementwise::igamma, a, x, allowed);
  expect_accurate_pairs(Elementwise::igammac, a, x, allowed);
}

TEST(KernelsMath, incomplete_gamma_over_many_scales) {
  expect_accurate_incomplete_gamma<float>(1);
  expect_accurate_incomplete_gamma<double>(allowed_ulp(Elementwise::igamma));
}

// Where log(1 - x^2) has few digits, and where it is large.
TEST(KernelsMath, erfinv_near_its_ends) {
  std::mt19937_64 random(10);
  std::uniform_real_distribution<double> uniform(0.5, 1);
  std::vector<float> x;
  std::vector<double> y;
  for (int i = 0; i < 6000; ++i) {
    const double distance = std::ldexp(uniform(random), -(i % 53));
    const double sign = i % 2 == 0 ? 1 : -1;
    y.push_back(sign * (1 - distance));
    y.push_back(sign * distance);
    x.push_back(static_cast<float>(y[y.size() - 2]));
    x.push_back(static_cast<float>(y.back()));
  }
  expect_accurate(Elementwise::erfinv, x);
  expect_accurate(Elementwise::erfinv, y);
}

// Of all magnitudes of the areas below and above.
TEST(KernelsMath, ndtri_near_its_ends) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> uniform(0.5, 1);
  std::vector<float> x;
  std::vector<double> y;
  for (int i = 0; i < 12000; ++i) {
    const double area = std::ldexp(uniform(random), -(i % 1074));
    y.push_back(i % 4 == 0 ? 1 - area : area);
    x.push_back(static_cast<float>(std::ldexp(area, i % 1074 - i % 149)));
    x.push_back(static_cast<float>(y.back()));
  }
  expect_accurate(Elementwise::ndtri, x, 3.5);
  expect_accurate(Elementwise::ndtri, y);
}

// Points in all directions at all distances, and their neighbors on the diagonals.
template <class T>
void expect_accurate_angles() {
  using L = std::numeric_limits<T>;
  std::mt19937_64 random(9);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> y, x;
  const auto coordinate = [&](int exponents) {
    return std::ldexp(static_cast<T>(uniform(random)), static_cast<int>(random() % (2 * exponents)) - exponents);
  };
  for (int i = 0; i < 60000; ++i) {
    const int exponents = i % 4 == 0 ? L::max_exponent : 4;
    y.push_back(coordinate(exponents));
    x.push_back(i % 8 == 1 ? y.back() * (1 + static_cast<T>(i % 5 - 2) * L::epsilon()) : coordinate(exponents));
  }
  const void* operands[] = {y.data(), x.data()};
  for_each_table([&](const Table& table) {
    std::vector<T> result(y.size());
    table.elementwise[static_cast<std::size_t>(Elementwise::atan2)][kIndex<T>](result.data(), operands, y.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
      const long double truth = std::atan2(static_cast<long double>(y[i]), static_cast<long double>(x[i]));
      ASSERT_LE(ulp_error(result[i], truth), allowed_ulp(Elementwise::atan2))
          << "atan2(" << y[i] << ", " << x[i] << ") = " << result[i] << " instead of " << truth;
    }
  });
}

TEST(KernelsMath, atan2_in_all_directions) {
  expect_accurate_angles<float>();
  expect_accurate_angles<double>();
}

// Quotients from far below 1 to far above what float64 can multiply back exactly.
template <class T>
void expect_accurate_remainders(double epsilon) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<T> mantissa(1, 2);
  std::uniform_int_distribution<int> exponent(-60, 60), steps(-2, 2);
  std::vector<T> a, b;
  for (int i = 0; i < 60000; ++i) {
    b.push_back(std::ldexp(mantissa(random), exponent(random) / 2) * (i % 2 == 0 ? 1 : -1));
    const T quotient = std::ldexp(mantissa(random), exponent(random)) * (i % 4 < 2 ? 1 : -1);
    // Every other quotient is within rounding of a whole number.
    const T product = b.back() * (i % 8 < 4 ? std::nearbyint(quotient) : quotient);
    a.push_back(product * static_cast<T>(1 + steps(random) * epsilon));
  }
  const void* operands[] = {a.data(), b.data()};
  for_each_table([&](const Table& table) {
    for (const Elementwise op : {Elementwise::fmod, Elementwise::remainder, Elementwise::floor_divide}) {
      std::vector<T> result(a.size());
      table.elementwise[static_cast<std::size_t>(op)][kIndex<T>](result.data(), operands, a.size());
      for (std::size_t i = 0; i < a.size(); ++i) {
        const long double truth = reference(op, static_cast<long double>(a[i]), static_cast<long double>(b[i]));
        const double error = result[i] == truth ? 0 : ulp_error(result[i], truth);
        ASSERT_LE(error, op == Elementwise::fmod ? 0 : allowed_ulp(op))
            << name_of(op) << "(" << a[i] << ", " << b[i] << ") = " << result[i] << " instead of " << truth;
      }
    }
  });
}

TEST(KernelsMath, division_with_remainder_over_all_quotients) {
  expect_accurate_remainders<float>(0x1p-23);
  expect_accurate_remainders<double>(0x1p-52);
}

}  // namespace
}  // namespace lamina::kernels
