// fuse_epilogues and fuse_elementwise: what joins, and what must not.
#include <gtest/gtest.h>

#include "compiled_program.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using build::operator-;
using testing::Compiled;
using testing::range;

class FuseEpilogues : public ::testing::Test {
 protected:
  Compiled c;
  ValuePtr a = range({2, 3}), b = range({3, 4}), bias = range({4});

  const MatmulStep& only_step() {
    EXPECT_EQ(c.plan.steps.size(), 1u);
    return std::get<MatmulStep>(c.plan.steps.front());
  }
};

TEST_F(FuseEpilogues, BiasAndReluJoinTheProduct) {
  ValuePtr y = build::relu(build::matmul(a, b) + bias);
  c.read({y});
  c.finish();
  EXPECT_TRUE(only_step().has_bias);
  EXPECT_TRUE(only_step().relu);
}

TEST_F(FuseEpilogues, BiasOnTheLeftJoinsToo) {
  ValuePtr y = bias + build::matmul(a, b);
  c.read({y});
  c.finish();
  EXPECT_TRUE(only_step().has_bias);
  EXPECT_FALSE(only_step().relu);
}

TEST_F(FuseEpilogues, LiveProductIsLeftAlone) {
  ValuePtr product = build::matmul(a, b), y = product + bias;
  c.read({product, y});
  c.finish();
  EXPECT_EQ(c.count<MatmulStep>(), 1u);
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
  EXPECT_EQ(c.node(y).made_by, kNone);
}

TEST_F(FuseEpilogues, ProductReadTwiceIsLeftAlone) {
  ValuePtr product = build::matmul(a, b);
  ValuePtr sum = product + bias;
  ValuePtr y = sum * product;
  c.read({y});
  c.finish();
  EXPECT_EQ(c.node(sum).made_by, kNone);
  EXPECT_EQ(c.count<MatmulStep>(), 1u);
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
}

TEST_F(FuseEpilogues, ProductAddedToItselfIsLeftAlone) {
  ValuePtr product = build::matmul(a, b), y = product + product;
  c.read({y});
  c.finish();
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
}

TEST_F(FuseEpilogues, OtherAddendsAreNoBias) {
  ValuePtr column = range({2, 1}), strided = build::narrow(range({8}), 0, 0, 4, 2), wide = range({5, 2, 4});
  ValuePtr one = build::matmul(a, b) + column, two = build::matmul(a, b) + strided, three = build::matmul(a, b) + wide;
  c.read({one, two, three});
  c.finish();
  EXPECT_EQ(c.count<MatmulStep>(), 3u);
  EXPECT_EQ(c.count<ElementwiseStep>(), 2u);  // two of the sums have one shape
}

TEST_F(FuseEpilogues, BiasAfterReluIsNotFused) {
  ValuePtr y = build::relu(build::matmul(a, b)) + bias;
  c.read({y});
  c.finish();
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
  EXPECT_TRUE(std::get<MatmulStep>(c.plan.steps.front()).relu);
  EXPECT_FALSE(std::get<MatmulStep>(c.plan.steps.front()).has_bias);
}

TEST_F(FuseEpilogues, OnlyOneBiasJoins) {
  ValuePtr y = build::matmul(a, b) + bias + bias;
  c.read({y});
  c.finish();
  EXPECT_EQ(c.count<MatmulStep>(), 1u);
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
}

TEST_F(FuseEpilogues, IntegerProductsHaveNoEpilogue) {
  ValuePtr whole = build::cast(a, DType::kInt64), other = build::cast(b, DType::kInt64);
  ValuePtr y = build::relu(build::matmul(whole, other));
  c.read({y});
  c.fuse();
  EXPECT_EQ(c.node(y).made_by, kNone);
}

TEST_F(FuseEpilogues, TensorOfTheSameShapeJoinsAfterTheBias) {
  ValuePtr x = range({2, 4}), y = build::relu(x + (build::matmul(a, b) + bias));
  c.read({y});
  c.finish();
  EXPECT_TRUE(only_step().has_bias && only_step().has_addend && only_step().relu);
}

