// shrink_broadcasts: what repeats along an axis is computed once there, unless somebody needs all of it in memory.
#include <gtest/gtest.h>

#include "compiled_program.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using testing::Compiled;
using testing::range;

class ShrinkBroadcasts : public ::testing::Test {
 protected:
  Compiled c;
  ValuePtr x = range({128, 200}), row = range({200}), column = range({128, 1});
  ValuePtr wide = build::expand(row, x->shape);

  std::string shape_of(const ValuePtr& value) { return to_string(c.node(value).shape->dims(), '[', ']'); }
};

TEST_F(ShrinkBroadcasts, RowsAndColumnsAreComputedOnce) {
  ValuePtr rows = wide * row, columns = build::square(build::expand(column, x->shape)), y = rows + x * columns;
  c.read({y});
  c.finish();
  EXPECT_EQ(shape_of(rows), "[1, 200]");
  EXPECT_EQ(shape_of(columns), "[128, 1]");
  EXPECT_EQ(shape_of(y), "[128, 200]");
  EXPECT_EQ(c.plan.steps.size(), 3u);
}

TEST_F(ShrinkBroadcasts, AChainShrinksAsOne) {
  ValuePtr doubled = wide * row, squared = build::square(doubled), y = squared * x;
  c.read({y});
  c.finish();
  EXPECT_EQ(shape_of(squared), "[1, 200]");
  EXPECT_EQ(c.plan.steps.size(), 2u);
}

TEST_F(ShrinkBroadcasts, WhatIsNeededWholeStays) {
  ValuePtr live = wide * row, reduced = wide + row, seen = build::square(wide);
  ValuePtr total = build::sum(reduced, DimVector{0}, false), turned = build::swap_axes(seen, 0, 1);
  c.read({live, total, turned});
  c.finish();
  for (const ValuePtr& value : {live, reduced, seen}) EXPECT_EQ(shape_of(value), "[128, 200]");
}

TEST_F(ShrinkBroadcasts, SmallOnesStay) {
  ValuePtr few = build::expand(row, Shape::of({2, 200})) * row, y = few * range({2, 200});
  c.read({y});
  c.finish();
  EXPECT_EQ(shape_of(few), "[2, 200]");
}

TEST_F(ShrinkBroadcasts, ASmallOneShrinksToANumberWhereNobodyHasItsShape) {
  ValuePtr one = build::sum(row, DimVector{0}, false);
  ValuePtr negative = build::neg(build::expand(one, Shape::of({4, 1}))), y = negative * range({4, 8});
  ValuePtr part = build::neg(build::expand(one, Shape::of({4, 8}))), z = part * range({4, 8});
  ValuePtr seen = build::neg(build::expand(one, Shape::of({6, 1}))), last = build::sum(seen, DimVector{0}, false);
  c.read({y, z, last});
  c.finish();
  EXPECT_EQ(shape_of(negative), "[1, 1]");
  EXPECT_EQ(shape_of(part), "[4, 8]");
  EXPECT_EQ(shape_of(seen), "[6, 1]");
}

}  // namespace
}  // namespace lamina
