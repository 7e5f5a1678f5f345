// Compound kernels against the kernels they stand for, and where plans use them.
#include <gtest/gtest.h>

#include <cmath>

#include "compile/find_compounds.h"
#include "compiled_program.h"
#include "kernel_operands.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using build::operator-;
using build::operator/;
using kernels::Table;
using testing::Compiled;
using testing::range;
using Instruction = ElementwiseStep::Instruction;

constexpr int arity_of(Elementwise kernel) {
  switch (kernel) {
#define LAMINA_ELEMENTWISE(name, arity, domain) \
  case Elementwise::name:                       \
    return arity;
#include "support/kernel_list.inc"
    default:
      return 0;
  }
}

bool is_comparison(Elementwise kernel) { return kernel >= Elementwise::eq && kernel <= Elementwise::ge; }

// What the formula says from `at` on, one kernel after the other. Conditions are bytes.
template <class T>
std::vector<std::byte> evaluate(const Table& table, const std::uint8_t*& at,
                                const std::vector<std::vector<T>>& operands) {
  const std::uint8_t word = *at++;
  const std::size_t n = operands[0].size();
  if (word >= kFormulaOperand) {
    const auto* bytes = reinterpret_cast<const std::byte*>(operands[word - kFormulaOperand].data());
    return {bytes, bytes + n * sizeof(T)};
  }
  const auto kernel = static_cast<Elementwise>(word);
  std::vector<std::byte> inputs[3];
  const void* in[3] = {};
  for (int k = 0; k < arity_of(kernel); ++k) inputs[k] = evaluate(table, at, operands), in[k] = inputs[k].data();
  const bool of_conditions = kernel == Elementwise::bitwise_and;
  std::vector<std::byte> result(of_conditions || is_comparison(kernel) ? n : n * sizeof(T));
  const std::size_t dtype = of_conditions ? index_of(DType::kBool) : kernels::kIndex<T>;
  table.elementwise[word][dtype](result.data(), in, n);
  return result;
}

template <class T>
void check(const Table& table, std::size_t number, std::size_t n, unsigned repeated) {
  std::vector<std::vector<T>> operands(kMostOperands), passed;
  const void* in[kMostOperands];
  std::size_t steps[kMostOperands];
  for (std::size_t k = 0; k < kMostOperands; ++k) {
    operands[k] = kernels::random_values<T>(n, static_cast<unsigned>(n + 10 * k));
    for (std::size_t i = k % 3; i < n; i += 4) operands[k][i] = k == 1 ? T(NAN) : operands[0][i];
    steps[k] = (repeated >> k & 1) != 0 ? 0 : 1;
    if (steps[k] == 0) operands[k].assign(n, T(k + 0.7));
    passed.push_back(operands[k]);
    if (steps[k] == 0) passed.back().assign(kernels::kRepeatedBytes / sizeof(T), T(k + 0.7));
  }
  for (std::size_t k = 0; k < kMostOperands; ++k) in[k] = passed[k].data();
  const std::uint8_t* at = compound_formulas()[number].data();
  const std::vector<std::byte> expected = evaluate(table, at, operands);
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

TEST_F(FindCompounds, AChoiceByAComparisonIsOne) {
  auto chosen = [&](Op op) { return build::where(build::binary(op, a, row), a, b); };
  auto found =
      instructions({chosen(Op::lt), chosen(Op::gt), chosen(Op::le), chosen(Op::ge), chosen(Op::eq), chosen(Op::ne)});
  ASSERT_EQ(found.size(), 6u);
  const Compound expected[] = {Compound::choose_below, Compound::choose_below, Compound::choose_up_to,
                               Compound::choose_up_to, Compound::choose_equal, Compound::choose_unequal};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(found[i].compound, expected[i]);
}

TEST_F(FindCompounds, AChoiceThatItsCompoundReadsTwiceIsInIt) {
  auto bounded = [&](Op outside, const ValuePtr& x, const ValuePtr& bound) {
    return build::where(build::binary(outside, x, bound), bound, x);
  };
  ValuePtr clamped = bounded(Op::gt, bounded(Op::lt, a, row), b);
  ValuePtr inside = build::binary(Op::bitwise_and, build::binary(Op::gt, a, row), build::binary(Op::lt, a, b));
  auto found = instructions({clamped, build::where(inside, a, bounded(Op::gt, bounded(Op::lt, a, b), row))});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].compound, Compound::clamp);
  EXPECT_EQ(found[1].compound, Compound::choose_within_or_clamp);
}

