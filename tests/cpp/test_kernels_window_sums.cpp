// Sums of rows, of windows along a line, and back, for every instruction set, against loops.
#include <gtest/gtest.h>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

constexpr std::size_t kGuard = 3;

// Small whole numbers, whose sums are exact in any order.
template <class T>
std::vector<T> digits(std::size_t n) {
  std::vector<T> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<T>(i * 7 % 10) - 4;
  return values;
}

template <class T>
void check_rows(const Table& table) {
  for (const std::size_t width : {0, 1, 5, 8, 16, 31, 64, 67}) {
    const std::size_t pitch = width + 2, out_pitch = width + kGuard;
    std::vector<T> in = digits<T>(6 * pitch);
    in.resize(5 * pitch + width);  // nothing may be read behind the last row
    std::vector<T> out(4 * out_pitch, T(99));
    const RowSums sums[] = {{in.data(), 3}, {in.data() + 3 * pitch, 3}, {in.data() + pitch, 0}, {in.data() + pitch, 1}};
    table.sum_rows[kIndex<T>](out.data(), static_cast<std::ptrdiff_t>(out_pitch), sums, 4,
                              static_cast<std::ptrdiff_t>(pitch), width);
    for (std::size_t r = 0; r < 4; ++r)
      for (std::size_t i = 0; i < out_pitch; ++i) {
        T expected = i < width ? T(0) : T(99);
        if (i < width)
          for (std::size_t n = 0; n < sums[r].count; ++n)
            expected += static_cast<const T*>(sums[r].first)[n * pitch + i];
        ASSERT_EQ(out[r * out_pitch + i], expected) << table.isa << " row " << r << " element " << i << " of " << width;
      }
  }
}

template <class T>
void check_windows(const Table& table) {
  for (const std::size_t stride : {1, 2, 3, 4, 7})
    for (const std::size_t window : {1, 2, 3, 4, 5, 6, 8, 11})
      for (const std::size_t n : {1, 4, 16, 33, 100}) {
        const std::vector<T> in = digits<T>((n - 1) * stride + window);
        std::vector<T> out(n + kGuard, T(99));
        table.sum_windows[kIndex<T>](out.data(), in.data(), n, window, stride);
        for (std::size_t i = 0; i < n; ++i) {
          T expected = 0;
          for (std::size_t t = 0; t < window; ++t) expected += in[i * stride + t];
          ASSERT_EQ(out[i], expected) << table.isa << " window " << window << " stride " << stride << " at " << i;
        }
        for (std::size_t i = n; i < out.size(); ++i) ASSERT_EQ(out[i], T(99));

        const std::size_t lead = (window - 1) / stride;
        const std::vector<T> sums = digits<T>(lead + n);
        std::vector<T> back(n * stride + kGuard, T(99));
        table.spread_windows[kIndex<T>](back.data(), sums.data() + lead, n, window, stride);
        for (std::size_t i = 0; i < n * stride; ++i) {
          T expected = 0;
          for (std::size_t u = 0; u * stride + i % stride < window; ++u) expected += sums[lead + i / stride - u];
          ASSERT_EQ(back[i], expected) << table.isa << " window " << window << " stride " << stride << " to " << i;
        }
        for (std::size_t i = n * stride; i < back.size(); ++i) ASSERT_EQ(back[i], T(99));
      }
}

TEST(KernelsWindowSums, rows_are_summed_to_their_ends) {
  for_each_table([](const Table& table) {
    check_rows<float>(table);
    check_rows<double>(table);
  });
}

TEST(KernelsWindowSums, windows_along_a_line_and_back) {
  for_each_table([](const Table& table) {
    check_windows<float>(table);
    check_windows<double>(table);
  });
}

}  // namespace
}  // namespace lamina::kernels
