// Matrix products of every kernel table, and their division over threads, against plain loops over exact numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/table.h"
#include "runtime/matmul.h"
#include "runtime/thread_pool.h"
#include "support/dtype.h"

namespace lamina {
namespace {

using kernels::Activation;
using kernels::MatmulArgs;

template <typename T>
constexpr DType kTypeOf = std::is_same_v<T, float>          ? DType::kFloat32
                          : std::is_same_v<T, double>       ? DType::kFloat64
                          : std::is_same_v<T, std::int32_t> ? DType::kInt32
                                                            : DType::kInt64;

// Where the elements of a matrix lie. Each fills its allocation exactly, so that a sanitizer sees every stray read.
enum class Layout {
  kRows,
  kColumns,
  kPaddedRows,
  kPaddedColumns,
  kStepped,
  kReversed,
  kFlipped,
  kOneRow,
  kOneColumn,
  kHankel
};
constexpr Layout kLayouts[] = {Layout::kRows,      Layout::kColumns,  Layout::kPaddedRows, Layout::kPaddedColumns,
                               Layout::kStepped,   Layout::kReversed, Layout::kFlipped,    Layout::kOneRow,
                               Layout::kOneColumn, Layout::kHankel};

// A matrix of small whole numbers: their sums of products are exact in any order.
template <typename T>
struct Matrix {
  std::size_t rows, columns;
  std::ptrdiff_t row = 0, column = 0, origin = 0;
  std::vector<T> elements;

  Matrix(std::size_t r, std::size_t c, Layout layout, std::mt19937& random) : rows(r), columns(c) {
    const std::ptrdiff_t m = static_cast<std::ptrdiff_t>(r), n = static_cast<std::ptrdiff_t>(c);
    switch (layout) {
      case Layout::kRows:
        row = n, column = 1;
        break;
      case Layout::kColumns:
        row = 1, column = m;
        break;
      case Layout::kPaddedRows:
        row = n + 3, column = 1;
        break;
      case Layout::kPaddedColumns:
        row = 1, column = m + 5;
        break;
      case Layout::kStepped:
        row = 2 * n + 3, column = 2;
        break;
      case Layout::kReversed:
        row = -n, column = -1;
        break;
      case Layout::kFlipped:
        row = 1, column = -m;
        break;
      case Layout::kOneRow:
        row = 0, column = 1;
        break;
      case Layout::kOneColumn:
        row = 1, column = 0;
        break;
      case Layout::kHankel:
        row = 1, column = 1;
        break;
    }
    std::ptrdiff_t lowest = 0, highest = 0;
    if (m > 0 && n > 0) {
      for (const std::ptrdiff_t end : {row * (m - 1), column * (n - 1)}) (end < 0 ? lowest : highest) += end;
    }
    origin = -lowest;
    elements.resize(m > 0 && n > 0 ? static_cast<std::size_t>(highest - lowest + 1) : 0);
    std::uniform_int_distribution<int> numbers(-8, 8);
    for (T& element : elements) element = static_cast<T>(numbers(random));
  }

  const T* data() const { return elements.data() + origin; }
  T& at(std::size_t i, std::size_t j) {
    return elements[static_cast<std::size_t>(origin + static_cast<std::ptrdiff_t>(i) * row +
                                             static_cast<std::ptrdiff_t>(j) * column)];
  }
  T at(std::size_t i, std::size_t j) const { return const_cast<Matrix*>(this)->at(i, j); }
};

struct Free {
  void operator()(void* p) const { std::free(p); }
};

template <typename T>
constexpr T kUntouched = T(99);

// A product and its result, whose rows are `padding` elements longer than they need to be.
template <typename T>
struct Case {
  Matrix<T> a, b;
  std::vector<T> bias;  // empty: none
  Activation activation = Activation::kNone;
  std::size_t padding = 0;

  std::size_t stride() const { return b.columns + padding; }

  MatmulArgs args(std::vector<T>& c) const {
    return {a.rows,
            b.columns,
            a.columns,
            a.data(),
            a.row,
            a.column,
            b.data(),
            b.row,
            b.column,
            c.data(),
            static_cast<std::ptrdiff_t>(stride()),
            bias.empty() ? nullptr : bias.data(),
            activation,
            nullptr};
  }

  std::vector<T> untouched() const { return std::vector<T>(a.rows * stride(), kUntouched<T>); }

