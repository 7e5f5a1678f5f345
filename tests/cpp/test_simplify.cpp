// simplify_algebra and merge_common_values: what is dropped, and what must stay.
#include <gtest/gtest.h>

#include "compiled_program.h"
#include "ops/build.h"

namespace lamina {
namespace {

using testing::Compiled;
using testing::range;
using namespace build;

// The ops that are left to compute a result of x.
template <typename Make>
std::size_t left_of(Make make, DType dtype = DType::kFloat32) {
  Compiled c;
  ValuePtr pending = build::cast(range({6}), dtype), x = build::relu(pending);
  ValuePtr result = build::relu(make(x));
  c.read({result});
  simplify_algebra(c.program);
  merge_common_values(c.program);
  drop_dead_values(c.program);
  const Node* makes_x = dtype == DType::kFloat32 ? nullptr : &c.node(pending);
  return static_cast<std::size_t>(std::count_if(c.program.nodes.begin(), c.program.nodes.end(), [&](const Node& node) {
    return node.kind == Node::Kind::kOp && node.needed && !shares_memory(node) && !node.is_op(Op::relu) &&
           &node != makes_x;
  }));
}

TEST(SimplifyAlgebra, DropsWhatChangesNoBit) {
  EXPECT_EQ(left_of([](const ValuePtr& x) { return x; }), 0u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return x * 1; }), 0u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return build::mul(build::full(x->shape, 1, x->dtype), x); }), 0u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return x / 1; }), 0u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return build::sub(x, build::number(0, x->dtype)); }), 0u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return -(-x); }), 0u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return -x + -build::detach(x); }), 2u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return build::cast(build::cast(x, DType::kFloat64), DType::kFloat32); }),
            0u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return -build::reshape(-x, Shape::of({2, 3})); }), 0u);
}

TEST(SimplifyAlgebra, KeepsWhatChangesSome) {
  EXPECT_EQ(left_of([](const ValuePtr& x) { return x + 0; }), 1u);  // -0 + 0 is 0
  EXPECT_EQ(left_of([](const ValuePtr& x) { return x * 0; }), 1u);  // NaN and infinity
  EXPECT_EQ(left_of([](const ValuePtr& x) { return build::sub(x, build::number(-0.0, x->dtype)); }), 1u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return x * 2; }), 1u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return build::cast(build::cast(x, DType::kInt64), DType::kFloat32); }), 2u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return build::mul(x, build::full(Shape::of({2, 6}), 1, x->dtype)); }), 1u);
}

TEST(SimplifyAlgebra, CastsOverTypesThatHoldTheNumbersAreOne) {
  auto over = [](DType between, DType to) {
    return [=](const ValuePtr& x) { return build::cast(build::cast(x, between), to); };
  };
  EXPECT_EQ(left_of(over(DType::kInt64, DType::kFloat32), DType::kInt32), 1u);
  EXPECT_EQ(left_of(over(DType::kFloat64, DType::kInt64), DType::kInt32), 1u);
  EXPECT_EQ(left_of(over(DType::kInt32, DType::kUInt8), DType::kUInt8), 0u);
  EXPECT_EQ(left_of(over(DType::kInt8, DType::kInt32), DType::kUInt8), 2u);     // 200 is -56 in between
  EXPECT_EQ(left_of(over(DType::kFloat32, DType::kInt32), DType::kInt32), 2u);  // 2^24 + 1 is rounded
  EXPECT_EQ(left_of(over(DType::kFloat64, DType::kInt64), DType::kFloat32), 2u);
}

TEST(SimplifyAlgebra, OnesAreOnesInEveryViewButAnotherType) {
  auto times_ones = [](auto view) {
    return [=](const ValuePtr& x) { return build::mul(x, view(build::full(Shape::of({3, 2}), 1, DType::kInt32))); };
  };
  const Shape* line = Shape::of({6});
  EXPECT_EQ(left_of(times_ones([=](const ValuePtr& ones) { return build::reshape(ones, line); }), DType::kInt32), 0u);
  EXPECT_EQ(left_of(times_ones([=](const ValuePtr& ones) {
              return build::bitcast(build::reshape(ones, line), DType::kFloat32);  // tiny numbers
            })),
            1u);
}

TEST(SimplifyAlgebra, WhatIsOverwrittenAsAWholeIsNotComputed) {
  const auto over = [](const Attribute* place) {
    return [=](const ValuePtr& x) { return build::slice_update(build::exp(x), x, place); };
  };
  EXPECT_EQ(left_of(over(Attribute::of({0, 1}))), 1u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return build::overwrite(build::exp(x), x); }), 1u);
  EXPECT_EQ(left_of(over(Attribute::of({5, -1}))), 2u);  // backwards
}

TEST(SimplifyAlgebra, WhatIsLookedAtKeepsMemoryOfItsOwn) {
  Compiled c;
  ValuePtr x = range({6});
  ValuePtr same = x * 1, turned = build::reshape(x * 1, Shape::of({2, 3}));
  ValuePtr again = build::reshape(-build::reshape(-x, Shape::of({2, 3})), Shape::of({6}));
  c.read({same, turned, again});
  simplify_algebra(c.program);
  c.finish();
  for (const Program::Result& result : c.program.results) EXPECT_GE(result.memory, c.plan.first_output());
}

TEST(MergeCommonValues, EqualOpsAreOne) {
  EXPECT_EQ(left_of([](const ValuePtr& x) { return build::mul(build::exp(x), build::exp(x)); }), 2u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return build::mul(build::exp(x), build::exp2(x)); }), 3u);
  // Another number makes another op; copies stay copies.
  EXPECT_EQ(left_of([](const ValuePtr& x) { return build::mul(x * 2, x * 3); }), 3u);
  EXPECT_EQ(left_of([](const ValuePtr& x) { return build::mul(build::clone(x), build::clone(x)); }), 3u);
}

}  // namespace
}  // namespace lamina
