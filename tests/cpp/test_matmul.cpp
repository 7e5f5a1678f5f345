// Matrix products of every kernel table, and their division over threads, against plain loops over exact numbers.
#include "matmul_cases.h"

namespace lamina {
namespace {

template <typename T>
class Matmul : public ::testing::Test {};
template <typename T>
class MatmulFloat : public ::testing::Test {};
template <typename T>
class MatmulInteger : public ::testing::Test {};
using Numbers = ::testing::Types<float, double, std::int32_t, std::int64_t>;
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
  const std::size_t shapes[][3] = {{200, 150, 300}, {170, 530, 1100}, {9, 700, 1030}, {3, 300, 2100}, {600, 3, 777},
                                   {300, 1, 2050},  {1, 1100, 900},   {700, 33, 129}, {1100, 140, 40}};
  for (const auto& [m, n, k] : shapes) {
    for (const Layout a : {Layout::kRows, Layout::kPaddedColumns}) {
      for (const Layout b : {Layout::kPaddedRows, Layout::kFarRows, Layout::kColumns, Layout::kStepped}) {
        Case<TypeParam> product = make_case<TypeParam>(m, n, k, a, b);
        product.padding = 1;
        add_epilogue(product);
        expect_exact(product);
      }
    }
  }
}

// Too deep to be read in place: the first panel of rows packs b's whole panels, the last one is packed before. All are
// where b's rows are far apart.
TYPED_TEST(MatmulFloat, panels_packed_by_their_first_reader) {
  for (const std::size_t m : {7u, 12u, 13u, 15u, 29u, 75u}) {
    for (const std::size_t n : {16u, 17u, 31u, 32u, 33u, 64u, 65u, 127u, 128u, 129u}) {
      for (const Layout b : {Layout::kPaddedRows, Layout::kFarRows}) {
        Case<TypeParam> product = make_case<TypeParam>(m, n, 521, Layout::kRows, b);
        if (n % 2 == 0) add_epilogue(product);
        expect_exact(product);
      }
    }
  }
}

// Rows of a that lie a multiple of 4 KB apart, or fill more than half a megabyte, and stream past up to three panels of
// columns: in panels of every height, of one depth and of several, as they are and as the columns of a turned product.
TYPED_TEST(MatmulFloat, rows_that_stream_past_few_columns) {
  for (const std::size_t n : {4u, 8u, 16u, 17u, 32u, 33u, 48u, 64u, 95u}) {
    for (const auto& [m, k] : {std::pair{8u, 1024u}, {13u, 2048u}, {65u, 1024u}, {150u, 1030u}, {260u, 2048u}}) {
      Case<TypeParam> rows =
          make_case<TypeParam>(m, n, k, Layout::kRows, n % 2 == 0 ? Layout::kRows : Layout::kColumns);
      add_epilogue(rows);
      expect_exact(rows);
      Case<TypeParam> turned = make_case<TypeParam>(n, m, k, Layout::kRows, Layout::kColumns);
      add_tail(turned, 31);
      expect_exact(turned);
    }
  }
}

// Columns of a b of more than 16 MB, whose blocks are packed while others are multiplied: of one panel of rows and of
// many, with columns left over, of depths whose turns do not come out even.
TYPED_TEST(MatmulFloat, few_rows_of_a_large_b) {
  for (const auto& [k, whole] : {std::pair{1030u, 4200u}, {2049u, 2100u}, {4096u, 1040u}}) {
    const Matrix<TypeParam> b(k, whole, Layout::kRows, random_numbers);
    for (const std::size_t m : {7u, 14u, 15u, 29u, 128u}) {
      for (const std::size_t n : {128u, 130u, 257u}) {
        Case<TypeParam> product = {Matrix<TypeParam>(m, k, Layout::kRows, random_numbers), b};
        product.b.columns = n;
        if (n % 2 == 0) add_tail(product, 31);
        expect_exact(product);
      }
    }
  }
}

TYPED_TEST(MatmulFloat, tails_of_every_small_size) {
  unsigned turn = 0;
  for (const std::size_t m : kSizes) {
    for (const std::size_t n : kSizes) {
      if (n == 1) continue;  // columns have none
      for (const std::size_t k : {0u, 1u, 4u, 17u, 35u}) {
        for (const Layout a : {Layout::kRows, Layout::kColumns}) {
          for (const Layout b : {Layout::kRows, Layout::kColumns}) {
            Case<TypeParam> product = make_case<TypeParam>(m, n, k, a, b);
            product.padding = turn % 3;
            if (turn % 2 == 0) add_epilogue(product);
            add_tail(product, kTails[turn++ % std::size(kTails)]);
            expect_exact(product);
          }
        }
      }
    }
  }
}

// Rows read in place and packed, columns packed at once and by their first reader, products turned round (16 and 32
// rows), sums in several parts, dot products; divided over threads.
TYPED_TEST(MatmulFloat, tails_on_every_path) {
  const std::size_t shapes[][3] = {{1, 40, 37},     {2, 70, 300},   {3, 21, 200},     {4, 300, 2100},  {9, 700, 1030},
                                   {29, 65, 521},   {200, 150, 90}, {170, 130, 1100}, {1100, 140, 40}, {600, 3, 77},
                                   {300, 33, 2050}, {16, 70, 300},  {32, 605, 1100},  {5, 33, 96},     {7, 130, 240},
                                   {10, 70, 300},   {15, 200, 250}};
  for (const auto& [m, n, k] : shapes) {
    for (const Layout a : {Layout::kRows, Layout::kPaddedColumns}) {
      for (const Layout b : {Layout::kPaddedRows, Layout::kColumns, Layout::kStepped}) {
        Case<TypeParam> product = make_case<TypeParam>(m, n, k, a, b);
        product.padding = 1;
        add_epilogue(product);
        add_tail(product, b == Layout::kColumns ? 15 : 31);
        expect_exact(product);
      }
    }
  }
}

// The mask of NaN hides nothing, as relu's gradient at NaN; -0 is not positive; an update is rounded twice.
TYPED_TEST(MatmulFloat, tails_give_the_bits_of_single_operations) {
  std::normal_distribution<double> normal;
  for (const std::size_t m : {1u, 3u, 15u, 40u}) {
    for (const std::size_t n : {2u, 5u, 33u, 140u}) {
      for (const Layout b : {Layout::kRows, Layout::kColumns}) {
        Case<TypeParam> product = make_case<TypeParam>(m, n, 70, Layout::kRows, b);
        for (TypeParam& element : product.a.elements) element = static_cast<TypeParam>(normal(random_numbers));
        Case<TypeParam> plain = product;
        add_tail(product, 4 + 8);
        for (TypeParam& element : product.base) element = static_cast<TypeParam>(normal(random_numbers));
        product.rate = static_cast<TypeParam>(normal(random_numbers));
        product.mask[0] = std::numeric_limits<TypeParam>::quiet_NaN();
        product.mask[1] = TypeParam(-0.0);
        for (const kernels::Table* const* table = kernels::available_tables(); *table != nullptr; ++table) {
          const std::vector<TypeParam> found = product.by_table(**table), sums = plain.by_table(**table);
          for (std::size_t i = 0; i < m * n; ++i) {
            const TypeParam kept = product.mask[i] <= TypeParam(0) ? TypeParam(0) : sums[i];
            volatile TypeParam scaled = kept * product.rate;
            ASSERT_EQ(found[i], kept) << text_of(product) << " by " << (*table)->isa;
            ASSERT_EQ(found[m * n + i], product.base[i] - scaled) << text_of(product) << " by " << (*table)->isa;
          }
        }
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

TYPED_TEST(MatmulFloat, tails_of_batch_entries_lie_beside_them) {
  constexpr std::size_t kEntries = 5;
  for (const std::size_t size : {3u, 20u, 65u}) {
    Case<TypeParam> whole = make_case<TypeParam>(size * kEntries, size + 2, size + 1);
    add_tail(whole, 31);
    std::vector<TypeParam> c = whole.untouched();
    std::vector<std::ptrdiff_t> a_offsets, b_offsets(kEntries, 0), c_offsets;
    for (std::size_t e = 0; e < kEntries; ++e) {
      a_offsets.push_back(static_cast<std::ptrdiff_t>(e * size * (size + 1)));
      c_offsets.push_back(static_cast<std::ptrdiff_t>(e * size * (size + 2)));
    }
    const MatmulTail more = whole.tail(c);
    MatmulArgs entry = whole.args(c, &more);
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
  const std::size_t shapes[][3] = {{1, 50, 1000},  {50, 1, 1000}, {3, 40, 777},  {40, 30, 1500},
                                   {180, 70, 600}, {6, 40, 777},  {13, 50, 1000}};
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

}  // namespace
}  // namespace lamina