  std::vector<T> by_table(const kernels::Table& table) const {
    std::vector<T> c = untouched();
    MatmulArgs product = args(c);
    const std::size_t bytes = table.matmul_workspace[index_of(kTypeOf<T>)](product);
    void* workspace = nullptr;
    if (bytes != 0 && posix_memalign(&workspace, 64, bytes) != 0) ADD_FAILURE() << "no memory";
    const std::unique_ptr<void, Free> owner(workspace);
    if (bytes != 0) std::memset(workspace, 0xff, bytes);  // NaNs: nothing may be read before it is written
    product.workspace = workspace;
    table.matmul[index_of(kTypeOf<T>)](product);
    return c;
  }

  std::vector<T> by_runtime() const {
    std::vector<T> c = untouched();
    const std::ptrdiff_t none[] = {0};
    runtime::matmul(kTypeOf<T>, args(c), none, none, none);
    return c;
  }

  std::vector<T> by_plain_loops() const {
    std::vector<T> c = untouched();
    for (std::size_t i = 0; i < a.rows; ++i) {
      for (std::size_t j = 0; j < b.columns; ++j) {
        T sum = bias.empty() ? T(0) : bias[j];
        for (std::size_t p = 0; p < a.columns; ++p) sum += a.at(i, p) * b.at(p, j);
        c[i * stride() + j] = activation == Activation::kRelu && sum < T(0) ? T(0) : sum;
      }
    }
    return c;
  }
};

std::mt19937 random_numbers(20260822);

template <typename T>
Case<T> make_case(std::size_t m, std::size_t n, std::size_t k, Layout a = Layout::kRows, Layout b = Layout::kRows) {
  return {Matrix<T>(m, k, a, random_numbers), Matrix<T>(k, n, b, random_numbers), {}, Activation::kNone, 0};
}

template <typename T>
void add_epilogue(Case<T>& product) {
  for (std::size_t j = 0; j < product.b.columns; ++j)
    product.bias.push_back(static_cast<T>(static_cast<int>(j % 7) - 3));
  product.activation = Activation::kRelu;
}

template <typename T>
std::string text_of(const Case<T>& x) {
  return std::to_string(x.a.rows) + "x" + std::to_string(x.a.columns) + "x" + std::to_string(x.b.columns) + " a(" +
         std::to_string(x.a.row) + "," + std::to_string(x.a.column) + ") b(" + std::to_string(x.b.row) + "," +
         std::to_string(x.b.column) + ")" + (x.bias.empty() ? "" : " bias") +
         (x.activation == Activation::kRelu ? " relu" : "") + " " + name_of(kTypeOf<T>);
}

template <typename T>
void expect_exact(const Case<T>& product) {
  const std::vector<T> expected = product.by_plain_loops();
  for (const kernels::Table* const* table = kernels::available_tables(); *table != nullptr; ++table) {
    EXPECT_TRUE(product.by_table(**table) == expected) << text_of(product) << " by " << (*table)->isa;
  }
  EXPECT_TRUE(product.by_runtime() == expected) << text_of(product) << " by the runtime";
}

template <typename T>
class Matmul : public ::testing::Test {};
template <typename T>
class MatmulFloat : public ::testing::Test {};
template <typename T>
class MatmulInteger : public ::testing::Test {};
using Numbers = ::testing::Types<float, double, std::int32_t, std::int64_t>;
using Floats = ::testing::Types<float, double>;
using Integers = ::testing::Types<std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(Matmul, Numbers);
TYPED_TEST_SUITE(MatmulFloat, Floats);
TYPED_TEST_SUITE(MatmulInteger, Integers);

constexpr std::size_t kSizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 14, 15, 17, 31, 32, 33, 65};

TYPED_TEST(Matmul, every_small_size_in_all_transpose_forms) {
  const Layout forms[] = {Layout::kRows, Layout::kColumns};
  for (const std::size_t m : kSizes) {
    for (const std::size_t n : kSizes) {
      for (const std::size_t k : {1u, 3u, 4u, 10u, 17u, 35u}) {
        for (const Layout a : forms) {
          for (const Layout b : forms) {
            Case<TypeParam> product = make_case<TypeParam>(m, n, k, a, b);
            if ((m + n + k) % 2 == 0) add_epilogue(product);
            expect_exact(product);
          }
        }
      }
    }
  }
}

TYPED_TEST(Matmul, every_pair_of_layouts) {
  const std::size_t shapes[][3] = {{1, 40, 37}, {40, 1, 37}, {1, 1, 37},   {3, 21, 37}, {4, 70, 5},
                                   {5, 6, 19},  {16, 33, 2}, {23, 45, 67}, {30, 200, 9}};
  for (const auto& [m, n, k] : shapes) {
    for (const Layout a : kLayouts) {
      for (const Layout b : kLayouts) {
        Case<TypeParam> product = make_case<TypeParam>(m, n, k, a, b);
        product.padding = 3;
        expect_exact(product);
        add_epilogue(product);
        expect_exact(product);
      }
    }
  }
}

TYPED_TEST(MatmulFloat, large_enough_for_several_blocks) {
  const std::size_t shapes[][3] = {{200, 150, 300}, {170, 530, 1100}, {9, 700, 1030}, {3, 300, 2100},
                                   {600, 3, 777},   {300, 1, 2050},   {1, 1100, 900}, {700, 33, 129}};
  for (const auto& [m, n, k] : shapes) {
    for (const Layout a : {Layout::kRows, Layout::kPaddedColumns}) {
      for (const Layout b : {Layout::kPaddedRows, Layout::kColumns, Layout::kStepped}) {
        Case<TypeParam> product = make_case<TypeParam>(m, n, k, a, b);
        product.padding = 1;
        add_epilogue(product);
        expect_exact(product);
      }
    }
  }
}

TYPED_TEST(MatmulInteger, large_enough_to_be_divided) {
  for (const Layout b : {Layout::kRows, Layout::kColumns}) {
    expect_exact(make_case<TypeParam>(150, 140, 60, Layout::kPaddedRows, b));
    expect_exact(make_case<TypeParam>(2, 700, 300, Layout::kColumns, b));
  }
}

TYPED_TEST(Matmul, empty_sums_are_zero_or_the_bias) {
  for (const std::size_t m : {1u, 3u, 20u}) {
    for (const std::size_t n : {1u, 5u, 40u}) {
      Case<TypeParam> product = make_case<TypeParam>(m, n, 0);
      expect_exact(product);
      add_epilogue(product);
      expect_exact(product);
    }
  }
}

TYPED_TEST(Matmul, empty_results_touch_nothing) {
  for (const std::size_t m : {0u, 3u}) {
    for (const std::size_t n : {0u, 5u}) {
      if (m * n != 0) continue;
      Case<TypeParam> product = make_case<TypeParam>(m, n, 7);
      product.padding = 2;
      expect_exact(product);
    }
  }
}

TYPED_TEST(MatmulInteger, wraps_around) {
  using Unsigned = std::make_unsigned_t<TypeParam>;
  constexpr TypeParam kLarge = std::numeric_limits<TypeParam>::max();
  const Unsigned square = static_cast<Unsigned>(kLarge) * static_cast<Unsigned>(kLarge - 2);
  for (const Layout layout : {Layout::kRows, Layout::kColumns}) {
    Case<TypeParam> product = make_case<TypeParam>(2, 3, 5, Layout::kRows, layout);
    for (TypeParam& element : product.a.elements) element = kLarge;
    for (TypeParam& element : product.b.elements) element = kLarge - 2;
    EXPECT_EQ(product.by_runtime(), std::vector<TypeParam>(6, static_cast<TypeParam>(5u * square)));
  }
}

TYPED_TEST(Matmul, batch_entries_are_independent) {
  constexpr std::size_t kEntries = 37;
  for (const std::size_t size : {3u, 20u, 65u}) {
    const Case<TypeParam> whole = make_case<TypeParam>(size * kEntries, size + 2, size + 1);
    std::vector<TypeParam> c(kEntries * size * (size + 2), kUntouched<TypeParam>);
    std::vector<std::ptrdiff_t> a_offsets, b_offsets, c_offsets;
    for (std::size_t e = 0; e < kEntries; ++e) {
      // Entries in another order than memory's; all share one b, as a broadcast does.
      const std::size_t place = e * 5 % kEntries;
      a_offsets.push_back(static_cast<std::ptrdiff_t>(place * size * (size + 1)));
      b_offsets.push_back(0);
      c_offsets.push_back(static_cast<std::ptrdiff_t>(place * size * (size + 2)));
    }
    MatmulArgs entry = whole.args(c);
    entry.m = size;
    runtime::matmul(kTypeOf<TypeParam>, entry, a_offsets, b_offsets, c_offsets);
    EXPECT_TRUE(c == whole.by_plain_loops()) << "entries of size " << size;
  }
}

TYPED_TEST(Matmul, no_batch_entries_do_nothing) {
  const Case<TypeParam> product = make_case<TypeParam>(4, 4, 4);
  std::vector<TypeParam> c = product.untouched();
  runtime::matmul(kTypeOf<TypeParam>, product.args(c), {}, {}, {});
  EXPECT_TRUE(c == product.untouched());
}

TYPED_TEST(MatmulFloat, nan_and_infinity_go_where_they_belong) {
  constexpr TypeParam kNan = std::numeric_limits<TypeParam>::quiet_NaN();
  constexpr TypeParam kInfinity = std::numeric_limits<TypeParam>::infinity();
  const std::size_t shapes[][3] = {{1, 40, 19}, {2, 9, 37},  {4, 21, 23},   {40, 1, 19},
                                   {15, 33, 7}, {8, 10, 64}, {170, 40, 300}};
  for (const auto& [m, n, k] : shapes) {
    for (const Layout a : {Layout::kRows, Layout::kColumns}) {
      for (const Layout b : {Layout::kRows, Layout::kColumns}) {
        for (const Activation activation : {Activation::kNone, Activation::kRelu}) {
          Case<TypeParam> product = make_case<TypeParam>(m, n, k, a, b);
          for (TypeParam& element : product.a.elements) element = TypeParam(1);
          product.activation = activation;
          product.a.at(m / 2, k - 1) = kNan;
          product.b.at(k / 2, n - 1) = kInfinity;
          for (const kernels::Table* const* table = kernels::available_tables(); *table != nullptr; ++table) {
            const std::vector<TypeParam> c = product.by_table(**table);
            for (std::size_t i = 0; i < m; ++i) {
              for (std::size_t j = 0; j < n; ++j) {
                const TypeParam found = c[i * n + j];
                if (i == m / 2) {
                  ASSERT_TRUE(std::isnan(found)) << text_of(product) << " by " << (*table)->isa;
                } else if (j == n - 1) {
                  ASSERT_EQ(found, kInfinity) << text_of(product) << " by " << (*table)->isa;
                } else {
                  ASSERT_TRUE(std::isfinite(found)) << text_of(product) << " by " << (*table)->isa;
                }
              }
            }
          }
        }
      }
    }
  }
}

// Rounding: within the bound of a sum of k terms against double (long double for double) arithmetic.
TYPED_TEST(MatmulFloat, random_reals_round_within_the_bound) {
  using Wide = std::conditional_t<std::is_same_v<TypeParam, float>, double, long double>;
  std::normal_distribution<double> normal;
  const std::size_t shapes[][3] = {{1, 50, 1000}, {50, 1, 1000}, {3, 40, 777}, {40, 30, 1500}, {180, 70, 600}};
  for (const auto& [m, n, k] : shapes) {
    for (const Layout b : {Layout::kRows, Layout::kColumns}) {
      Case<TypeParam> product = make_case<TypeParam>(m, n, k, Layout::kRows, b);
      for (TypeParam& element : product.a.elements) element = static_cast<TypeParam>(normal(random_numbers));
      for (TypeParam& element : product.b.elements) element = static_cast<TypeParam>(normal(random_numbers));
      for (const kernels::Table* const* table = kernels::available_tables(); *table != nullptr; ++table) {
        const std::vector<TypeParam> c = product.by_table(**table);
        for (std::size_t i = 0; i < m; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            Wide sum = 0, magnitude = 0;
            for (std::size_t p = 0; p < k; ++p) {
              const Wide term = Wide(product.a.at(i, p)) * Wide(product.b.at(p, j));
              sum += term;
              magnitude += std::abs(term);
            }
            const Wide bound = magnitude * 8 * std::sqrt(Wide(k)) * std::numeric_limits<TypeParam>::epsilon() / 2;
            ASSERT_LE(std::abs(Wide(c[i * n + j]) - sum), bound) << text_of(product) << " by " << (*table)->isa;
          }
        }
      }
    }
  }
}

TYPED_TEST(MatmulFloat, the_number_of_threads_changes_no_bit) {
  const int before = runtime::num_threads();
  std::normal_distribution<double> normal;
  const std::size_t shapes[][3] = {{1, 784, 512}, {4, 700, 600},   {32, 512, 784}, {300, 500, 700}, {1200, 10, 300},
                                   {900, 1, 900}, {160, 650, 900}, {32, 65, 784},  {100, 129, 500}};
  for (const auto& [m, n, k] : shapes) {
    for (const Layout a : {Layout::kRows, Layout::kColumns}) {
      for (const Layout b : {Layout::kRows, Layout::kColumns}) {
        Case<TypeParam> product = make_case<TypeParam>(m, n, k, a, b);
        for (TypeParam& element : product.a.elements) element = static_cast<TypeParam>(normal(random_numbers));
        for (TypeParam& element : product.b.elements) element = static_cast<TypeParam>(normal(random_numbers));
        runtime::set_num_threads(1);
        const std::vector<TypeParam> alone = product.by_runtime();
        runtime::set_num_threads(3);
        EXPECT_TRUE(product.by_runtime() == alone) << text_of(product);
      }
    }
  }
  runtime::set_num_threads(before);
}

}  // namespace
}  // namespace lamina