TEST_F(FindCompounds, ActivationsAreOneEach) {
  auto clamped = [&](const ValuePtr& x) {
    ValuePtr raised = build::where(build::binary(Op::lt, x, row), row, x);
    return build::where(build::binary(Op::gt, raised, b), b, raised);
  };
  ValuePtr distance = build::abs(a), near = build::binary(Op::lt, distance, b);
  auto found = instructions(
      {clamped(a + row) / b, a / (build::abs(a) + 1.0), build::where(near, build::square(a) * 0.5, distance - row)});
  ASSERT_EQ(found.size(), 3u);
  const Compound expected[] = {Compound::hardsigmoid, Compound::softsign, Compound::smooth_l1};
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(found[i].compound, expected[i]);
}

TEST_F(FindCompounds, AChoiceThatIsReadElsewhereIsComputed) {
  ValuePtr raised = build::where(build::binary(Op::lt, a, row), row, a);
  ValuePtr clamped = build::where(build::binary(Op::gt, raised, b), b, raised);
  auto found = instructions({clamped, build::unary(Op::exp, raised)});
  ASSERT_EQ(found.size(), 3u);
  for (const Instruction& instruction : found) EXPECT_NE(instruction.compound, Compound::clamp);
}

TEST_F(FindCompounds, ComparisonsOfChoicesAreMadeAnew) {
  ValuePtr inside = build::binary(Op::bitwise_and, build::binary(Op::gt, a, row), build::binary(Op::le, a, b));
  auto found = instructions({build::where(inside, a, b), build::where(inside, b, row)});
  ASSERT_EQ(found.size(), 2u);
  for (const Instruction& instruction : found) EXPECT_EQ(instruction.compound, Compound::choose_within_or_at_end);
}

TEST_F(FindCompounds, AComparisonThatIsLookedAtIsComputedToo) {
  ValuePtr below = build::binary(Op::lt, a, b);
  EXPECT_EQ(instructions({below, build::where(below, a, b)}).size(), 2u);
}

TEST_F(FindCompounds, AComparisonOfOtherTypesIsNone) {
  ValuePtr whole = build::cast(a, DType::kInt64);
  for (const Instruction& instruction : instructions({build::where(build::binary(Op::lt, whole, whole), a, b)}))
    EXPECT_NE(instruction.kind, Instruction::Kind::kCompound);
}

TEST_F(FindCompounds, OneOperationIsOneWhereAnOperandRepeats) {
  ValuePtr column = range({4, 1}), number = range({});
  auto found = instructions({a + column, a - number, a * column, number / a});
  ASSERT_EQ(found.size(), 4u);
  const Compound expected[] = {Compound::add_repeated, Compound::subtract_repeated, Compound::multiply_repeated,
                               Compound::divide_repeated};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(found[i].compound, expected[i]);
}

TEST_F(FindCompounds, OneOperationIsNoneWhereNothingRepeatsAlongARow) {
  for (const Instruction& instruction : instructions({a + b, a * row}))
    EXPECT_EQ(instruction.kind, Instruction::Kind::kKernel);
}

TEST_F(FindCompounds, IntegersHaveNone) {
  ValuePtr whole = build::cast(a, DType::kInt64);
  for (const Instruction& instruction : instructions({whole * whole + whole}))
    EXPECT_NE(instruction.kind, Instruction::Kind::kCompound);
}

}  // namespace
}  // namespace lamina
