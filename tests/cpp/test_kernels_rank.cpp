// The order of short rows, against a stable sort.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

template <class T>
bool before(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a < b || (!std::isnan(a) && std::isnan(b));
  return a < b;
}

template <class T>
void check(const Table& table, std::size_t n, std::size_t count, bool descending) {
  if (!table.rank_rows[kIndex<T>]) return;
  const std::size_t rows = 3;
  std::vector<T> x = random_values<T>(rows * n, 1);
  for (std::size_t i = 0; i + 1 < x.size(); i += 4) x[i + 1] = x[i];
  if (n > 3) x[0] = std::numeric_limits<T>::max(), x[3] = std::numeric_limits<T>::lowest();
  if constexpr (std::is_floating_point_v<T>) {
    constexpr T kNaN = std::numeric_limits<T>::quiet_NaN(), kInfinite = std::numeric_limits<T>::infinity();
    if (n > 9) x[1] = kNaN, x[4] = -kNaN, x[5] = kInfinite, x[6] = -kInfinite, x[7] = T(-0.0), x[9] = T(0.0);
  }
  Guarded<std::int64_t> out(rows * count);
  table.rank_rows[kIndex<T>](out.data(), x.data(), rows, n, count, descending);
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<std::int64_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    const T* const p = x.data() + row * n;
    std::stable_sort(order.begin(), order.end(), [=](std::int64_t a, std::int64_t b) {
      return descending ? before(p[b], p[a]) : before(p[a], p[b]);
    });
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(out.data()[row * count + i], order[i]) << n << ", " << i;
  }
  EXPECT_TRUE(out.intact());
}

TEST(KernelsRank, short_rows) {
  for (const Table* const* table = available_tables(); *table; ++table) {
    for (const std::size_t n : {1, 2, 5, 15, 16, 17, 31, 32, 64, 65, 100, 127, 128}) {
      for (const bool descending : {false, true}) {
        for (const std::size_t count : {n, (n + 1) / 3}) {
          check<std::uint8_t>(**table, n, count, descending), check<std::int32_t>(**table, n, count, descending);
          check<std::int64_t>(**table, n, count, descending), check<float>(**table, n, count, descending);
          check<double>(**table, n, count, descending);
        }
      }
    }
  }
}

}  // namespace
}  // namespace lamina::kernels