TEST_F(FuseEpilogues, OfTwoProductsTheLaterAddsTheOther) {
  ValuePtr y = build::matmul(a, b) + build::matmul(a, b + bias);
  c.read({y});
  c.finish();
  EXPECT_EQ(c.count<MatmulStep>(), 2u);
  EXPECT_TRUE(std::get<MatmulStep>(c.plan.steps.back()).has_addend);
}

TEST_F(FuseEpilogues, WhatIsMadeLaterDoesNotJoin) {
  ValuePtr product = build::matmul(a, b), y = product + build::exp(range({2, 4}));
  c.read({y});
  c.finish();
  EXPECT_FALSE(std::get<MatmulStep>(c.plan.steps.front()).has_addend);
}

TEST_F(FuseEpilogues, GradientOfReluMasksTheProduct) {
  ValuePtr y = build::relu_gradient(range({2, 4}), build::matmul(a, b));
  c.read({y});
  c.finish();
  EXPECT_TRUE(only_step().has_mask);
}

TEST_F(FuseEpilogues, UpdateIsMadeBesideTheGradientThatIsLookedAt) {
  ValuePtr base = range({2, 4}), rate = build::number(0.5, base->dtype), gradient = build::matmul(a, b);
  ValuePtr y = base - gradient * rate;
  c.read({gradient, y});
  c.finish();
  EXPECT_TRUE(only_step().has_update);
  EXPECT_EQ(c.plan.output_bytes.size(), 2u);
}

TEST_F(FuseEpilogues, WhatIsReadAfterTheProductIsNotUpdatedByIt) {
  ValuePtr base = range({2, 4}), rate = build::number(0.5, base->dtype), gradient = build::matmul(a, b);
  ValuePtr read = build::exp(base), y = base - gradient * rate;
  c.read({gradient, read, y}, {base});
  c.finish();
  EXPECT_EQ(c.node(y).made_by, kNone);
}

TEST_F(FuseEpilogues, FactorIsNotUpdatedByItsProduct) {
  ValuePtr base = range({4, 4}), gradient = build::matmul(base, range({4, 4}));
  ValuePtr y = base - gradient * build::number(0.5, base->dtype);
  c.read({gradient, y}, {base});
  c.fuse();
  EXPECT_EQ(c.node(y).made_by, kNone);
}

TEST_F(FuseEpilogues, OnlyAPlainStepIsAnUpdate) {
  ValuePtr base = range({2, 4}), rate = build::number(0.5, base->dtype), gradient = build::matmul(a, b);
  ValuePtr decayed = base - (gradient + base * rate) * rate;
  ValuePtr ascent = base + gradient * rate, column = base - gradient * range({2, 1});
  c.read({gradient, decayed, ascent, column});
  c.fuse();
  for (const ValuePtr& y : {decayed, ascent, column}) EXPECT_EQ(c.node(y).made_by, kNone);
}

TEST_F(FuseEpilogues, ColumnsHaveNoMatricesBesideThem) {
  ValuePtr y = build::matmul(a, range({3, 1})) + range({2, 1});
  c.read({y});
  c.finish();
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
}

TEST(FuseElementwise, ChainIsOneGroupAndStoresOnlyItsResult) {
  Compiled c;
  ValuePtr x = range({4});
  ValuePtr y = build::exp(x), z = y * y, w = build::relu(z + x);
  c.read({w});
  c.finish();
  ASSERT_EQ(c.groups.size(), 1u);
  EXPECT_EQ(c.groups[0].size(), 4u);
  ASSERT_EQ(c.plan.steps.size(), 1u);
  EXPECT_EQ(c.plan.arena_bytes, 0u);
  EXPECT_EQ(c.plan.output_bytes.size(), 1u);
}

