// softmax, log_softmax, logsumexp, cumsum and cumprod along rows.
#include <gtest/gtest.h>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

template <class T>
struct ExpectedRow {
  long double maximum, log_sum;
  explicit ExpectedRow(const T* p, std::size_t n) {
    maximum = -std::numeric_limits<long double>::infinity();
    for (std::size_t i = 0; i < n; ++i) maximum = std::max<long double>(maximum, p[i]);
    long double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += std::exp(p[i] - maximum);
    log_sum = std::log(sum);
  }
};

template <class T>
T& call_rowwise(const Table& table, Rowwise name, std::vector<T>& out, const std::vector<T>& in, std::size_t rows,
                std::size_t n) {
  table.rowwise[static_cast<std::size_t>(name)][kIndex<T>](out.data(), in.data(), rows, n);
  return out[0];
}

template <class T>
void check_rowwise(const Table& table, std::size_t rows, std::size_t n, double scale) {
  std::vector<T> in = random_values<T>(rows * n, n + rows);
  for (T& x : in) x *= static_cast<T>(scale);
  const double epsilon = std::numeric_limits<T>::epsilon();
  Guarded<T> softmax(rows * n), log_softmax(rows * n), logsumexp(rows);
  table.rowwise[static_cast<std::size_t>(Rowwise::softmax)][kIndex<T>](softmax.data(), in.data(), rows, n);
  table.rowwise[static_cast<std::size_t>(Rowwise::log_softmax)][kIndex<T>](log_softmax.data(), in.data(), rows, n);
  table.rowwise[static_cast<std::size_t>(Rowwise::logsumexp)][kIndex<T>](logsumexp.data(), in.data(), rows, n);
  std::vector<T> in_place = in;
  table.rowwise[static_cast<std::size_t>(Rowwise::softmax)][kIndex<T>](in_place.data(), in_place.data(), rows, n);
  for (std::size_t r = 0; r < rows; ++r) {
    const ExpectedRow<T> row(in.data() + r * n, n);
    for (std::size_t i = r * n; i < (r + 1) * n; ++i) {
      const long double log_probability = in[i] - row.maximum - row.log_sum;
      const double distance = static_cast<double>(row.maximum - in[i]);
      EXPECT_NEAR(log_softmax[i], log_probability, epsilon * (2 + distance + static_cast<double>(row.log_sum)));
      const double probability = static_cast<double>(std::exp(log_probability));
      EXPECT_NEAR(softmax[i], probability, epsilon * probability * (6 + distance) + std::numeric_limits<T>::min());
      EXPECT_EQ(softmax[i], in_place[i]);
    }
    const double expected = static_cast<double>(row.maximum + row.log_sum);
    EXPECT_NEAR(logsumexp[r], expected, epsilon * (2 + std::fabs(expected)));
  }
  EXPECT_TRUE(softmax.intact() && log_softmax.intact() && logsumexp.intact());
}

template <class F>
void for_each_float_type(F f) {
  for_each_table([&](const Table& table) {
    f.template operator()<float>(table);
    f.template operator()<double>(table);
  });
}

TEST(KernelsRowwise, many_lengths) {
  for_each_float_type([]<class T>(const Table& table) {
    for (std::size_t n = 1; n <= 67; ++n) check_rowwise<T>(table, 3, n, 1);
    for (const std::size_t n : {500, 1024, 5001}) {
      check_rowwise<T>(table, 2, n, 1);
      check_rowwise<T>(table, 2, n, 1000);
    }
  });
}

// A row in parts of n elements each, as the runtime cuts long ones.
template <class T>
std::vector<T> in_parts(const Table& table, Rowwise name, const std::vector<T>& in, std::size_t n) {
  std::vector<T> statistics, row(2), out(name == Rowwise::logsumexp ? 1 : in.size());
  for (std::size_t begin = 0; begin < in.size(); begin += n) {
    statistics.resize(statistics.size() + 2);
    table.row_statistics[kIndex<T>](&statistics.end()[-2], in.data() + begin, std::min(n, in.size() - begin));
  }
  table.merge_statistics[kIndex<T>](row.data(), statistics.data(), statistics.size() / 2);
  const FinishRowFn finish = table.finish_row[static_cast<std::size_t>(name)][kIndex<T>];
  for (std::size_t begin = 0; begin < out.size(); begin += n) {
    finish(out.data() + begin, in.data() + begin, std::min(n, out.size() - begin), row.data(), false);
  }
  return out;
}

