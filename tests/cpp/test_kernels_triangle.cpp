// Triangular systems, against substitution in a wider type; what must not be read is NaN.
#include <gtest/gtest.h>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

template <class T>
void check(const Table& table, std::size_t n, std::size_t count, bool lower, bool transposed, bool unit) {
  const std::size_t width = count + 3;
  std::vector<T> a(n * n, std::numeric_limits<T>::quiet_NaN()), drawn = random_values<T>(n * n, 1);
  const auto place = [&](std::size_t i, std::size_t j) { return transposed ? j * n + i : i * n + j; };
  const auto small = [](T x) { return std::isfinite(x) ? std::tanh(x) : T(0.5); };
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      if (lower ? j < i : j > i) a[place(i, j)] = small(drawn[i * n + j]) / static_cast<T>(n);
      if (i == j && !unit) a[place(i, j)] = static_cast<T>(1 + i % 3);
    }
  std::vector<T> b = random_values<T>(n * width, 2);
  for (T& x : b) x = small(x);
  Guarded<T> x(n * width);
  std::fill_n(x.data(), n * width, T(7));
  TriangleArgs args{};
  args.x = x.data(), args.a = a.data(), args.b = b.data(), args.n = n, args.count = count;
  args.row = transposed ? 1 : static_cast<std::ptrdiff_t>(n),
  args.column = transposed ? static_cast<std::ptrdiff_t>(n) : 1;
  args.width = static_cast<std::ptrdiff_t>(width), args.lower = lower, args.unit = unit;
  table.solve_triangle[kIndex<T>](args);
  EXPECT_TRUE(x.intact());
  std::vector<long double> found(n);
  for (std::size_t c = 0; c < width; ++c)
    for (std::size_t step = 0; step < n; ++step) {
      const std::size_t i = lower ? step : n - 1 - step;
      if (c >= count) {
        EXPECT_EQ(x.data()[i * width + c], T(7));
        continue;
      }
      long double rest = b[i * width + c];
      for (std::size_t j = 0; j < n; ++j)
        if (lower ? j < i : j > i) rest -= static_cast<long double>(a[place(i, j)]) * found[j];
      found[i] = unit ? rest : rest / a[place(i, i)];
      EXPECT_NEAR(x.data()[i * width + c], static_cast<double>(found[i]), 16 * std::numeric_limits<T>::epsilon())
          << n << ", " << count << ": " << i << ", " << c;
    }
}

TEST(KernelsTriangle, solves_by_what_is_read) {
  for (const Table* const* table = available_tables(); *table; ++table)
    for (const std::size_t n : {1, 2, 3, 4, 5, 8, 31})
      for (const std::size_t count : {1, 2, 5, 16, 33, 64, 75})
        for (int flags = 0; flags < 8; ++flags) {
          check<float>(**table, n, count, flags & 1, flags & 2, flags & 4);
          check<double>(**table, n, count, flags & 1, flags & 2, flags & 4);
        }
}

}  // namespace
}  // namespace lamina::kernels
