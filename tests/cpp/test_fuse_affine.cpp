// fuse_affine: what becomes part of the step that standardizes rows, or of their gradient's, and what must not.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "compiled_program.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using testing::Compiled;
using testing::leaf_of;
using testing::numbers_as;

const Attribute* eps(double number = 1e-3) { return Attribute::of({std::bit_cast<std::int64_t>(number)}); }
ValuePtr standardize(const ValuePtr& x) { return build::standardize(x, eps()); }
ValuePtr down_columns(const ValuePtr& x) {
  DimVector axes;
  for (int axis = 0; axis + 1 < x->shape->rank(); ++axis) axes.push_back(axis);
  return build::sum(x, axes, false);
}

ValuePtr random(std::initializer_list<std::int64_t> dims, unsigned seed) {
  std::mt19937 engine(seed);
  const Shape* shape = Shape::of(dims);
  std::vector<double> numbers(static_cast<std::size_t>(shape->numel()));
  for (double& number : numbers) number = std::uniform_real_distribution<double>(-1, 2)(engine);
  return leaf_of(shape, DType::kFloat64, numbers);
}

class FuseAffine : public ::testing::Test {
 protected:
  Compiled c;
  ValuePtr x = random({6, 40}, 1), g = random({6, 40}, 2), weight = random({40}, 3), bias = random({40}, 4);
  ValuePtr input_gradient() { return build::standardize_input(g * weight, x, eps()); }

  // The first step that standardizes, which should be the only one.
  const StandardizeStep& only_step() {
    EXPECT_EQ(c.count<StandardizeStep>(), 1u);
    return std::get<StandardizeStep>(*std::find_if(c.plan.steps.begin(), c.plan.steps.end(), [](const Step& step) {
      return std::holds_alternative<StandardizeStep>(step);
    }));
  }
};

TEST_F(FuseAffine, RowsAreScaledAndShifted) {
  ValuePtr y = bias + standardize(x) * weight;
  c.read({y});
  c.finish();
  EXPECT_TRUE(only_step().has_scale);
  EXPECT_TRUE(only_step().has_shift);
  EXPECT_EQ(c.plan.steps.size(), 1u);
}

TEST_F(FuseAffine, WhatFollowsAnotherWayIsAPassOfItsOwn) {
  ValuePtr shifted = (standardize(x) + bias) * weight, twice = standardize(random({6, 40}, 5)) * weight * bias;
  ValuePtr by_rows = standardize(random({40, 40}, 6)) * build::reshape(weight, Shape::of({40, 1}));
  c.read({shifted, twice, by_rows});
  c.finish();
  EXPECT_EQ(c.count<StandardizeStep>(), 3u);
  EXPECT_EQ(c.node(shifted).made_by, kNone);
  EXPECT_EQ(c.node(twice).made_by, kNone);
  EXPECT_EQ(c.node(by_rows).made_by, kNone);
}

TEST_F(FuseAffine, RowsThatAreSeenStayAsTheyAre) {
  ValuePtr rows = standardize(x), y = rows * weight + bias;
  c.read({rows, y});
  c.finish();
  EXPECT_FALSE(only_step().has_scale);
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
}

TEST_F(FuseAffine, AWeightThatIsMadeLaterIsNotWaitedFor) {
  ValuePtr rows = standardize(x), y = rows * build::exp(weight);
  c.read({y});
  c.finish();
  EXPECT_FALSE(only_step().has_scale);
}

TEST_F(FuseAffine, GradientsAreOneStepThatStandardizesAnew) {
  ValuePtr rows = standardize(x), y = rows * weight + bias;
  ValuePtr of_bias = down_columns(g), of_weight = down_columns(g * rows), of_x = input_gradient();
  c.read({y, of_bias, of_weight, of_x});
  c.finish();
  ASSERT_EQ(c.plan.steps.size(), 2u);  // six rows are one part: nothing remains to be added up
  const auto& forward = std::get<StandardizeStep>(c.plan.steps[0]);
  EXPECT_TRUE(forward.has_scale && forward.has_shift && !forward.back);
  const auto& back = std::get<StandardizeStep>(c.plan.steps[1]);
  EXPECT_TRUE(back.back && back.has_scale && back.sums_scale && back.sums_shift);
}

TEST_F(FuseAffine, WhatAPassMakesIsScaledThereIfNoSumsAreWanted) {
  ValuePtr of_product = build::standardize_input(build::matmul(g, random({40, 40}, 5)) * weight, x, eps());
  ValuePtr of_pass = build::standardize_input(build::exp(g) * weight, x, eps());
  c.read({of_product, of_pass});
  c.finish();
  EXPECT_NE(c.node(of_product).affine.scale, kNone);
  EXPECT_EQ(c.node(of_pass).affine.scale, kNone);
}

TEST_F(FuseAffine, PartsOfSumsAreAddedUp) {
  x = random({3, 40, 40}, 7), g = random({3, 40, 40}, 8);
  ValuePtr of_bias = down_columns(g), of_weight = down_columns(standardize(x) * g), of_x = input_gradient();
  c.read({of_bias, of_weight, of_x});
  c.finish();
  EXPECT_EQ(only_step().parts(), 15);
  EXPECT_EQ(c.count<ReduceStep>(), 2u);
  EXPECT_EQ(c.plan.steps.size(), 3u);
}