TEST(FuseElementwise, SeparateBranchesMerge) {
  Compiled c;
  ValuePtr left = build::exp(range({4})), right = build::neg(range({4}));
  ValuePtr joined = left + right;
  c.read({joined});
  c.fuse();
  ASSERT_EQ(c.groups.size(), 1u);
  EXPECT_EQ(c.groups[0], (std::vector<std::uint32_t>{c.number(left), c.number(right), c.number(joined)}));
}

TEST(FuseElementwise, OtherSpacesAreOtherGroups) {
  Compiled c;
  ValuePtr row = build::exp(range({4})), matrix = range({3, 4}) + row;
  c.read({matrix});
  c.fuse();
  EXPECT_EQ(c.groups.size(), 2u);
  EXPECT_NE(c.node(row).group, c.node(matrix).group);
}

// sum reads y before z is made: a group with both would run after sum.
TEST(FuseElementwise, GroupReadFromOutsideIsClosed) {
  Compiled c;
  ValuePtr x = range({4});
  ValuePtr y = build::exp(x);
  ValuePtr total = build::sum_all(y);
  ValuePtr z = y * total;
  c.read({z});
  c.finish();
  EXPECT_NE(c.node(y).group, c.node(z).group);
  EXPECT_EQ(c.node(y).group, c.node(total).group);
  EXPECT_EQ(c.count<ElementwiseStep>(), 2u);
}

const DimVector kFirst{0}, kLast{1};

TEST(FuseElementwise, ReductionsTakeTheirOperandFromRegisters) {
  Compiled c;
  ValuePtr x = range({3, 4}), squares = x * x;
  ValuePtr totals = build::sum(squares, kLast, false), largest = build::reduce(Op::amax, squares, kLast, true);
  c.read({totals, largest});
  c.finish();
  ASSERT_EQ(c.plan.steps.size(), 1u);
  EXPECT_EQ(std::get<ElementwiseStep>(c.plan.steps[0]).reductions.size(), 2u);
  EXPECT_EQ(c.plan.arena_bytes, 0u);
}

TEST(FuseElementwise, ReductionsOfOtherAxesAndOfViewsStayAlone) {
  Compiled c;
  ValuePtr x = range({3, 4}), squares = x * x;
  ValuePtr rows = build::sum(squares, kLast, false), columns = build::sum(squares, kFirst, false);
  ValuePtr view = build::sum_all(build::swap_axes(squares, 0, 1));
  ValuePtr place = build::reduce(Op::argmax, squares, kLast, false);
  c.read({rows, columns, view, place});
  c.finish();
  EXPECT_EQ(std::get<ElementwiseStep>(c.plan.steps[0]).reductions.size(), 1u);
  EXPECT_EQ(c.count<ReduceStep>(), 3u);
}

TEST(FuseElementwise, AReductionIsNoRegister) {
  Compiled c;
  ValuePtr x = range({3, 1}), same_shape = build::sum(build::exp(x), kLast, true);
  ValuePtr y = build::exp(x) + same_shape;
  c.read({y});
  c.finish();
  EXPECT_EQ(c.count<ElementwiseStep>(), 2u);
}

TEST(FuseElementwise, OperandSeenThroughAViewMustBeInMemoryFirst) {
  Compiled c;
  ValuePtr y = build::exp(range({3, 3}));
  ValuePtr z = y + build::swap_axes(y, 0, 1);
  c.read({z});
  c.finish();
  EXPECT_NE(c.node(y).group, c.node(z).group);
  EXPECT_EQ(c.count<ElementwiseStep>(), 2u);
}