TEST(KernelsRowwise, parts_give_what_the_whole_row_gives) {
  for_each_float_type([]<class T>(const Table& table) {
    const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    std::vector<std::vector<T>> rows;
    for (const double scale : {1.0, 30.0, 1000.0}) {
      rows.push_back(random_values<T>(1000, 3));
      for (T& x : rows.back()) x *= static_cast<T>(scale);
    }
    const std::vector<T> plain = rows[0];
    for (const T special : {nan, infinity, -infinity}) (rows.push_back(plain), rows.back()[123] = special);
    rows.emplace_back(1000, -infinity);
    rows.emplace_back(1000, -infinity)[700] = 5;
    for (const std::vector<T>& in : rows) {
      for (const Rowwise name : {Rowwise::softmax, Rowwise::log_softmax, Rowwise::logsumexp}) {
        std::vector<T> whole(name == Rowwise::logsumexp ? 1 : in.size());
        call_rowwise(table, name, whole, in, 1, in.size());
        for (const std::size_t n : {100, 1000, 999}) {
          const std::vector<T> parts = in_parts(table, name, in, n);
          for (std::size_t i = 0; i < whole.size(); ++i) {
            const double tolerance = std::isfinite(whole[i]) ? 8 * std::numeric_limits<T>::epsilon() : 0;
            EXPECT_TRUE(parts[i] == whole[i] || (std::isnan(parts[i]) && std::isnan(whole[i])) ||
                        std::fabs(parts[i] - whole[i]) <= tolerance * std::fabs(whole[i]))
                << parts[i] << " instead of " << whole[i];
          }
        }
      }
    }
  });
}

// Results that go past the caches: of rows with and without gaps, that begin anywhere in a line.
template <class T>
void check_streamed(const Table& table, Rowwise name, std::size_t n, std::size_t columns, std::size_t gap,
                    std::size_t from) {
  const std::size_t stride = columns + gap, size = n == 0 ? 0 : (n - 1) * stride + columns;
  const std::vector<T> in = random_values<T>(from + size, columns);
  std::vector<T> merged = random_values<T>(2 * columns, n);
  for (T& x : merged) x = std::fabs(x) + T(1000);
  Guarded<T> expected(from + size), out(from + size);
  std::fill_n(expected.data(), from + size, T(7)), std::fill_n(out.data(), from + size, T(7));
  const auto finish = table.finish_columns[static_cast<std::size_t>(name)][kIndex<T>];
  finish(expected.data() + from, in.data() + from, n, columns, stride, merged.data(), false);
  finish(out.data() + from, in.data() + from, n, columns, stride, merged.data(), true);
  for (std::size_t i = 0; i < from + size; ++i) ASSERT_EQ(out[i], expected[i]) << n << " x " << columns << " at " << i;
  EXPECT_TRUE(out.intact());
  table.finish_row[static_cast<std::size_t>(name)][kIndex<T>](expected.data() + from, in.data() + from, size,
                                                              merged.data(), false);
  table.finish_row[static_cast<std::size_t>(name)][kIndex<T>](out.data() + from, in.data() + from, size, merged.data(),
                                                              true);
  for (std::size_t i = 0; i < from + size; ++i) ASSERT_EQ(out[i], expected[i]) << size << " at " << i;
  EXPECT_TRUE(out.intact());
}

TEST(KernelsRowwise, streamed_results_are_those_that_are_stored) {
  for_each_float_type([]<class T>(const Table& table) {
    for (const Rowwise name : {Rowwise::softmax, Rowwise::log_softmax}) {
      for (const std::size_t n : {0, 1, 2, 9}) {
        for (const std::size_t columns : {1, 2, 7, 15, 16, 17, 33, 100, 1024, 2100}) {
          for (const std::size_t gap : {0, 1, 16}) {
            for (const std::size_t from : {0, 3}) check_streamed<T>(table, name, n, columns, gap, from);
          }
        }
      }
    }
  });
}

