// Rows to mean 0 and variance 1 and the gradient, against the definitions in long double.
#include <gtest/gtest.h>

#include <cmath>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

constexpr double kEps = 1e-3;

struct Expected {
  std::vector<long double> standardized, gradient;
};

template <class T>
Expected expected_of(const std::vector<T>& x, const std::vector<T>& g, std::size_t rows, std::size_t n) {
  Expected all;
  for (std::size_t row = 0; row < rows; ++row) {
    const T *of = x.data() + row * n, *by = g.data() + row * n;
    long double mean = 0, variance = 0, mean_g = 0, mean_gy = 0;
    for (std::size_t i = 0; i < n; ++i) mean += of[i], mean_g += by[i];
    mean /= n, mean_g /= n;
    for (std::size_t i = 0; i < n; ++i) variance += (of[i] - mean) * (of[i] - mean);
    const long double scale = 1 / std::sqrt(variance / n + kEps);
    for (std::size_t i = 0; i < n; ++i) mean_gy += by[i] * (of[i] - mean) * scale / n;
    for (std::size_t i = 0; i < n; ++i) {
      const long double y = (of[i] - mean) * scale;
      all.standardized.push_back(y);
      all.gradient.push_back(scale * (by[i] - mean_g - y * mean_gy));
    }
  }
  return all;
}

template <class T>
void check(const Table& table, std::size_t rows, std::size_t n) {
  std::vector<T> x = random_values<T>(rows * n, 1), g = random_values<T>(rows * n, 2);
  for (T& element : x) element += 3;  // away from a mean of zero
  const Expected expected = expected_of(x, g, rows, n);
  const auto expect_near = [&](const T* got, const std::vector<long double>& wanted, const char* what) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto bound = 64 * std::numeric_limits<T>::epsilon() * (1 + std::abs(wanted[i]));
      EXPECT_NEAR(got[i], wanted[i], bound) << what << " " << rows << "x" << n << " at " << i << " by " << table.isa;
    }
  };
  const std::size_t type = kIndex<T>;
  for (const bool streamed : {false, true}) {
    Guarded<T> out(rows * n);
    StandardizeArgs args{.out = out.data(), .g = g.data(), .x = x.data(), .rows = rows, .n = n, .eps = kEps};
    args.streamed = streamed;
    table.standardize[type](args);
    expect_near(out.data(), expected.standardized, "standardize");
    table.standardize_input[type](args);
    expect_near(out.data(), expected.gradient, "standardize_input");
    EXPECT_TRUE(out.intact());
  }
  std::vector<T> over_x = x, over_g = g;
  table.standardize_input[type](
      {.out = over_x.data(), .g = g.data(), .x = over_x.data(), .rows = rows, .n = n, .eps = kEps});
  expect_near(over_x.data(), expected.gradient, "over x");
  table.standardize_input[type](
      {.out = over_g.data(), .g = over_g.data(), .x = x.data(), .rows = rows, .n = n, .eps = kEps});
  expect_near(over_g.data(), expected.gradient, "over g");
}

TEST(KernelsStandardize, rows_of_every_size) {
  for (const Table* const* table = available_tables(); *table; ++table) {
    for (const std::size_t n : {2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 513, 1024, 2500}) {
      check<float>(**table, 3, n), check<double>(**table, 3, n);
    }
  }
}

// Scaled and shifted columns, and the gradients of both.
template <class T>
void check_affine(const Table& table, std::size_t rows, std::size_t n) {
  std::vector<T> x = random_values<T>(rows * n, 1), given = random_values<T>(rows * n, 2), scaled = given;
  const std::vector<T> scale = random_values<T>(n, 3), shift = random_values<T>(n, 4);
  for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] = given[i] * scale[i % n];
  const Expected expected = expected_of(x, scaled, rows, n);
  std::vector<long double> scale_sums(n), shift_sums(n);
  for (std::size_t i = 0; i < given.size(); ++i) {
    scale_sums[i % n] += given[i] * expected.standardized[i];
    shift_sums[i % n] += given[i];
  }
  const auto expect_near = [&](T got, long double wanted, const char* what, std::size_t i) {
    const auto bound = 64 * std::numeric_limits<T>::epsilon() * (1 + std::abs(wanted));
    EXPECT_NEAR(got, wanted, bound) << what << " " << rows << "x" << n << " at " << i << " by " << table.isa;
  };
  const std::size_t type = kIndex<T>;
  for (const bool streamed : {false, true}) {
    Guarded<T> out(rows * n), of_scale(n), of_shift(n), row(n);
    StandardizeArgs args{.out = out.data(), .g = given.data(), .x = x.data(), .rows = rows, .n = n, .eps = kEps};
    args.streamed = streamed;
    args.scale = scale.data();
    table.standardize[type](args);
    for (std::size_t i = 0; i < rows * n; ++i)
      expect_near(out.data()[i], expected.standardized[i] * scale[i % n], "scaled", i);
    args.shift = shift.data();
    table.standardize[type](args);
    for (std::size_t i = 0; i < rows * n; ++i)
      expect_near(out.data()[i], expected.standardized[i] * scale[i % n] + shift[i % n], "shifted", i);
    args.shift = nullptr;
    args.scaled = row.data(), args.scale_sums = of_scale.data(), args.shift_sums = of_shift.data();
    table.standardize_input[type](args);
    for (std::size_t i = 0; i < rows * n; ++i) expect_near(out.data()[i], expected.gradient[i], "gradient", i);
    for (std::size_t i = 0; i < n; ++i) expect_near(of_scale.data()[i], scale_sums[i], "scale's gradient", i);
    for (std::size_t i = 0; i < n; ++i) expect_near(of_shift.data()[i], shift_sums[i], "shift's gradient", i);
    EXPECT_TRUE(out.intact() && of_scale.intact() && of_shift.intact() && row.intact());
  }
}

TEST(KernelsStandardize, columns_are_scaled_and_shifted) {
  for (const Table* const* table = available_tables(); *table; ++table) {
    for (const std::size_t n : {2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65, 129, 513}) {
      check_affine<float>(**table, 5, n), check_affine<double>(**table, 5, n);
    }
  }
}

TEST(KernelsStandardize, one_element_is_its_mean) {
  for (const Table* const* table = available_tables(); *table; ++table) {
    const float x[] = {5, -2}, g[] = {3, 4};
    float out[2];
    (*table)->standardize[kIndex<float>]({.out = out, .x = x, .rows = 2, .n = 1, .eps = kEps});
    EXPECT_EQ(out[0], 0.0f);
    EXPECT_EQ(out[1], 0.0f);
    (*table)->standardize_input[kIndex<float>]({.out = out, .g = g, .x = x, .rows = 2, .n = 1, .eps = kEps});
    EXPECT_EQ(out[0], 0.0f);
    EXPECT_EQ(out[1], 0.0f);
  }
}

TEST(KernelsStandardize, a_row_with_nan_or_infinity_is_nan_and_the_others_are_not) {
  for (const Table* const* table = available_tables(); *table; ++table) {
    std::vector<float> x = random_values<float>(3 * 40, 3), out(3 * 40);
    x[40 + 7] = std::numeric_limits<float>::infinity();
    (*table)->standardize[kIndex<float>]({.out = out.data(), .x = x.data(), .rows = 3, .n = 40, .eps = kEps});
    for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(std::isnan(out[i]), i / 40 == 1) << i;
  }
}

}  // namespace
}  // namespace lamina::kernels
