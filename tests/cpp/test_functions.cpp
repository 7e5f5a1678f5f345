// Promotion, axes, and messages of the public functions. Their numbers are tested from Python, against references.
#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "functions/axes.h"
#include "functions/indexing.h"
#include "functions/linear.h"
#include "functions/operand.h"
#include "functions/pointwise.h"
#include "functions/reduce.h"
#include "functions/views.h"
#include "graph/scope.h"
#include "recorded_values.h"

namespace lamina::functions {
namespace {

using testing::contains;
using testing::error_of;
using testing::leaf;
using testing::Numbers;
using testing::numbers;
using testing::range;

constexpr DType kAll[] = {DType::kBool,  DType::kUInt8,   DType::kInt8,     DType::kInt16,   DType::kInt32,
                          DType::kInt64, DType::kFloat16, DType::kBFloat16, DType::kFloat32, DType::kFloat64};

ValuePtr of_type(DType dtype, std::initializer_list<std::int64_t> dims) { return build::cast(range(dims), dtype); }

TEST(Promotion, IsALattice) {
  for (DType a : kAll) {
    EXPECT_EQ(promote(a, a), a);
    EXPECT_EQ(promote(DType::kBool, a), a);
    for (DType b : kAll) {
      EXPECT_EQ(promote(a, b), promote(b, a));
      for (DType c : kAll) EXPECT_EQ(promote(promote(a, b), c), promote(a, promote(b, c)));
    }
  }
  EXPECT_EQ(promote(DType::kUInt8, DType::kInt32), DType::kInt32);
  EXPECT_EQ(promote(DType::kUInt8, DType::kInt8), DType::kInt16);
  EXPECT_EQ(promote(DType::kBFloat16, DType::kFloat16), DType::kFloat32);
  EXPECT_EQ(promote(DType::kInt64, DType::kFloat16), DType::kFloat16);
  EXPECT_EQ(promote(DType::kInt64, DType::kFloat32), DType::kFloat32);
  EXPECT_EQ(promote(DType::kFloat32, DType::kFloat64), DType::kFloat64);
}

TEST(Promotion, NumbersGiveWayWithinTheirCategory) {
  ValuePtr small = of_type(DType::kUInt8, {2}), real = of_type(DType::kFloat32, {2}),
           flags = of_type(DType::kBool, {2});
  EXPECT_EQ(result_type({small, Operand::of(std::int64_t{1000})}), DType::kUInt8);
  EXPECT_EQ(result_type({small, Operand::of(0.5)}), DType::kFloat32);
  EXPECT_EQ(result_type({small, Operand::of(true)}), DType::kUInt8);
  EXPECT_EQ(result_type({flags, Operand::of(std::int64_t{1})}), DType::kInt64);
  EXPECT_EQ(result_type({real, Operand::of(0.5)}), DType::kFloat32);
  EXPECT_EQ(result_type({of_type(DType::kFloat64, {2}), Operand::of(0.5)}), DType::kFloat64);
}

TEST(Promotion, ZeroDimensionalTensorsGiveWayToo) {
  ValuePtr scalar = of_type(DType::kFloat64, {}), vector = of_type(DType::kFloat32, {2});
  EXPECT_EQ(result_type({vector, scalar}), DType::kFloat32);
  EXPECT_EQ(result_type({scalar, vector}), DType::kFloat32);
  EXPECT_EQ(result_type({of_type(DType::kInt32, {2}), scalar}), DType::kFloat64);
  EXPECT_EQ(result_type({of_type(DType::kInt32, {}), of_type(DType::kInt64, {})}), DType::kInt64);
  EXPECT_EQ(result_type({of_type(DType::kFloat32, {}), Operand::of(0.5)}), DType::kFloat32);
  EXPECT_EQ(result_type({Operand::of(std::int64_t{1}), Operand::of(0.5)}), default_float());
}

TEST(Promotion, CastsNeverNarrowTheCategory) {
  EXPECT_TRUE(can_cast(DType::kFloat64, DType::kFloat32));
  EXPECT_TRUE(can_cast(DType::kInt64, DType::kUInt8));
  EXPECT_TRUE(can_cast(DType::kBool, DType::kInt32));
  EXPECT_FALSE(can_cast(DType::kFloat32, DType::kInt64));
  EXPECT_FALSE(can_cast(DType::kInt32, DType::kBool));
}

TEST(Promotion, OperandsTakeTheType) {
  EXPECT_EQ(Operand::of(2.7).as(DType::kInt64)->scalar.low, 2u);
  EXPECT_EQ(Operand::of(0.5).as(DType::kBool)->scalar.low, 1u);
  EXPECT_EQ(Operand::of(std::int64_t{-3}).as(DType::kBool)->scalar.low, 1u);
  EXPECT_EQ(Operand::of(0.0).as(DType::kBool)->scalar.low, 0u);
  ValuePtr x = range({2});
  EXPECT_EQ(Operand(x).as(DType::kFloat32).get(), x.get());
}

TEST(Pointwise, IntegersBecomeFloatsWhereTheResultIsReal) {
  ValuePtr x = of_type(DType::kInt64, {3});
  EXPECT_EQ(unary(Op::exp, x)->dtype, DType::kFloat32);
  EXPECT_EQ(binary(Op::div, x, Operand::of(std::int64_t{2}))->dtype, DType::kFloat32);
  EXPECT_EQ(numbers(binary(Op::div, x, Operand::of(std::int64_t{2}))), (Numbers{0, 0.5, 1}));
  EXPECT_EQ(div(x, Operand::of(std::int64_t{2}), "floor")->dtype, DType::kInt64);
  EXPECT_EQ(binary(Op::lt, x, Operand::of(1.5))->dtype, DType::kBool);
}

TEST(Pointwise, WhatATypeCannotDoIsRefused) {
  ValuePtr flags = of_type(DType::kBool, {2}), whole = of_type(DType::kInt64, {2});
  EXPECT_TRUE(contains(error_of([&] { unary(Op::neg, flags); }), "Negation, the `-` operator, on a bool tensor"));
  EXPECT_TRUE(contains(error_of([&] { binary(Op::sub, flags, flags); }), "Subtraction, the `-` operator"));
  EXPECT_EQ(error_of([&] { unary(Op::bitwise_not, range({2})); }), "\"bitwise_not\" not implemented for 'Float'");
  EXPECT_TRUE(
      contains(error_of([&] { binary(Op::floor_divide, whole, Operand::of(std::int64_t{0})); }), "ZeroDivisionError"));
  EXPECT_TRUE(contains(error_of([&] { binary(Op::remainder, whole, whole); }), "ZeroDivisionError"));  // 0, 1
  EXPECT_TRUE(contains(error_of([&] { div(whole, whole, "up"); }), "but found 'up'"));
  EXPECT_TRUE(contains(error_of([&] { add(whole, whole, Operand::of(0.5)); }), "alpha must not be a floating point"));
  EXPECT_NE(error_of([&] { clamp(whole, std::nullopt, std::nullopt); }), "");
}

TEST(Axes, WrapAndRefuse) {
  EXPECT_EQ(wrap_axis(-1, 3), 2);
  EXPECT_EQ(wrap_axis(2, 3), 2);
  EXPECT_EQ(wrap_axis(-1, 0), 0);
  EXPECT_EQ(error_of([] { wrap_axis(2, 2); }),
            "Dimension out of range (expected to be in range of [-2, 1], but got 2)");
  EXPECT_NE(error_of([] { wrap_axis(-3, 2); }), "");
  EXPECT_EQ(wrap_axes(DimVector{2, -3}, 3), (DimVector{0, 2}));
  EXPECT_EQ(error_of([] { wrap_axes(DimVector{1, -1}, 2); }), "dim 1 appears multiple times in the list of dims");
  EXPECT_EQ(wrap_or_all(std::nullopt, 2), (DimVector{0, 1}));
  EXPECT_EQ(wrap_or_all(DimVector{-1}, 2), (DimVector{1}));
}

TEST(Linear, MessageNamesTheModuleAndBothShapes) {
  std::uint32_t outside = enter_scope("net");
  enter_scope("0");
  std::string message = error_of([] { linear(range({3, 16}), range({20, 20}), nullptr); });
  leave_scope(outside);
  EXPECT_TRUE(
      contains(message, "linear: expected 20 input features, got 16 (in net.0, input (3, 16), weight (20, 20))"))
      << message;
}

TEST(Linear, ProductsOfEveryRank) {
  for (auto [a, b, expected] : std::vector<std::tuple<const Shape*, const Shape*, const Shape*>>{
           {Shape::of({3}), Shape::of({3}), Shape::scalar()},
           {Shape::of({3}), Shape::of({3, 4}), Shape::of({4})},
           {Shape::of({2, 3}), Shape::of({3}), Shape::of({2})},
           {Shape::of({5, 1, 2, 3}), Shape::of({7, 3, 4}), Shape::of({5, 7, 2, 4})},
           {Shape::of({5, 2, 3}), Shape::of({3}), Shape::of({5, 2})}}) {
    ValuePtr x = build::full(a, 1, DType::kFloat32), y = build::full(b, 2, DType::kFloat32);
    ValuePtr product = matmul(x, y);
    EXPECT_EQ(product->shape, expected);
    EXPECT_EQ(numbers(product), Numbers(static_cast<std::size_t>(expected->numel()), 6));
  }
  EXPECT_EQ(error_of([] { matmul(range({2, 3}), range({4, 5})); }),
            "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)");
  EXPECT_NE(error_of([] { matmul(range({}), range({4})); }), "");
}

TEST(Linear, InnerSizeZeroGivesTheBias) {
  ValuePtr y = linear(range({2, 0}), range({3, 0}), leaf({3}, {-1, 0, 2}));
  EXPECT_EQ(numbers(unary(Op::relu, y)), (Numbers{0, 0, 2, 0, 0, 2}));
}

TEST(Views, ShapesAreInferredAndChecked) {
  EXPECT_EQ(infer_shape(DimVector{2, -1}, 6), Shape::of({2, 3}));
  EXPECT_EQ(error_of([] { infer_shape(DimVector{3, 5}, 6); }), "shape '[3, 5]' is invalid for input of size 6");
  EXPECT_EQ(error_of([] { infer_shape(DimVector{-1, -1}, 6); }), "only one dimension can be inferred");
  EXPECT_NE(error_of([] { infer_shape(DimVector{-1, 4}, 6); }), "");
  EXPECT_NE(error_of([] { infer_shape(DimVector{-1, 0}, 0); }), "");
}

TEST(Views, ChainsGiveTheRightNumbers) {
  ValuePtr x = range({2, 3});
  EXPECT_EQ(numbers(functions::apply(x, transpose_views(x->shape, 0, -1))), (Numbers{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(numbers(functions::apply(x, select_views(x->shape, 1, -1))), (Numbers{2, 5}));
  EXPECT_EQ(numbers(functions::apply(x, narrow_views(x->shape, 1, 0, 2, 2))), (Numbers{0, 2, 3, 5}));
  EXPECT_EQ(numbers(flip(x, DimVector{0, 1})), (Numbers{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(numbers(stack({x, x}, -1)), (Numbers{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5}));
}

TEST(Views, MessagesNameSizes) {
  EXPECT_EQ(error_of([] { select_views(Shape::of({2, 3}), 1, 3); }),
            "index 3 is out of bounds for dimension 1 with size 3");
  EXPECT_TRUE(
      contains(error_of([] { expand_views(Shape::of({3, 2}), DimVector{3, 4}); }),
               "The expanded size of the tensor (4) must match the existing size (2) at non-singleton dimension 1"));
  EXPECT_TRUE(contains(error_of([] { cat({range({2, 3}), range({2, 4})}, 0); }), "Expected size 3 but got size 4"));
  EXPECT_NE(error_of([] { permute_views(Shape::of({2, 3}), DimVector{0, 0}); }), "");
}

TEST(Reductions, OfEmptyTensors) {
  ValuePtr empty = leaf({0, 2}, {});
  EXPECT_EQ(numbers(sum(empty, DimVector{0}, false, std::nullopt)), (Numbers{0, 0}));
  EXPECT_EQ(numbers(prod(empty, DimVector{0}, false, std::nullopt)), (Numbers{1, 1}));
  EXPECT_TRUE(contains(error_of([&] { extremum(Op::amax, empty, DimVector{0}, false); }), "to have non-zero size"));
  EXPECT_EQ(sum(of_type(DType::kBool, {3}), std::nullopt, false, std::nullopt)->dtype, DType::kInt64);
  EXPECT_TRUE(contains(error_of([] { mean(of_type(DType::kInt64, {2}), std::nullopt, false, std::nullopt); }),
                       "could not infer output dtype"));
}

TEST(Indexing, BoundsAreCheckedWhenRecorded) {
  ValuePtr x = range({2, 3});
  ValuePtr beyond = testing::leaf_of(Shape::of({1, 1}), DType::kInt64, std::vector<std::int64_t>{3});
  EXPECT_EQ(error_of([&] { gather(x, 1, beyond); }), "index 3 is out of bounds for dimension 1 with size 3");
  EXPECT_TRUE(contains(error_of([&] { gather(x, 1, range({1, 1})); }), "Expected dtype int32/int64 for index"));
}

}  // namespace
}  // namespace lamina::functions
