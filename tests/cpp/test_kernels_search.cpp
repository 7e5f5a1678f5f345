// Binary search in a sorted row, against counting.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

template <class T>
void check(const Table& table, std::size_t length, std::size_t n) {
  std::vector<T> sorted = random_values<T>(length, 1), numbers = random_values<T>(n, 2);
  if (length > 2) sorted[1] = sorted[0];
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < n && length != 0; i += 3) numbers[i] = sorted[i % length];
  if constexpr (std::is_floating_point_v<T>) {
    if (n > 4) numbers[1] = std::numeric_limits<T>::quiet_NaN(), numbers[4] = -std::numeric_limits<T>::infinity();
  }
  for (const bool behind : {false, true}) {
    Guarded<std::int64_t> out(n);
    table.search[kIndex<T>](out.data(), numbers.data(), n, sorted.data(), length, behind);
    for (std::size_t i = 0; i < n; ++i) {
      const T x = numbers[i];
      const auto before = [=](T y) { return behind ? !(y > x) : !(y >= x); };
      EXPECT_EQ(out.data()[i], std::count_if(sorted.begin(), sorted.end(), before)) << length << ", " << i;
    }
    EXPECT_TRUE(out.intact());
  }
}

TEST(KernelsSearch, counts_what_comes_before) {
  for (const Table* const* table = available_tables(); *table; ++table) {
    for (const std::size_t length : {0, 1, 2, 3, 5, 63, 64, 65, 1000}) {
      for (const std::size_t n : {0, 1, 5, 64, 130}) {
        check<std::int32_t>(**table, length, n), check<std::int64_t>(**table, length, n);
        check<float>(**table, length, n), check<double>(**table, length, n);
      }
    }
  }
}

}  // namespace
}  // namespace lamina::kernels