TEST_F(FuseAffine, SumsOfOtherRowsAreOtherSteps) {
  ValuePtr other_eps = down_columns(g * build::standardize(x, eps(0.5)));
  ValuePtr other_rows = down_columns(g * standardize(random({6, 40}, 9)));
  ValuePtr along_rows = build::sum(g, DimVector{1}, false), of_x = input_gradient();
  c.read({other_eps, other_rows, along_rows, of_x});
  c.finish();
  EXPECT_EQ(c.count<StandardizeStep>(), 3u);
  EXPECT_FALSE(std::get<StandardizeStep>(c.plan.steps.back()).sums());
}

TEST_F(FuseAffine, WhatComesBackScaledMayBeSeen) {
  ValuePtr scaled = g * weight, of_x = build::standardize_input(scaled, x, eps());
  c.read({scaled, of_x});
  c.finish();
  EXPECT_FALSE(only_step().has_scale);
}

TEST_F(FuseAffine, WhatComesBackTheSameToEveryRowIsNotCopiedOut) {
  g = build::expand(random({1, 40}, 2), Shape::of({6, 40}));
  ValuePtr of_weight = down_columns(g * standardize(x)), of_x = input_gradient();
  c.read({of_weight, of_x});
  c.finish();
  EXPECT_FALSE(std::get<StandardizeStep>(c.plan.steps.back()).sums());
}

TEST_F(FuseAffine, ShortRowsAreScaledForTheSakeOfSumsOnly) {
  x = random({6, 5}, 1), g = random({6, 5}, 2), weight = random({5}, 3);
  ValuePtr y = standardize(x) * weight, of_x = input_gradient();
  c.read({y, of_x});
  c.finish();
  EXPECT_EQ(c.node(y).made_by, kNone);
  EXPECT_FALSE(std::get<StandardizeStep>(c.plan.steps.back()).has_scale);
  Compiled with_sums;
  ValuePtr of_weight = down_columns(g * standardize(x));
  of_x = input_gradient();
  with_sums.read({of_weight, of_x});
  with_sums.finish();
  EXPECT_TRUE(std::get<StandardizeStep>(with_sums.plan.steps.back()).sums());
}

TEST_F(FuseAffine, NoRowsHaveSumsOfZero) {
  x = random({0, 40}, 1), g = random({0, 40}, 1);
  ValuePtr of_bias = down_columns(g), of_weight = down_columns(g * standardize(x)), of_x = input_gradient();
  EXPECT_EQ(numbers_as<double>(of_bias), std::vector<double>(40));
  EXPECT_EQ(numbers_as<double>(of_weight), std::vector<double>(40));
  EXPECT_TRUE(numbers_as<double>(of_x).empty());
}

// Programs of all that layer norm's forward and gradient are made of, in any order that operands allow, with steps in
// between that read sums before the gradient by the rows is recorded. Op by op, or recorded as a whole.
std::vector<std::vector<double>> run(unsigned seed, bool eager) {
  std::mt19937 random_number(seed);
  const auto pick = [&](std::size_t count) { return random_number() % count; };
  const std::int64_t n = 1 + static_cast<std::int64_t>(pick(80)), rows = 1 + static_cast<std::int64_t>(pick(90));
  std::vector<ValuePtr> matrices{random({rows, n}, seed), random({rows, n}, seed + 1)};
  std::vector<ValuePtr> vectors{random({n}, seed + 2), random({n}, seed + 3)};
  const auto one_of = [&](const std::vector<ValuePtr>& some) { return some[some.size() - 1 - pick(some.size())]; };
  for (int i = 0; i < 24; ++i) {
    const ValuePtr m = one_of(matrices), other = one_of(matrices), v = one_of(vectors);
    ValuePtr made;
    switch (pick(9)) {
      case 0:
      case 1:
        made = standardize(m);
        break;
      case 2:
        made = m * v;
        break;
      case 3:
        made = m + v;
        break;
      case 4:
      case 5:
        made = build::standardize_input(m * v, other, eps());
        break;
      case 6:
        made = build::unary(Op::tanh, m * other);
        break;
      case 7:
        made = down_columns(m) * build::number(1.0 / static_cast<double>(rows), DType::kFloat64);
        break;
      default:
        made = down_columns(pick(2) == 0 ? m * standardize(other) : m);
        made = build::unary(Op::tanh, made + v);
    }
    if (eager) engine::realize(made.get());
    (made->shape->rank() == 2 ? matrices : vectors).push_back(made);
    if (pick(3) == 0 && matrices.size() > 3) matrices.erase(matrices.begin() + static_cast<std::ptrdiff_t>(pick(3)));
  }
  std::vector<std::vector<double>> results;
  for (const auto* all : {&matrices, &vectors})
    for (const ValuePtr& value : *all) results.push_back(numbers_as<double>(value));
  return results;
}

TEST(FuseAffinePrograms, AsAWholeTheyGiveWhatTheyGiveOpByOp) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    const auto expected = run(seed, true), got = run(seed, false);
    ASSERT_EQ(expected.size(), got.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(expected[i].size(), got[i].size());
      for (std::size_t k = 0; k < got[i].size(); ++k)
        ASSERT_NEAR(expected[i][k], got[i][k], 1e-7 * (1 + std::abs(expected[i][k]))) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace lamina
