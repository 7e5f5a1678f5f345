// Views, in-place operations through them, versions, detached aliases, and memory that the outside shares.
#include <gtest/gtest.h>

#include <thread>

#include "autograd/gradients.h"
#include "engine/variable.h"
#include "recorded_values.h"

namespace lamina::engine {
namespace {

using build::operator*;
using build::operator+;
using testing::contains;
using testing::error_of;
using testing::leaf;
using testing::Numbers;
using testing::parameter;
using testing::range;

ViewSpec reshaped(std::initializer_list<std::int64_t> dims) { return {Op::reshape, Shape::of(dims), nullptr}; }
ViewSpec permuted(std::initializer_list<std::int64_t> dims, std::initializer_list<std::int64_t> axes) {
  return {Op::permute, Shape::of(dims), Attribute::of(axes)};
}
ViewSpec sliced(std::initializer_list<std::int64_t> dims, std::initializer_list<std::int64_t> starts_and_steps) {
  return {Op::slice, Shape::of(dims), Attribute::of(starts_and_steps)};
}
Numbers read(Variable& variable) { return testing::numbers(current(variable)); }
void scale(Variable& variable, double factor) {
  check_assignable(variable);
  assign(variable, current(variable) * factor);
}

Numbers gradient_of(const ValuePtr& root, const ValuePtr& input) {
  struct Ignore : GradientObserver {
    void leaf(Value*, ValuePtr) override {}
    ValuePtr hooked(Value*, ValuePtr gradient) override { return gradient; }
  } ignore;
  Value *roots[] = {root.get()}, *inputs[] = {input.get()};
  ValuePtr seed = build::full(root->shape, 1, root->dtype);
  GradientOptions options;
  options.inputs = inputs;
  ValuePtr result = gradients(roots, std::span<const ValuePtr>(&seed, 1), options, ignore)[0];
  return result ? testing::numbers(result) : Numbers{};
}

TEST(Variable, ChangeOfTheBaseIsSeenInViews) {
  Variable base(range({2, 3}));
  Variable row = view_of(base, {sliced({1, 3}, {1, 0, 1, 1}), reshaped({3})});
  Variable turned = view_of(base, {permuted({3, 2}, {1, 0})});
  scale(base, 10);
  EXPECT_EQ(read(row), (Numbers{30, 40, 50}));
  EXPECT_EQ(read(turned), (Numbers{0, 30, 10, 40, 20, 50}));
}

TEST(Variable, ChangeThroughAViewIsSeenInTheBaseAndInOtherViews) {
  Variable base(range({2, 3}));
  Variable turned = view_of(base, {permuted({3, 2}, {1, 0})});
  Variable row = view_of(turned, {sliced({1, 2}, {1, 0, 1, 1})});  // column 1 of the base
  Variable flat = view_of(base, {reshaped({6})});
  scale(row, -1);
  EXPECT_EQ(read(base), (Numbers{0, -1, 2, 3, -4, 5}));
  EXPECT_EQ(read(flat), (Numbers{0, -1, 2, 3, -4, 5}));
  EXPECT_EQ(read(row), (Numbers{-1, -4}));
  scale(flat, 2);
  EXPECT_EQ(read(row), (Numbers{-2, -8}));
}

TEST(Variable, NegativeAndSteppedSlicesAreWrittenBack) {
  Variable base(range({6}));
  Variable part = view_of(base, {sliced({3}, {5, -2})});  // elements 5, 3, 1
  check_assignable(part);
  assign(part, leaf({3}, {50, 30, 10}));
  EXPECT_EQ(read(base), (Numbers{0, 10, 2, 30, 4, 50}));
}

TEST(Variable, ViewsOutliveTheBase) {
  Variable view;
  {
    Variable base(range({4}));
    view = view_of(base, {reshaped({2, 2})});
  }
  scale(view, 3);
  EXPECT_EQ(read(view), (Numbers{0, 3, 6, 9}));
}

TEST(Variable, ValuesTakenBeforeAChangeKeepTheirNumbers) {
  Variable base(range({3}));
  ValuePtr before = current(base);
  ValuePtr pending = before + before;
  scale(base, 5);
  EXPECT_EQ(testing::numbers(before), (Numbers{0, 1, 2}));
  EXPECT_EQ(testing::numbers(pending), (Numbers{0, 2, 4}));
  EXPECT_EQ(read(base), (Numbers{0, 5, 10}));
}

TEST(Variable, VersionsCountChangesButNotThoseThroughData) {
  Variable base(range({3}));
  Variable view = view_of(base, {reshaped({3, 1})}), alias = detached(base, true), data = detached(base, false);
  EXPECT_EQ(base.cell->changes, 0u);
  scale(view, 2);
  EXPECT_EQ(base.cell->changes, 1u);
  scale(alias, 2);
  EXPECT_EQ(base.cell->changes, 2u);
  scale(data, 2);
  EXPECT_EQ(base.cell->changes, 2u);
  EXPECT_EQ(read(base), (Numbers{0, 8, 16}));
  EXPECT_EQ(read(data), (Numbers{0, 8, 16}));
  Variable alone(range({1}));
  scale(alone, 2);
  EXPECT_EQ(alone.changes, 1u);
}

TEST(Variable, LeafThatRequiresGradientIsRefused) {
  Variable weight(parameter({2}, {1, 2}));
  EXPECT_EQ(error_of([&] { check_assignable(weight); }),
            "a leaf Variable that requires grad is being used in an in-place operation.");
  Variable view = view_of(weight, {reshaped({2, 1})});
  EXPECT_EQ(error_of([&] { check_assignable(view); }),
            "a view of a leaf Variable that requires grad is being used in an in-place operation.");
  LeafState* state = current(weight)->leaf;
  GradMode off(false);
  scale(weight, 3);
  EXPECT_EQ(read(weight), (Numbers{3, 6}));
  EXPECT_EQ(current(weight)->leaf, state);  // still the same leaf
  EXPECT_TRUE(current(weight)->requires_grad());
}

TEST(Variable, DataOfALeafCanBeChanged) {
  Variable weight(parameter({2}, {1, 2}));
  Variable data = detached(weight, false);
  EXPECT_FALSE(current(data)->requires_grad());
  check_assignable(data);
  assign(data, leaf({2}, {7, 8}));
  EXPECT_EQ(read(weight), (Numbers{7, 8}));
  EXPECT_TRUE(current(weight)->requires_grad());
  EXPECT_NE(current(weight)->leaf, nullptr);
}

TEST(Variable, ExpandedViewsAreWrittenWhereTheyShowAnElementOnce) {
  Variable base(range({3, 1}));
  Variable wide = view_of(base, {{Op::expand, Shape::of({3, 2}), nullptr}});
  std::string message = error_of([&] { check_assignable(wide); });
  EXPECT_TRUE(contains(message, "more than one element of the written-to tensor refers to a single memory location"))
      << message;
  Variable part = view_of(wide, {sliced({3, 1}, {0, 0, 1, 1})});
  EXPECT_EQ(read(base), (Numbers{0, 1, 2}));
  check_assignable(part);
  assign(part, leaf({3, 1}, {5, 6, 7}));
  EXPECT_EQ(read(base), (Numbers{5, 6, 7}));
  EXPECT_EQ(read(wide), (Numbers{5, 5, 6, 6, 7, 7}));
}

TEST(Variable, ReadOnlyMemoryIsRefused) {
  float memory[2] = {1, 2};
  Variable array(make_leaf(
      runtime::wrap_external(memory, sizeof memory, [](void*) {}, nullptr, true), Shape::of({2}), DType::kFloat32));
  EXPECT_TRUE(contains(error_of([&] { check_assignable(array); }), "cannot write to a tensor over a read-only array"));
}

TEST(Variable, GradientsFlowThroughAChangedView) {
  ValuePtr w = parameter({4}, {1, 2, 3, 4});
  Variable base(w * 2.0);
  Variable part = view_of(base, {sliced({2}, {1, 1})});
  scale(part, 10);
  EXPECT_EQ(read(base), (Numbers{2, 40, 60, 8}));
  EXPECT_EQ(gradient_of(build::sum_all(current(base)), w), (Numbers{2, 20, 20, 2}));
}

TEST(Variable, OverwrittenPartHasNoGradient) {
  ValuePtr w = parameter({3}, {1, 2, 3});
  Variable base(w * 2.0);
  Variable part = view_of(base, {sliced({1}, {0, 1})});
  check_assignable(part);
  assign(part, leaf({1}, {100}));
  EXPECT_EQ(gradient_of(build::sum_all(current(base)), w), (Numbers{0, 2, 2}));
}

TEST(Variable, WhollyOverwrittenTensorKeepsAHistoryOfZero) {
  ValuePtr w = parameter({2}, {1, 2});
  Variable y(w * 2.0);
  check_assignable(y);
  assign(y, leaf({2}, {5, 5}));
  EXPECT_TRUE(current(y)->requires_grad());
  EXPECT_EQ(gradient_of(build::sum_all(current(y)), w), (Numbers{0, 0}));
}

TEST(Variable, ChangeOfWhatAGradientReadsIsAnError) {
  ValuePtr w = parameter({2}, {1, 2});
  Variable factor(range({2}));
  ValuePtr product = w * current(factor);
  scale(factor, 2);
  EXPECT_TRUE(contains(error_of([&] { gradient_of(product, w); }), "modified by an inplace operation"));
  // Through .data it goes unseen, as in PyTorch.
  ValuePtr later = w * current(factor);
  Variable data = detached(factor, false);
  scale(data, 3);
  EXPECT_EQ(error_of([&] { gradient_of(later, w); }), "");
}

TEST(Variable, ChangeThroughAViewOfWhatAGradientReadsIsAnError) {
  ValuePtr w = parameter({2}, {1, 2});
  Variable factor(range({2}));
  Variable view = view_of(factor, {reshaped({2, 1})});
  ValuePtr product = w * current(factor);
  scale(view, 2);
  EXPECT_TRUE(contains(error_of([&] { gradient_of(product, w); }), "modified by an inplace operation"));
}

TEST(Variable, OperationsOfTwoThreadsInterleave) {
  ValuePtr w = parameter({2}, {1, 2});
  Variable x(w * 3.0), y(range({2}));
  check_assignable(x);
  std::thread([&] { scale(y, 2); }).join();  // while the other waits for numbers
  assign(x, current(x) * current(x));        // the operation's own product may read the old x
  EXPECT_EQ(gradient_of(current(x), w), (Numbers{18, 36}));

  ValuePtr product = w * current(y);
  allow_changes_of_saved(true);
  std::thread([&] { scale(y, 2); }).join();  // the permission is this thread's
  allow_changes_of_saved(false);
  EXPECT_TRUE(contains(error_of([&] { gradient_of(product, w); }), "modified by an inplace operation"));
}

TEST(Variable, ReplacedVariableLeavesItsViewsBehind) {
  Variable base(range({2}));
  Variable view = view_of(base, {reshaped({2, 1})});
  replace(base, leaf({2}, {8, 9}));
  EXPECT_EQ(read(base), (Numbers{8, 9}));
  EXPECT_EQ(read(view), (Numbers{0, 1}));
  scale(base, 2);
  EXPECT_EQ(read(view), (Numbers{0, 1}));
}

TEST(Variable, ExposedMemoryIsWrittenThrough) {
  float memory[4] = {1, 2, 3, 4};
  Variable array(make_leaf(
      runtime::wrap_external(memory, sizeof memory, [](void*) {}, nullptr, false), Shape::of({2, 2}), DType::kFloat32));
  scale(array, 10);
  EXPECT_EQ(memory[3], 40.0f);
  Variable column = view_of(array, {sliced({2, 1}, {0, 1, 1, 1})});
  scale(column, -1);
  EXPECT_EQ(memory[0], 10.0f);
  EXPECT_EQ(memory[1], -20.0f);
  EXPECT_EQ(memory[3], -40.0f);
  memory[0] = 7;  // and what the outside writes is read
  EXPECT_EQ(read(array), (Numbers{7, -20, 30, -40}));
}

// The new numbers are the old memory, turned.
TEST(Variable, ExposedMemoryMayBeItsOwnSource) {
  float memory[4] = {1, 2, 3, 4};
  Variable array(make_leaf(
      runtime::wrap_external(memory, sizeof memory, [](void*) {}, nullptr, false), Shape::of({2, 2}), DType::kFloat32));
  check_assignable(array);
  assign(array, build::swap_axes(current(array), 0, 1));
  EXPECT_EQ(Numbers(memory, memory + 4), (Numbers{1, 3, 2, 4}));
  check_assignable(array);
  assign(array, build::flip(current(array), 0));
  EXPECT_EQ(Numbers(memory, memory + 4), (Numbers{2, 4, 1, 3}));
}

TEST(Variable, ExportedBaseHasMemoryOfItsOwn) {
  ValuePtr shared = range({3});
  Variable one(build::detach(shared)), other(shared);
  make_exportable(one);
  EXPECT_NE(current(one)->storage, shared->storage);
  Variable spread(build::full(Shape::of({2, 2}), 5, DType::kFloat32));
  make_exportable(spread);
  EXPECT_EQ(current(spread)->layout.strides, nullptr);
  EXPECT_EQ(current(spread)->storage->bytes, 16u);
  EXPECT_EQ(read(spread), (Numbers{5, 5, 5, 5}));
}

TEST(Variable, LogicalLayoutIsPyTorchs) {
  Variable base(range({2, 3}));
  Variable turned = view_of(base, {permuted({3, 2}, {1, 0})});
  EXPECT_TRUE(is_contiguous(base));
  EXPECT_FALSE(is_contiguous(turned));
  EXPECT_EQ(logical_layout(turned).strides, (DimVector{1, 3}));
  EXPECT_TRUE(is_viewable_as(base, Shape::of({6})));
  EXPECT_FALSE(is_viewable_as(turned, Shape::of({6})));
  EXPECT_TRUE(is_viewable_as(turned, Shape::of({3, 1, 2})));
  Variable row = view_of(base, {sliced({1, 3}, {1, 0, 1, 1})});
  EXPECT_EQ(logical_layout(row).offset, 3);
  EXPECT_TRUE(is_contiguous(row));
}

TEST(Variable, UnsharedCopiesOnlyWhatOthersHold) {
  ValuePtr pending = build::neg(range({2}));
  Value* raw = pending.get();
  EXPECT_EQ(unshared(std::move(pending)).get(), raw);
  ValuePtr held = build::neg(range({2}));
  EXPECT_NE(unshared(held).get(), held.get());
}

TEST(Variable, DeepChainsOfChangesAreFreed) {
  flush();
  std::int64_t before = live_value_count();
  {
    Variable base(range({4}));
    Variable view = view_of(base, {sliced({2}, {1, 1})});
    for (int i = 0; i < 20'000; ++i) {
      scale(view, 1);
      flush_if_due();
    }
    EXPECT_EQ(read(base), (Numbers{0, 1, 2, 3}));
  }
  flush();
  EXPECT_EQ(live_value_count(), before);
}

}  // namespace
}  // namespace lamina::engine
