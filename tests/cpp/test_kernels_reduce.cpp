// Every reduction, along rows and down columns, of every type and instruction set.
#include <gtest/gtest.h>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

const char* const kNames[] = {
#define LAMINA_REDUCE(name, domain) #name,
#include "support/kernel_list.inc"
};

template <class T>
bool is_nan(T x) {
  if constexpr (std::is_floating_point_v<T>)
    return std::isnan(x);
  else
    return false;
}

// Element by element, the integers modulo 2^64 and the floats in long double.
template <class T>
struct Expected {
  static constexpr bool kFloating = std::is_floating_point_v<T>;
  using Wide = std::conditional_t<kFloating, long double, std::uint64_t>;
  Wide sum = 0, prod = 1;
  long double magnitude = 0;
  std::size_t argmax = 0, argmin = 0;
  bool any = false, all = true;

  template <class At>
  Expected(std::size_t n, At at) {
    for (std::size_t i = 0; i < n; ++i) {
      const T x = at(i);
      sum += static_cast<Wide>(x);
      prod *= static_cast<Wide>(x);
      magnitude += std::fabs(static_cast<long double>(x));
      any = any || x != T(0);
      all = all && x != T(0);
      if (!is_nan(at(argmax)) && (is_nan(x) || x > at(argmax))) argmax = i;
      if (!is_nan(at(argmin)) && (is_nan(x) || x < at(argmin))) argmin = i;
    }
  }
};

template <class T>
void expect_same(T got, T expected, const std::string& what) {
  EXPECT_TRUE(got == expected || (is_nan(got) && is_nan(expected)))
      << what << ": expected " << +expected << ", got " << +got;
}

// Compares results[column] of one reduction with what the columns (or rows) at(column, i) give.
template <class T, class At>
void compare(Reduce name, const void* results, std::size_t count, std::size_t n, At at) {
  const T* values = static_cast<const T*>(results);
  const Bool* truths = static_cast<const Bool*>(results);
  const std::int64_t* indices = static_cast<const std::int64_t*>(results);
  for (std::size_t j = 0; j < count; ++j) {
    const auto element = [&](std::size_t i) { return at(j, i); };
    const Expected<T> expected(n, element);
    const std::string what = std::string(kNames[static_cast<std::size_t>(name)]) + " of " + std::to_string(n) + " " +
                             lamina::name_of(DTypeOf<T>::value) + ", result " + std::to_string(j) + " of " +
                             std::to_string(count);
    switch (name) {
      case Reduce::sum:
        if constexpr (std::is_floating_point_v<T>) {
          if (is_nan(static_cast<T>(expected.sum))) {
            EXPECT_TRUE(is_nan(values[j])) << what;
          } else {
            // Pairwise: the error grows with the depth of the tree, at least that of a block's chains.
            const double bound = (4 + std::log2(n + 1.0)) * std::numeric_limits<T>::epsilon() / 2;
            EXPECT_LE(std::fabs(values[j] - expected.sum), bound * expected.magnitude) << what;
          }
        } else {
          expect_same(values[j], static_cast<T>(expected.sum), what);
        }
        break;
      case Reduce::prod:
        if constexpr (std::is_floating_point_v<T>) {
          if (is_nan(static_cast<T>(expected.prod))) {
            EXPECT_TRUE(is_nan(values[j])) << what;
          } else if (std::fabs(expected.prod) < std::numeric_limits<T>::max()) {
            const double bound = static_cast<double>(n) * std::numeric_limits<T>::epsilon();
            EXPECT_LE(std::fabs(values[j] - expected.prod),
                      bound * std::fabs(expected.prod) + static_cast<double>(n) * std::numeric_limits<T>::denorm_min())
                << what;
          }
        } else {
          expect_same(values[j], static_cast<T>(expected.prod), what);
        }
        break;
      case Reduce::amax:
        expect_same(values[j], element(expected.argmax), what);
        break;
      case Reduce::amin:
        expect_same(values[j], element(expected.argmin), what);
        break;
      case Reduce::any:
        EXPECT_EQ(truths[j].byte, expected.any ? 1 : 0) << what;
        break;
      case Reduce::all:
        EXPECT_EQ(truths[j].byte, expected.all ? 1 : 0) << what;
        break;
      case Reduce::argmax:
        EXPECT_EQ(indices[j], static_cast<std::int64_t>(expected.argmax)) << what;
        break;
      case Reduce::argmin:
        EXPECT_EQ(indices[j], static_cast<std::int64_t>(expected.argmin)) << what;
        break;
      case Reduce::kCount:
        FAIL();
    }
  }
}