TEST(FuseElementwise, EveryGroupComesAfterWhatItReads) {
  Compiled c;
  ValuePtr x = range({4});
  ValuePtr a = build::exp(x), b = build::neg(x);
  ValuePtr through_a = build::cat(std::vector<ValuePtr>{a, a}, 0);
  ValuePtr c1 = a + b, d = build::narrow(through_a, 0, 2, 4) * b;
  ValuePtr e = c1 + d;
  c.read({e});
  c.fuse();
  for (std::uint32_t index = 0; index < c.program.nodes.size(); ++index) {
    const Node& node = c.program[index];
    if (node.kind != Node::Kind::kOp || !node.needed || node.owner != index) continue;
    std::uint32_t runs_at = node.group == kNone ? index : c.groups[node.group].back();
    for (std::uint32_t operand : node.operands) {
      const Node& source = c.program[c.program[operand].owner];
      if (source.kind != Node::Kind::kOp || source.group == node.group) continue;
      std::uint32_t ready_at = source.group == kNone ? c.program[operand].owner : c.groups[source.group].back();
      EXPECT_LT(ready_at, runs_at) << to_string(c.program);
    }
  }
}

TEST(FuseElementwise, SmallOnesOfOneShapeAreOneStep) {
  Compiled c;
  ValuePtr x = build::exp(range({8})), y = range({8}) * range({8}), other = build::exp(range({9}));
  ValuePtr z = build::neg(range({8}));
  c.read({x, y, other, z});
  c.finish();
  EXPECT_EQ(c.count<ElementwiseStep>(), 2u);
  EXPECT_EQ(c.node(x).group, c.node(z).group);
}

TEST(FuseElementwise, SmallOnesReadBetweenStayAlone) {
  Compiled c;
  ValuePtr x = build::exp(range({8})), total = build::sum_all(build::flip(x, 0)), y = build::neg(range({8}));
  c.read({total, y});
  c.finish();
  EXPECT_NE(c.node(x).group, c.node(y).group);
}

TEST(FuseElementwise, LargeOnesOfOneShapeStayAlone) {
  Compiled c;
  ValuePtr x = build::exp(range({40, 40})), y = build::neg(range({40, 40}));
  c.read({x, y});
  c.finish();
  EXPECT_EQ(c.count<ElementwiseStep>(), 2u);
}

TEST(RecomputeCheapValues, DifferenceIsComputedAgainWhereItIsReadAgain) {
  for (bool live : {false, true}) {
    Compiled c;
    ValuePtr x = range({200, 100}), mean = range({200, 1});
    ValuePtr centred = build::sub(x, mean), total = build::sum(build::square(centred), kLast, true);
    ValuePtr y = build::div(centred, total);
    live ? c.read({y, centred}) : c.read({y});
    c.finish();
    ASSERT_EQ(c.plan.steps.size(), 2u);
    EXPECT_EQ(c.node(centred).recomputed, !live);
    EXPECT_EQ(std::get<ElementwiseStep>(c.plan.steps[1]).instructions.size(), live ? 1u : 2u);
    EXPECT_EQ(c.plan.output_bytes.size(), live ? 2u : 1u);
    EXPECT_LE(c.plan.arena_bytes, 200u * 4 + 64);  // the totals
  }
}

TEST(RecomputeCheapValues, WhatIsDearSmallOrSeenThroughAViewIsStored) {
  Compiled c;
  ValuePtr x = range({200, 100}), small = range({3});
  ValuePtr dear = build::exp(x), seen = build::neg(x), little = build::neg(small);
  ValuePtr y = dear * build::sum_all(dear), z = seen * build::sum_all(seen), w = little * build::sum_all(little);
  ValuePtr turned = build::swap_axes(seen, 0, 1);
  c.read({y, z, w, turned});
  c.finish();
  for (const ValuePtr& value : {dear, seen, little}) EXPECT_FALSE(c.node(value).recomputed);
}

TEST(FuseElementwise, GroupsAreLimited) {
  Compiled c;
  ValuePtr y = range({4});
  for (int i = 0; i < 500; ++i) y = build::neg(y);
  c.read({y});
  c.fuse();
  std::size_t members = 0;
  for (const auto& group : c.groups) {
    EXPECT_LE(group.size(), 64u);
    members += group.size();
  }
  EXPECT_EQ(members, 500u);
}

}  // namespace
}  // namespace lamina
