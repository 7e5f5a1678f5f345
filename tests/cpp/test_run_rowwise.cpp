// The row-wise step on rows side by side gives what it gives on the same rows one after the other, with any number of
// threads the same bits.
#include <gtest/gtest.h>

#include <array>
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
std::vector<T> run(RowwiseStep step, const std::vector<T>& in, bool in_place = false) {
  std::vector<T> out(in.begin(), step.kernel == Rowwise::logsumexp ? in.begin() + step.outer * step.inner : in.end());
  std::byte* slots[] = {reinterpret_cast<std::byte*>(in_place ? out.data() : const_cast<T*>(in.data())),
                        reinterpret_cast<std::byte*>(out.data())};
  runtime::run(step, slots);
  return out;
}

// [outer][n][inner] with the last two axes swapped.
template <typename T>
std::vector<T> swapped(const std::vector<T>& in, std::int64_t n, std::int64_t inner) {
  std::vector<T> out(in.size());
  const auto rows = static_cast<std::size_t>(n), columns = static_cast<std::size_t>(inner);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::size_t matrix = i / (rows * columns), row = i / columns % rows, column = i % columns;
    out[(matrix * columns + column) * rows + row] = in[i];
  }
  return out;
}

template <typename T>
void expect_what_rows_give(Rowwise kernel, std::int64_t outer, std::int64_t n, std::int64_t inner,
                           std::mt19937& random) {
  std::vector<T> in(static_cast<std::size_t>(outer * n * inner));
  std::normal_distribution<T> normal(0, 5);
  for (T& element : in) element = normal(random);
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const auto columns = static_cast<std::size_t>(inner);
  if (columns > 5) {  // a column each
    in[0] = kInfinity;
    in[1] = std::numeric_limits<T>::quiet_NaN();
    for (std::size_t i = 2; i < columns * static_cast<std::size_t>(n); i += columns) in[i] = -kInfinity;
    in[3] = -kInfinity;
    in[in.size() - columns + 4] = 1000;
  }
  const DType dtype = sizeof(T) == 4 ? DType::kFloat32 : DType::kFloat64;
  const RowwiseStep side_by_side{kernel, dtype, outer, n, inner, {0, 0}, {1, 0}};
  const RowwiseStep one_after_the_other{kernel, dtype, outer * inner, n, 1, {0, 0}, {1, 0}};
  runtime::set_num_threads(1);
  const std::vector<T> found = run(side_by_side, in);
  std::vector<T> wanted = run(one_after_the_other, swapped(in, n, inner));
  if (kernel != Rowwise::logsumexp) wanted = swapped(wanted, inner, n);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const T size = std::fabs(wanted[i]) + (kernel == Rowwise::softmax ? 0 : 1);  // logarithms lose what cancels
    const T tolerance = 16 * std::numeric_limits<T>::epsilon() * size;
    ASSERT_TRUE(found[i] == wanted[i] || (std::isnan(found[i]) && std::isnan(wanted[i])) ||
                std::fabs(found[i] - wanted[i]) <= tolerance)
        << found[i] << " instead of " << wanted[i] << " at " << i << ": " << outer << "x" << n << "x" << inner
        << ", kernel " << static_cast<int>(kernel) << ", " << sizeof(T) << " bytes";
  }
  runtime::set_num_threads(2);
  const std::vector<T> of_two = run(side_by_side, in);
  EXPECT_EQ(std::memcmp(found.data(), of_two.data(), found.size() * sizeof(T)), 0);
  if (kernel == Rowwise::logsumexp) return;
  const std::vector<T> in_place = run(side_by_side, in, true);
  EXPECT_EQ(std::memcmp(found.data(), in_place.data(), found.size() * sizeof(T)), 0);
}

TEST(RunRowwise, rows_side_by_side) {
  std::mt19937 random(4);
  const int threads = runtime::num_threads();
  for (const Rowwise kernel : {Rowwise::softmax, Rowwise::log_softmax, Rowwise::logsumexp}) {
    for (const std::int64_t outer : {1, 3}) {
      for (const std::int64_t n : {1, 2, 7, 8, 9, 33, 100, 1000, 4096}) {
        for (const std::int64_t inner : {2, 3, 15, 16, 17, 65, 127, 128, 300, 1025, 5000}) {
          if (outer * n * inner > 400'000) continue;
          expect_what_rows_give<float>(kernel, outer, n, inner, random);
          expect_what_rows_give<double>(kernel, outer, n, inner, random);
        }
      }
    }
  }
  runtime::set_num_threads(threads);
}

// Those past the caches, of which rows share lines; down columns in strips, the last of few columns.
TEST(RunRowwise, large_results_have_the_bits_of_those_in_place) {
  const std::int64_t rows = 33'000, columns = 1'030;
  std::vector<float> in(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 23);
  for (const auto& [outer, n, inner] : {std::array{std::int64_t{1}, rows, columns}, {rows, columns, 1}}) {
    const RowwiseStep step{Rowwise::softmax, DType::kFloat32, outer, n, inner, {0, 0}, {1, 0}};
    EXPECT_TRUE(run(step, in) == run(step, in, true)) << "along " << n;
  }
}

}  // namespace
}  // namespace lamina