bool needs_elements(Reduce name) {
  return name == Reduce::amax || name == Reduce::amin || name == Reduce::argmax || name == Reduce::argmin;
}

// Products of moderate values overflow at once; values near 1 tell a wrong product.
template <class T>
std::vector<T> operand(Reduce name, std::size_t n, std::uint64_t seed) {
  std::vector<T> values = random_values<T>(n, seed);
  if constexpr (std::is_floating_point_v<T>) {
    if (name == Reduce::prod) {
      for (T& x : values) x = 1 + x / static_cast<T>(8 * (n + 1));
    }
  }
  return values;
}

template <class T>
void check_rows(const Table& table, Reduce name, const std::vector<T>& in, std::size_t rows, std::size_t n) {
  if (n == 0 && needs_elements(name)) return;
  // 8 bytes a result hold any result.
  Guarded<std::int64_t> result(rows);
  table.reduce_rows[static_cast<std::size_t>(name)][kIndex<T>](result.data(), in.data(), rows, n);
  compare<T>(name, result.data(), rows, n, [&](std::size_t row, std::size_t i) { return in[row * n + i]; });
  EXPECT_TRUE(result.intact());
}

template <class T>
void check_columns(const Table& table, Reduce name, const std::vector<T>& in, std::size_t n, std::size_t columns,
                   std::size_t stride) {
  if (n == 0 && needs_elements(name)) return;
  Guarded<std::int64_t> result(columns);
  table.reduce_columns[static_cast<std::size_t>(name)][kIndex<T>](result.data(), in.data(), n, columns, stride);
  compare<T>(name, result.data(), columns, n,
             [&](std::size_t column, std::size_t i) { return in[i * stride + column]; });
  EXPECT_TRUE(result.intact());
}

template <class F>
void for_each_reduction(F f) {
  for_each_table([&](const Table& table) {
    for_each_type([&]<class T>() {
      for (std::size_t i = 0; i < kReduceCount; ++i) {
        ASSERT_EQ(table.reduce_rows[i][kIndex<T>] == nullptr, table.reduce_columns[i][kIndex<T>] == nullptr);
        if (table.reduce_rows[i][kIndex<T>] != nullptr) f.template operator()<T>(table, static_cast<Reduce>(i));
      }
    });
  });
}

TEST(KernelsReduce, table_has_exactly_the_listed_types) {
  for_each_table([](const Table& table) {
    for (std::size_t i = 0; i < kReduceCount; ++i) {
      const Reduce name = static_cast<Reduce>(i);
      EXPECT_EQ(table.reduce_rows[i][index_of(DType::kBool)] == nullptr, name == Reduce::sum || name == Reduce::prod);
      for (std::size_t d = 1; d < kDTypeCount; ++d)
        EXPECT_EQ(table.reduce_rows[i][d] == nullptr, is_composed(static_cast<DType>(d))) << kNames[i];
    }
  });
}

TEST(KernelsReduce, rows_of_many_lengths) {
  for_each_reduction([]<class T>(const Table& table, Reduce name) {
    for (std::size_t n = 0; n <= 67; ++n) check_rows<T>(table, name, operand<T>(name, 5 * n, n), 5, n);
    for (const std::size_t n : {511, 512, 1023, 1024, 1025, 2048, 4097, 10000}) {
      check_rows<T>(table, name, operand<T>(name, 2 * n, n), 2, n);
    }
  });
}

