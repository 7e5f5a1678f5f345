// join_products: a sum of products that sum over few rows becomes one product over all of them.
#include <gtest/gtest.h>

#include "compiled_program.h"
#include "run_programs.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using testing::Compiled;
using testing::range;

class JoinProducts : public ::testing::Test {
 protected:
  Compiled c;

  static ValuePtr product(std::int64_t rows) { return build::matmul(range({rows, 5}), range({rows, 7}), true); }
  std::size_t products() { return c.count<MatmulStep>(); }
};

TEST_F(JoinProducts, ASumIsOneProductOverAllRows) {
  ValuePtr sum = product(4) + product(3) + (product(2) + product(1));
  c.read({sum});
  c.finish();
  ASSERT_EQ(products(), 1u);
  const auto& step = std::get<MatmulStep>(c.plan.steps.back());
  EXPECT_EQ(step.m, 5);
  EXPECT_EQ(step.n, 7);
  EXPECT_EQ(step.k, 10);
  EXPECT_NE(c.plan.notes.back().find("matmul 5x7x10 of 4 products"), std::string::npos);
}

TEST_F(JoinProducts, WhatIsAddedToTheSumIsTheProductsAddend) {
  ValuePtr sum = product(4) + product(4) + product(4), total = range({5, 7}) + sum;
  c.read({total});
  c.finish();
  ASSERT_EQ(products(), 1u);
  EXPECT_TRUE(std::get<MatmulStep>(c.plan.steps.back()).has_addend);
}

TEST_F(JoinProducts, TwoAreAddedAsTheyAre) {
  ValuePtr sum = product(4) + product(4);
  c.read({sum});
  c.finish();
  EXPECT_EQ(products(), 2u);
}

TEST_F(JoinProducts, NotWhatSomebodySees) {
  ValuePtr seen = product(4), read = product(4), partial = product(4) + product(4);
  ValuePtr sum = seen + product(4) + product(4), other = read + product(4) + product(4), third = build::neg(read);
  ValuePtr last = partial + product(4);
  c.read({seen, sum, other, third, partial, last});
  c.finish();
  EXPECT_EQ(products(), 9u);
}

TEST_F(JoinProducts, NotLongOnesOrOthers) {
  ValuePtr longer = build::matmul(range({200, 5}), range({200, 7}), true);
  ValuePtr straight = build::matmul(range({5, 4}), range({4, 7}));
  ValuePtr first = longer + product(4) + product(4), second = straight + product(4) + product(4);
  c.read({first, second});
  c.finish();
  EXPECT_EQ(products(), 6u);
}

}  // namespace
}  // namespace lamina
