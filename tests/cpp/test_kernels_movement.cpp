// Strided copies and transposes by element size, and the choice of the table.
#include <gtest/gtest.h>

#include <cstring>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

__extension__ using Word128 = unsigned __int128;  // of the size of a complex number of two doubles

template <class F>
void for_each_size(F f) {
  for_each_table([&](const Table& table) {
    f.template operator()<std::uint8_t>(table);
    f.template operator()<std::uint16_t>(table);
    f.template operator()<std::uint32_t>(table);
    f.template operator()<std::uint64_t>(table);
    f.template operator()<Word128>(table);
  });
}

// None is 0.
template <class T>
std::vector<T> counted(std::size_t n) {
  std::vector<T> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<T>(sizeof(T) == 1 ? i % 255 + 1 : i + 1);
  return values;
}

TEST(KernelsMovement, only_sizes_of_element_types) {
  for_each_table([](const Table& table) {
    for (std::size_t size = 0; size < 17; ++size) {
      const bool exists = size == 1 || size == 2 || size == 4 || size == 8 || size == 16;
      EXPECT_EQ(table.load_strided[size] != nullptr, exists);
      EXPECT_EQ(table.store_strided[size] != nullptr, exists);
      EXPECT_EQ(table.transpose[size] != nullptr, exists);
    }
  });
}

TEST(KernelsMovement, strided_loads_and_stores) {
  for_each_size([]<class T>(const Table& table) {
    for (const std::ptrdiff_t stride : {0, 1, -1, 2, -2, 3, 4, 7, -16}) {
      const std::size_t most = std::abs(stride) == 1 ? 700 : 70;  // several blocks of vectors of the smallest elements
      for (std::size_t n = 0; n <= most; n += n < 70 ? 1 : 9) {
        const std::size_t span = n * static_cast<std::size_t>(std::abs(stride)) + 1;
        const std::vector<T> source = counted<T>(span);
        const std::ptrdiff_t start = stride < 0 ? static_cast<std::ptrdiff_t>(span) - 1 : 0;
        Guarded<T> loaded(n);
        table.load_strided[sizeof(T)](loaded.data(), source.data() + start, n, stride);
        for (std::size_t i = 0; i < n; ++i) {
          EXPECT_EQ(loaded[i], source[static_cast<std::size_t>(start + static_cast<std::ptrdiff_t>(i) * stride)]);
        }
        EXPECT_TRUE(loaded.intact());
        if (stride == 0) continue;
        std::vector<T> target(span, T(0));
        const std::vector<T> values = counted<T>(n);
        table.store_strided[sizeof(T)](target.data() + start, values.data(), n, stride);
        std::size_t written = 0;
        for (std::size_t i = 0; i < n; ++i) {
          EXPECT_EQ(target[static_cast<std::size_t>(start + static_cast<std::ptrdiff_t>(i) * stride)], values[i]);
        }
        for (const T x : target) written += x != 0 ? 1 : 0;
        EXPECT_EQ(written, n);
      }
    }
  });
}

TEST(KernelsMovement, transposes) {
  for_each_size([]<class T>(const Table& table) {
    for (const std::size_t rows : {0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 33, 64, 100}) {
      for (const std::size_t columns : {0, 1, 2, 3, 5, 8, 9, 16, 31, 32, 65, 130}) {
        const std::size_t stride = columns + rows % 3;
        const std::vector<T> in = counted<T>(rows * stride);
        Guarded<T> out(rows * columns);
        table.transpose[sizeof(T)](out.data(), in.data(), rows, columns, stride);
        for (std::size_t i = 0; i < rows; ++i) {
          for (std::size_t j = 0; j < columns; ++j) {
            ASSERT_EQ(out[j * rows + i], in[i * stride + j]) << rows << " x " << columns << " at " << i << ", " << j;
          }
        }
        EXPECT_TRUE(out.intact());
      }
    }
  });
}

TEST(KernelsMovement, stream_copies_every_byte) {
  for_each_table([](const Table& table) {
    alignas(64) unsigned char in[1024 + 8], out[1024];
    for (std::size_t i = 0; i < sizeof(in); ++i) in[i] = static_cast<unsigned char>(i * 37 + 11);
    for (const std::size_t bytes : {0, 64, 128, 1024}) {
      std::memset(out, 0, sizeof(out));
      table.stream(out, in + 8, bytes);  // only the target is aligned
#if defined(__x86_64__)
      __builtin_ia32_sfence();
#endif
      EXPECT_EQ(std::memcmp(out, in + 8, bytes), 0);
      for (std::size_t i = bytes; i < sizeof(out); ++i) ASSERT_EQ(out[i], 0);
    }
  });
}

template <class T, class Tap>
void check_keep_larger(const Table& table) {
  const std::vector<T> awkward = awkward_values<T>();
  for (const std::size_t n : {0, 16, 48}) {
    std::vector<T> largest(n), values(n);
    std::vector<Tap> taps(n, Tap(-1));
    for (std::size_t i = 0; i < n; ++i) {
      largest[i] = awkward[i % awkward.size()];
      values[i] = awkward[i * 7 % awkward.size()];
    }
    const std::vector<T> before = largest;
    table.keep_larger[kIndex<T>](largest.data(), taps.data(), values.data(), n, 300);
    for (std::size_t i = 0; i < n; ++i) {
      const bool taken = values[i] > before[i] || values[i] != values[i];
      EXPECT_EQ(taps[i], taken ? 300 : -1);
      EXPECT_EQ(std::memcmp(&largest[i], taken ? &values[i] : &before[i], sizeof(T)), 0);
    }
  }
}

TEST(KernelsMovement, larger_elements_and_nan_are_kept_with_their_tap) {
  for_each_table([](const Table& table) {
    check_keep_larger<std::int32_t, std::int32_t>(table);
    check_keep_larger<std::int64_t, std::int64_t>(table);
    check_keep_larger<float, std::int32_t>(table);
    check_keep_larger<double, std::int64_t>(table);
  });
}

}  // namespace
}  // namespace lamina::kernels
