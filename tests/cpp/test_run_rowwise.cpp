// The row-wise step on rows side by side gives the bits that it gives on the same rows one after the other.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "runtime/steps.h"
#include "runtime/thread_pool.h"
#include "support/dtype.h"

namespace lamina {
namespace {

template <typename T>
void expect_the_same_bits(Rowwise kernel, std::int64_t rows, std::int64_t n, std::mt19937& random) {
  const std::int64_t apart = rows + 3;  // the last element read is the last there is: a sanitizer sees every stray read
  std::vector<T> lines(static_cast<std::size_t>(rows * n));
  std::vector<T> columns(static_cast<std::size_t>((n - 1) * apart + rows));
  std::normal_distribution<T> normal;
  for (T& element : lines) element = normal(random);
  lines[0] = std::numeric_limits<T>::infinity();
  lines.back() = std::numeric_limits<T>::quiet_NaN();
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t p = 0; p < n; ++p)
      columns[static_cast<std::size_t>(p * apart + i)] = lines[static_cast<std::size_t>(i * n + p)];
  const std::size_t results = static_cast<std::size_t>(kernel == Rowwise::logsumexp ? rows : rows * n);
  std::vector<T> wanted(results), found(results);
  RowwiseStep step{kernel, sizeof(T) == 4 ? DType::kFloat32 : DType::kFloat64, rows, n, 0, {0, 0}, {1, 0}};
  std::byte* one_after_the_other[] = {reinterpret_cast<std::byte*>(lines.data()),
                                      reinterpret_cast<std::byte*>(wanted.data())};
  runtime::run(step, one_after_the_other);
  step.apart = apart;
  std::byte* side_by_side[] = {reinterpret_cast<std::byte*>(columns.data()),
                               reinterpret_cast<std::byte*>(found.data())};
  runtime::run(step, side_by_side);
  ASSERT_EQ(std::memcmp(wanted.data(), found.data(), results * sizeof(T)), 0)
      << rows << " rows of " << n << ", kernel " << static_cast<int>(kernel) << ", " << sizeof(T) << " bytes, "
      << runtime::num_threads() << " threads";
}

TEST(RunRowwise, rows_side_by_side) {
  std::mt19937 random(4);
  const int threads = runtime::num_threads();
  for (const int count : {1, 2}) {
    runtime::set_num_threads(count);
    for (const Rowwise kernel : {Rowwise::softmax, Rowwise::log_softmax, Rowwise::logsumexp}) {
      for (const std::int64_t rows : {1, 3, 15, 16, 17, 65, 300, 5000}) {
        for (const std::int64_t n : {1, 7, 8, 9, 33, 1000, 4096}) {
          if (rows * n > 400'000) continue;
          expect_the_same_bits<float>(kernel, rows, n, random);
          expect_the_same_bits<double>(kernel, rows, n, random);
        }
      }
    }
  }
  runtime::set_num_threads(threads);
}

}  // namespace
}  // namespace lamina
