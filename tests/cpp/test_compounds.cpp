// Compound kernels against the kernels they stand for, and where plans use them.
#include <gtest/gtest.h>

#include "compile/find_compounds.h"
#include "compiled_program.h"
#include "kernel_operands.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using build::operator-;
using kernels::Table;
using testing::Compiled;
using testing::range;
using Instruction = ElementwiseStep::Instruction;

// What the formula says from `at` on, one kernel after the other.
template <class T>
std::vector<T> evaluate(const Table& table, const std::uint8_t*& at, const std::vector<std::vector<T>>& operands) {
  const std::uint8_t word = *at++;
  if (word >= kFormulaOperand) return operands[word - kFormulaOperand];
  const bool unary =
      word == static_cast<std::uint8_t>(Elementwise::sqrt) || word == static_cast<std::uint8_t>(Elementwise::square);
  std::vector<T> a = evaluate(table, at, operands), b = unary ? a : evaluate(table, at, operands);
  const void* in[] = {a.data(), b.data()};
  std::vector<T> result(a.size());
  table.elementwise[word][kernels::kIndex<T>](result.data(), in, a.size());
  return result;
}

template <class T>
void check(const Table& table, std::size_t number, std::size_t n, unsigned repeated) {
  std::vector<std::vector<T>> operands(kMostOperands), passed;
  const void* in[kMostOperands];
  std::size_t steps[kMostOperands];
  for (std::size_t k = 0; k < kMostOperands; ++k) {
    operands[k] = kernels::random_values<T>(n, static_cast<unsigned>(n + 10 * k));
    steps[k] = (repeated >> k & 1) != 0 ? 0 : 1;
    if (steps[k] == 0) operands[k].assign(n, T(k + 0.7));
    passed.push_back(operands[k]);
    if (steps[k] == 0) passed.back().assign(kernels::kRepeatedBytes / sizeof(T), T(k + 0.7));
  }
  for (std::size_t k = 0; k < kMostOperands; ++k) in[k] = passed[k].data();
  const std::uint8_t* at = compound_formulas()[number].data();
  const std::vector<T> expected = evaluate(table, at, operands);
  kernels::Guarded<T> result(n);
  const auto kernel = table.compound[number][kernels::kIndex<T>];
  kernel(result.data(), in, steps, n);
  EXPECT_TRUE(n == 0 || std::memcmp(result.data(), expected.data(), n * sizeof(T)) == 0)
      << table.isa << " compound " << number << ", " << n << " elements, repeated " << repeated;
  EXPECT_TRUE(result.intact());
  if (steps[0] == 0) return;
  kernel(passed[0].data(), in, steps, n);
  EXPECT_TRUE(n == 0 || std::memcmp(passed[0].data(), expected.data(), n * sizeof(T)) == 0) << "in place";
}

TEST(Compounds, have_the_bits_of_the_kernels_they_stand_for) {
  kernels::for_each_table([](const Table& table) {
    for (std::size_t number = 0; number < kCompoundCount; ++number) {
      for (std::size_t n = 0; n <= 67; ++n) {
        for (unsigned repeated : {0u, 0b101010u, 0b010101u}) {
          check<float>(table, number, n, repeated);
          check<double>(table, number, n, repeated);
        }
      }
    }
  });
}

class FindCompounds : public ::testing::Test {
 protected:
  Compiled c;
  ValuePtr a = range({4, 5}), b = range({4, 5}), row = range({5});

  std::vector<Instruction> instructions(std::initializer_list<ValuePtr> live) {
    c.read(live);
    c.finish();
    EXPECT_EQ(c.plan.steps.size(), 1u);
    return std::get<ElementwiseStep>(c.plan.steps.front()).instructions;
  }
};

TEST_F(FindCompounds, ASumOfAProductIsOne) {
  auto found = instructions({row + a * b});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, Instruction::Kind::kCompound);
  EXPECT_EQ(found[0].compound, Compound::multiply_add);
}

TEST_F(FindCompounds, TheLargestIsTaken) {
  auto found = instructions({a + (b - a) * row});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].compound, Compound::lerp);
}

TEST_F(FindCompounds, ADifferenceToAnotherIsNoLerp) {
  auto found = instructions({a + (b - row) * row});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1].compound, Compound::multiply_add);
}

TEST_F(FindCompounds, WhatIsLookedAtIsComputedAlone) {
  ValuePtr product = a * b, sum = product + row;
  EXPECT_EQ(instructions({product, sum}).size(), 2u);
}

TEST_F(FindCompounds, WhatIsReadTwiceIsComputedOnce) {
  ValuePtr product = a * b;
  EXPECT_EQ(instructions({(product + row) - product}).size(), 3u);
}

TEST_F(FindCompounds, IntegersHaveNone) {
  ValuePtr whole = build::cast(a, DType::kInt64);
  for (const Instruction& instruction : instructions({whole * whole + whole}))
    EXPECT_NE(instruction.kind, Instruction::Kind::kCompound);
}

}  // namespace
}  // namespace lamina