TEST(KernelsRowwise, infinities_and_nan) {
  for_each_float_type([]<class T>(const Table& table) {
    const T infinity = std::numeric_limits<T>::infinity();
    for (const std::size_t n : {3, 16, 50, 100}) {
      const auto run = [&](const std::vector<T>& in, bool expect_nan, T expected_logsumexp) {
        std::vector<T> out(n);
        for (const Rowwise name : {Rowwise::softmax, Rowwise::log_softmax}) {
          call_rowwise(table, name, out, in, 1, n);
          for (const T x : out) EXPECT_EQ(std::isnan(x), expect_nan);
        }
        const T logsumexp = call_rowwise(table, Rowwise::logsumexp, out, in, 1, n);
        EXPECT_TRUE(logsumexp == expected_logsumexp || (std::isnan(logsumexp) && std::isnan(expected_logsumexp)))
            << logsumexp;
      };
      run(std::vector<T>(n, -infinity), true, -infinity);
      std::vector<T> in(n, T(2));
      in[1] = infinity;
      run(in, true, infinity);
      in[0] = std::numeric_limits<T>::quiet_NaN();
      run(in, true, in[0]);
      // One finite element among -inf takes all of the probability.
      in.assign(n, -infinity);
      in[n - 1] = 5;
      std::vector<T> out(n);
      call_rowwise(table, Rowwise::softmax, out, in, 1, n);
      for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(out[i], i == n - 1 ? 1 : 0);
      EXPECT_EQ(call_rowwise(table, Rowwise::logsumexp, out, in, 1, n), 5);
    }
  });
}

TEST(KernelsRowwise, empty_rows) {
  for_each_float_type([]<class T>(const Table& table) {
    T result = 7;
    table.rowwise[static_cast<std::size_t>(Rowwise::logsumexp)][kIndex<T>](&result, &result, 1, 0);
    EXPECT_EQ(result, -std::numeric_limits<T>::infinity());
    result = 7;
    table.rowwise[static_cast<std::size_t>(Rowwise::softmax)][kIndex<T>](&result, &result, 3, 0);
    EXPECT_EQ(result, 7);
  });
}

template <class T>
void check_scan(const Table& table, Scan name, std::size_t rows, std::size_t n) {
  const ScanFn kernel = table.scan[static_cast<std::size_t>(name)][kIndex<T>];
  ASSERT_NE(kernel, nullptr);
  std::vector<T> in = random_values<T>(rows * n, n);
  if (name == Scan::cumprod) {
    for (T& x : in) x = std::is_floating_point_v<T> ? T(1) + x / T(100) : (x == 0 ? T(3) : x);
  }
  Guarded<T> out(rows * n);
  kernel(out.data(), in.data(), rows, n);
  for (std::size_t r = 0; r < rows; ++r) {
    using Wide = std::conditional_t<std::is_floating_point_v<T>, long double, std::uint64_t>;
    Wide total = name == Scan::cumsum ? 0 : 1;
    long double magnitude = 0;
    for (std::size_t i = r * n; i < (r + 1) * n; ++i) {
      total = name == Scan::cumsum ? total + static_cast<Wide>(in[i]) : total * static_cast<Wide>(in[i]);
      magnitude = name == Scan::cumsum ? magnitude + std::fabs(static_cast<long double>(in[i]))
                                       : std::fabs(static_cast<long double>(total));
      if constexpr (std::is_floating_point_v<T>) {
        const double steps = std::is_same_v<T, float> ? 1 : static_cast<double>(n);
        EXPECT_NEAR(out[i], total, std::numeric_limits<T>::epsilon() * steps * magnitude) << i;
      } else {
        EXPECT_EQ(out[i], static_cast<T>(total)) << i;
      }
    }
  }
  EXPECT_TRUE(out.intact());
  std::vector<T> in_place = in;
  kernel(in_place.data(), in_place.data(), rows, n);
  for (std::size_t i = 0; i < rows * n; ++i) EXPECT_EQ(in_place[i], out[i]);
}