TEST(KernelsReduce, columns_of_many_shapes) {
  for_each_reduction([]<class T>(const Table& table, Reduce name) {
    for (std::size_t columns = 0; columns <= 67; columns += (columns < 20 ? 1 : 13)) {
      for (const std::size_t n : {0, 1, 2, 7, 8, 9, 31, 100}) {
        const std::size_t stride = columns + 3;
        check_columns<T>(table, name, operand<T>(name, n * stride + columns, n), n, columns, stride);
      }
    }
    check_columns<T>(table, name, operand<T>(name, 40 * 1111, 1), 40, 1111, 1111);
    check_columns<T>(table, name, operand<T>(name, 9000 * 3, 1), 9000, 3, 3);
    check_columns<T>(table, name, operand<T>(name, 9000, 1), 9000, 1, 1);
  });
}

TEST(KernelsReduce, nan_wins_and_first_of_equals) {
  for_each_reduction([]<class T>(const Table& table, Reduce name) {
    if (!needs_elements(name)) return;
    for (const std::size_t n : {1, 3, 10, 64, 100, 1500, 5000}) {
      std::vector<T> in(n, T(1));
      check_rows<T>(table, name, in, 1, n);
      in[n / 2] = in[n - 1] = T(0);
      check_rows<T>(table, name, in, 1, n);
      check_columns<T>(table, name, in, n, 1, 1);
      if constexpr (std::is_floating_point_v<T>) {
        using L = std::numeric_limits<T>;
        for (const T special : {L::quiet_NaN(), L::infinity(), -L::infinity()}) {
          std::vector<T> with_special = in;
          with_special[n / 3] = special;
          check_rows<T>(table, name, with_special, 1, n);
          with_special[n / 2] = L::quiet_NaN();
          with_special[n - 1] = L::quiet_NaN();
          check_rows<T>(table, name, with_special, 1, n);
          check_columns<T>(table, name, with_special, n, 1, 1);
          if (n % 10 == 0) check_columns<T>(table, name, with_special, n / 10, 10, 10);
        }
        check_rows<T>(table, name, std::vector<T>(n, -L::infinity()), 1, n);
        check_rows<T>(table, name, std::vector<T>(n, L::quiet_NaN()), 1, n);
      }
    }
  });
}

TEST(KernelsReduce, any_and_all_find_a_single_element) {
  for_each_reduction([]<class T>(const Table& table, Reduce name) {
    if (name != Reduce::any && name != Reduce::all) return;
    for (const std::size_t n : {1, 10, 1023, 1024, 1025, 3000}) {
      for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
        std::vector<T> in(n, T(name == Reduce::all ? 1 : 0));
        check_rows<T>(table, name, in, 1, n);
        in[at] = T(name == Reduce::all ? 0 : 1);
        check_rows<T>(table, name, in, 1, n);
        check_columns<T>(table, name, in, n, 1, 1);
      }
    }
  });
}

// A plain running sum of 4 million times 0.1f is off by more than a percent.
TEST(KernelsReduce, long_sums_are_accurate) {
  for_each_table([](const Table& table) {
    const std::size_t n = 4000003;
    const std::vector<float> in(n, 0.1f);
    float sum = 0;
    const std::size_t name = static_cast<std::size_t>(Reduce::sum);
    table.reduce_rows[name][kIndex<float>](&sum, in.data(), 1, n);
    EXPECT_NEAR(sum, n * static_cast<double>(0.1f), 0.1);
    float columns[3];
    table.reduce_columns[name][kIndex<float>](columns, in.data(), n / 3, 3, 3);
    for (const float column : columns) EXPECT_NEAR(column, n / 3 * static_cast<double>(0.1f), 0.1);
  });
}

}  // namespace
}  // namespace lamina::kernels
