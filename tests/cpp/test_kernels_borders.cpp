// Rows that reach beyond the borders of others, and back, against plain loops.
#include <gtest/gtest.h>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

struct Row {
  std::size_t left, run, right, first, width;
};

template <class T>
void check(const Table& table, const Row& row) {
  const std::size_t wide = row.left + row.run + row.right, count = 3;
  std::vector<std::int64_t> from(row.left + row.right);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::int64_t>((i * 7 + 3) % row.width);
  const RowBorders borders{row.left, row.run, row.right, row.first, from.data()};
  const auto source = [&](std::size_t j) {
    if (j >= row.left && j < row.left + row.run) return row.first + j - row.left;
    return static_cast<std::size_t>(from[j < row.left ? j : j - row.run]);
  };
  const auto x = random_values<T>(4 * row.width, 1);
  const std::int64_t rows[] = {static_cast<std::int64_t>(3 * row.width), 0, static_cast<std::int64_t>(row.width)};
  Guarded<T> out(count * wide);
  table.extend_rows[sizeof(T)](out.data(), x.data(), rows, count, borders);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < wide; ++j)
      EXPECT_EQ(out.data()[i * wide + j], x[static_cast<std::size_t>(rows[i]) + source(j)]) << i << ", " << j;
  EXPECT_TRUE(out.intact());

  if constexpr (std::is_floating_point_v<T>) {
    const auto y = random_values<T>(count * wide, 2);
    const std::int64_t lines[] = {static_cast<std::int64_t>(2 * wide), 0};
    Guarded<T> sums(2 * row.width);
    table.fold_rows[kIndex<T>](sums.data(), y.data(), lines, 2, row.width, borders);
    for (std::size_t i = 0; i < 2; ++i) {
      std::vector<long double> expected(row.width);
      for (std::size_t j = 0; j < wide; ++j) expected[source(j)] += y[static_cast<std::size_t>(lines[i]) + j];
      for (std::size_t j = 0; j < row.width; ++j)
        EXPECT_NEAR(sums.data()[i * row.width + j], expected[j], 1e3 * std::numeric_limits<T>::epsilon());
    }
    EXPECT_TRUE(sums.intact());
  }
}

TEST(KernelsBorders, rows_and_back) {
  for (const Table* const* table = available_tables(); *table; ++table) {
    for (const Row& row : {Row{0, 5, 0, 0, 5}, Row{2, 5, 1, 0, 5}, Row{0, 3, 2, 1, 5}, Row{3, 0, 0, 0, 4},
                           Row{0, 0, 0, 0, 4}, Row{1, 70, 1, 0, 70}, Row{40, 200, 3, 2, 203}}) {
      check<std::uint8_t>(**table, row), check<std::int32_t>(**table, row);
      check<float>(**table, row), check<double>(**table, row);
    }
  }
}

}  // namespace
}  // namespace lamina::kernels