// Down columns each result is the one along the row that the column makes.
template <class T>
void check_columns(const Table& table, Scan name, std::size_t n, std::size_t columns) {
  const std::size_t stride = columns + 3;
  std::vector<T> in = random_values<T>(n * stride, n), turned(columns * n), along(columns * n);
  if (name == Scan::cumprod) {
    for (T& x : in) x = std::is_floating_point_v<T> ? T(1) + x / T(100) : (x == 0 ? T(3) : x);
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < columns; ++j) turned[j * n + i] = in[i * stride + j];
  table.scan[static_cast<std::size_t>(name)][kIndex<T>](along.data(), turned.data(), columns, n);
  Guarded<T> out(n * stride);
  std::fill(out.data(), out.data() + n * stride, T(7));
  table.scan_columns[static_cast<std::size_t>(name)][kIndex<T>](out.data(), in.data(), n, columns, stride);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < stride; ++j)
      EXPECT_EQ(out[i * stride + j], j < columns ? along[j * n + i] : T(7)) << i << ", " << j;
  EXPECT_TRUE(out.intact());
}

TEST(KernelsScan, columns) {
  for_each_table([](const Table& table) {
    for (const Scan name : {Scan::cumsum, Scan::cumprod}) {
      for (const std::size_t columns : {1, 2, 15, 33, 128, 300}) {
        check_columns<std::int64_t>(table, name, 9, columns);
        check_columns<float>(table, name, 9, columns);
        check_columns<double>(table, name, 9, columns);
      }
    }
  });
}

TEST(KernelsScan, many_lengths) {
  for_each_table([](const Table& table) {
    for (const Scan name : {Scan::cumsum, Scan::cumprod}) {
      for (std::size_t n = 0; n <= 67; ++n) {
        for (const std::size_t rows : {1, 3, 9}) {
          check_scan<std::int64_t>(table, name, rows, n);
          check_scan<float>(table, name, rows, n);
          check_scan<double>(table, name, rows, n);
        }
      }
      check_scan<float>(table, name, 2, 3000);
      check_scan<double>(table, name, 2, 3000);
    }
  });
}

template <class T>
void check_positions(const Table& table, Scan name, std::size_t rows, std::size_t n) {
  std::vector<T> in = random_values<T>(rows * n, n);
  for (std::size_t i = 0; i < rows * n; ++i) {
    if (i % 3 == 1) in[i] = in[i - 1];
    if (std::is_floating_point_v<T> && i % 50 == 45) in[i] = std::numeric_limits<T>::quiet_NaN();
  }
  Guarded<std::int64_t> out(rows * n);
  table.scan[static_cast<std::size_t>(name)][kIndex<T>](out.data(), in.data(), rows, n);
  for (std::size_t r = 0; r < rows; ++r) {
    std::size_t at = r * n;
    for (std::size_t i = r * n; i < (r + 1) * n; ++i) {
      const bool later_wins = name == Scan::cummax_positions ? !(in[i] < in[at]) : !(in[i] > in[at]);
      if (in[i] != in[i] || (in[at] == in[at] && later_wins)) at = i;
      EXPECT_EQ(out[i], static_cast<std::int64_t>(at - r * n)) << i;
    }
  }
  EXPECT_TRUE(out.intact());
}

TEST(KernelsScan, positions_of_extremes) {
  for_each_table([](const Table& table) {
    for (const Scan name : {Scan::cummax_positions, Scan::cummin_positions}) {
      for (const std::size_t n : {0, 1, 2, 7, 100}) {
        check_positions<std::int64_t>(table, name, 3, n);
        check_positions<float>(table, name, 3, n);
        check_positions<double>(table, name, 3, n);
      }
    }
  });
}

TEST(KernelsScan, nan_and_infinity_reach_only_what_follows) {
  for_each_table([](const Table& table) {
    std::vector<float> in(100, 1.0f), out(100);
    in[40] = std::numeric_limits<float>::infinity();
    in[70] = std::numeric_limits<float>::quiet_NaN();
    for (const Scan name : {Scan::cumsum, Scan::cumprod}) {
      table.scan[static_cast<std::size_t>(name)][kIndex<float>](out.data(), in.data(), 1, in.size());
      for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(out[i], name == Scan::cumsum ? static_cast<float>(i + 1) : 1.0f);
      for (std::size_t i = 40; i < 70; ++i) EXPECT_EQ(out[i], in[40]);
      for (std::size_t i = 70; i < 100; ++i) EXPECT_TRUE(std::isnan(out[i]));
    }
  });
}

}  // namespace
}  // namespace lamina::kernels
