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

template <class T>
void check_sum(const Table& table, SumOf name, std::size_t n, bool repeated) {
  std::vector<T> x = kernels::random_values<T>(n, 1), y = kernels::random_values<T>(n, 2), terms(n);
  std::vector<T> copies(kernels::kRepeatedBytes / sizeof(T), T(0.7));
  if (repeated) y.assign(n, T(0.7));
  const auto compute = [&](Elementwise kernel, const std::vector<T>& a, const std::vector<T>& b) {
    const void* in[] = {a.data(), b.data()};
    table.elementwise[static_cast<std::size_t>(kernel)][kernels::kIndex<T>](terms.data(), in, n);
  };
  if (name == SumOf::squares) compute(Elementwise::square, x, x);
  if (name == SumOf::products) compute(Elementwise::mul, x, y);
  if (name == SumOf::squared_differences) compute(Elementwise::sub, x, y), compute(Elementwise::square, terms, terms);
  T expected, got;
  table.reduce_rows[static_cast<std::size_t>(Reduce::sum)][kernels::kIndex<T>](&expected, terms.data(), 1, n);
  const void* in[] = {x.data(), repeated ? copies.data() : y.data()};
  const std::size_t steps[] = {1, repeated ? 0u : 1u};
  table.sum_of[static_cast<std::size_t>(name)][kernels::kIndex<T>](&got, in, steps, n);
  EXPECT_EQ(std::memcmp(&got, &expected, sizeof(T)), 0)
      << table.isa << " sum " << static_cast<int>(name) << ", " << n << " elements, repeated " << repeated;
}

TEST(SumsOfFormulas, have_the_bits_of_the_kernels_they_stand_for) {
  kernels::for_each_table([](const Table& table) {
    std::vector<std::size_t> lengths{511, 512, 1000, 1023, 1024, 1025, 2048, 4097, 32768};
    for (std::size_t n = 0; n <= 300; ++n) lengths.push_back(n);
    for (std::size_t name = 0; name < kSumOfCount; ++name) {
      for (std::size_t n : lengths) {
        for (bool repeated : {false, true}) {
          check_sum<float>(table, static_cast<SumOf>(name), n, repeated);
          check_sum<double>(table, static_cast<SumOf>(name), n, repeated);
        }
      }
    }
  });
}

class FindSums : public ::testing::Test {
 protected:
  Compiled c;
  ValuePtr a = range({4, 600}), b = range({4, 600}), column = range({4, 1});

  // Of the step that is left, in one piece.
  ElementwiseStep step(std::initializer_list<ValuePtr> live) {
    c.read(live);
    c.finish();
    EXPECT_EQ(c.plan.steps.size(), 1u);
    return std::get<ElementwiseStep>(c.plan.steps.front());
  }
  static ValuePtr sum(const ValuePtr& x) { return build::sum(x, DimVector{1}, false); }
};

TEST_F(FindSums, LongRowsNeedNoInstruction) {
  ElementwiseStep found = step({sum(build::unary(Op::square, a - column))});
  EXPECT_TRUE(found.instructions.empty());
  ASSERT_EQ(found.reductions.size(), 1u);
  EXPECT_EQ(found.reductions[0].of, SumOf::squared_differences);
  EXPECT_TRUE(found.registers[found.reductions[0].in[1]].few);
}

TEST_F(FindSums, OperandsMayComeFromRegisters) {
  ElementwiseStep found = step({sum(build::unary(Op::exp, a) * b)});
  EXPECT_EQ(found.instructions.size(), 1u);
  EXPECT_EQ(found.reductions[0].of, SumOf::products);
}

TEST_F(FindSums, AProductWithItselfIsASquare) {
  ElementwiseStep found = step({sum(a * a)});
  EXPECT_EQ(found.reductions[0].arity, 1);
  EXPECT_EQ(found.reductions[0].of, SumOf::squares);
}

TEST_F(FindSums, WhatIsReadElsewhereIsComputed) {
  ValuePtr product = a * b;
  EXPECT_EQ(step({sum(product), product}).reductions[0].arity, 0);
}

TEST_F(FindSums, ShortRowsAreComputed) {
  ValuePtr x = range({600, 4});
  EXPECT_EQ(step({sum(x * x)}).reductions[0].arity, 0);
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
