// What must not change a bit of a matrix product: its cut into rows, stores past the caches, the number of threads.
#include "matmul_cases.h"
#include "runtime/stream.h"

namespace lamina {
namespace {

template <typename T>
class MatmulBits : public ::testing::Test {};
TYPED_TEST_SUITE(MatmulBits, Floats);

// Products of so few rows that they might be summed as dot products, which the whole is not.
TYPED_TEST(MatmulBits, rows_of_a_whole_have_its_bits) {
  std::normal_distribution<double> normal;
  for (const std::size_t m : {16u, 20u, 31u}) {
    Case<TypeParam> product = make_case<TypeParam>(m, 70, 600, Layout::kRows, Layout::kColumns);
    for (TypeParam& element : product.a.elements) element = static_cast<TypeParam>(normal(random_numbers));
    for (TypeParam& element : product.b.elements) element = static_cast<TypeParam>(normal(random_numbers));
    std::vector<TypeParam> whole = product.untouched(), parts = whole;
    runtime::matmul_alone(kTypeOf<TypeParam>, product.args(whole));
    for (const std::size_t begin : {0u, 8u}) {
      MatmulArgs part = product.args(parts);
      part.whole_m = m;
      part.m = begin == 0 ? 8 : m - 8;
      part.a = product.a.data() + static_cast<std::ptrdiff_t>(begin) * product.a.row;
      part.c = parts.data() + begin * product.stride();
      runtime::matmul_alone(kTypeOf<TypeParam>, part);
    }
    EXPECT_TRUE(parts == whole) << text_of(product);
  }
}

// Whole lines of the result, in tiles with and without columns left over, in one depth and in several.
TYPED_TEST(MatmulBits, results_past_the_caches_are_the_same) {
  struct alignas(64) Line {
    char bytes[64];
  };
  for (const auto& [m, n, k] :
       {std::tuple{1u, 96u, 33u}, {14u, 32u, 64u}, {30u, 200u, 7u}, {100u, 161u, 600u}, {90u, 130u, 2100u}}) {
    for (const Layout a : {Layout::kRows, Layout::kColumns}) {
      for (const Layout b : {Layout::kRows, Layout::kColumns, Layout::kFarRows}) {
        Case<TypeParam> product = make_case<TypeParam>(m, n, k, a, b);
        add_epilogue(product);
        product.padding = 256 - n;
        const std::vector<TypeParam> expected = product.by_plain_loops();
        std::vector<Line> lines(m * 256 * sizeof(TypeParam) / sizeof(Line));
        for (const kernels::Table* const* table = kernels::available_tables(); *table != nullptr; ++table) {
          std::memcpy(lines.data(), product.untouched().data(), lines.size() * sizeof(Line));
          std::vector<TypeParam> none;
          MatmulArgs args = product.args(none);
          args.c = lines.data();
          args.past_caches = true;
          std::vector<Line> workspace((*table)->matmul_workspace[index_of(kTypeOf<TypeParam>)](args) / 64 + 1);
          args.workspace = workspace.data();
          (*table)->matmul[index_of(kTypeOf<TypeParam>)](args);
          runtime::finish_streaming();
          EXPECT_EQ(std::memcmp(lines.data(), expected.data(), lines.size() * sizeof(Line)), 0)
              << text_of(product) << " by " << (*table)->isa;
        }
      }
    }
  }
}

TYPED_TEST(MatmulBits, the_number_of_threads_changes_no_bit) {
  const int before = runtime::num_threads();
  std::normal_distribution<double> normal;
  const std::size_t shapes[][3] = {
      {1, 784, 512},    {4, 700, 600},     {32, 512, 784},  {300, 500, 700}, {1200, 10, 300}, {7, 600, 500},
      {13, 700, 600},   {900, 1, 900},     {160, 650, 900}, {32, 65, 784},   {100, 129, 500}, {64, 10, 3000},
      {40, 32, 900},    {97, 33, 2100},    {300, 70, 90},   {520, 260, 300}, {50, 1100, 70},  {8, 2100, 2100},
      {300, 140, 1024}, {290, 1500, 1000}, {280, 200, 2100}};
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
