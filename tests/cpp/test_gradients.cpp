// The walk: sums over paths, order, freeing, selection, and depth. The rules of single ops are tested from the op
// table.
#include <gtest/gtest.h>

#include <vector>

#include "autograd/gradients.h"
#include "graph/scope.h"
#include "recorded_values.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using testing::contains;
using testing::error_of;
using testing::leaf;
using testing::Numbers;
using testing::numbers;
using testing::parameter;

struct Observer : GradientObserver {
  std::vector<std::pair<Value*, ValuePtr>> leaves;
  std::vector<Value*> hooked_nodes;

  void leaf(Value* value, ValuePtr gradient) override { leaves.emplace_back(value, std::move(gradient)); }
  ValuePtr hooked(Value* value, ValuePtr gradient) override {
    if (!value->has(kHasHooks)) return gradient;  // a leaf
    hooked_nodes.push_back(value);
    return gradient * 10.0;
  }
  Numbers of(const ValuePtr& value) const {
    for (const auto& [node, gradient] : leaves)
      if (node == value.get()) return numbers(gradient);
    return {};
  }
};

std::vector<ValuePtr> differentiate(const ValuePtr& root, Observer& observer, const GradientOptions& options = {}) {
  Value* roots[] = {root.get()};
  ValuePtr seed = build::full(root->shape, 1, root->dtype);
  return gradients(roots, std::span<const ValuePtr>(&seed, 1), options, observer);
}

TEST(Gradients, ProductRule) {
  ValuePtr x = parameter({2}, {2, 3}), y = parameter({2}, {5, 7});
  Observer observer;
  differentiate(build::sum_all(x * y + x), observer);
  EXPECT_EQ(observer.of(x), (Numbers{6, 8}));
  EXPECT_EQ(observer.of(y), (Numbers{2, 3}));
}

TEST(Gradients, PathsAddUp) {
  ValuePtr x = parameter({1}, {3});
  ValuePtr y = x * x;
  Observer observer;
  differentiate(y * y + y * x, observer);  // x^4 + x^3
  EXPECT_EQ(observer.of(x), (Numbers{4 * 27 + 3 * 9}));
  EXPECT_EQ(observer.leaves.size(), 1u);  // reported once, with the full gradient
}

TEST(Gradients, BroadcastOperandsGetSums) {
  ValuePtr row = parameter({3}, {1, 2, 3}), column = parameter({2, 1}, {10, 20});
  Observer observer;
  differentiate(build::sum_all(row * column), observer);
  EXPECT_EQ(observer.of(row), (Numbers{30, 30, 30}));
  EXPECT_EQ(observer.of(column), (Numbers{6, 6}));
  ASSERT_EQ(observer.leaves.size(), 2u);
  for (const auto& [value, gradient] : observer.leaves) EXPECT_EQ(value->shape, gradient->shape);
}

TEST(Gradients, SeveralRootsWithSeeds) {
  ValuePtr x = parameter({2}, {2, 3});
  ValuePtr square = x * x, triple = x * 3.0;
  Value* roots[] = {square.get(), triple.get()};
  std::vector<ValuePtr> seeds{leaf({2}, {1, 10}), leaf({2}, {100, 1000})};
  Observer observer;
  gradients(roots, seeds, {}, observer);
  EXPECT_EQ(observer.of(x), (Numbers{304, 3060}));
}

TEST(Gradients, RootWithoutGradientIsRefused) {
  ValuePtr x = leaf({1}, {1});
  Observer observer;
  EXPECT_EQ(error_of([&] { differentiate(x * 2.0, observer); }),
            "element 0 of tensors does not require grad and does not have a grad_fn");
}

TEST(Gradients, SecondWalkNeedsRetainedGraph) {
  ValuePtr x = parameter({1}, {3});
  std::uint32_t outside = enter_scope("net");
  ValuePtr y = x * x;
  leave_scope(outside);
  GradientOptions keep;
  keep.retain_graph = true;
  for (int i = 0; i < 2; ++i) {
    Observer observer;
    differentiate(y, observer, keep);
    EXPECT_EQ(observer.of(x), (Numbers{6}));
  }
  Observer last;
  differentiate(y, last);
  EXPECT_EQ(last.of(x), (Numbers{6}));
  std::string message = error_of([&] { differentiate(y, last); });
  EXPECT_TRUE(contains(message, "Trying to backward through the graph a second time")) << message;
  EXPECT_TRUE(contains(message, "MulBackward0 (in net)")) << message;
}

TEST(Gradients, FreedGraphIsFoundBeforeAnythingHappens) {
  ValuePtr x = parameter({1}, {3}), z = parameter({1}, {4});
  ValuePtr shared = x * x;
  Observer observer;
  differentiate(shared + z, observer);
  observer.leaves.clear();
  ValuePtr again = shared * z;
  EXPECT_THROW(differentiate(again, observer), Error);
  EXPECT_TRUE(observer.leaves.empty());  // z's gradient has not been reported
  EXPECT_FALSE(again->has(kHistoryFreed));
}

TEST(Gradients, WhatSavesNothingIsNotFreed) {
  ValuePtr x = parameter({2}, {1, 2});
  ValuePtr y = build::sum_all(x + x);
  for (int i = 0; i < 2; ++i) {
    Observer observer;
    differentiate(y, observer);
    EXPECT_EQ(observer.of(x), (Numbers{2, 2}));
  }
}

TEST(Gradients, SelectedInputsOnly) {
  ValuePtr x = parameter({1}, {2}), y = parameter({1}, {5}), unused = parameter({1}, {1});
  ValuePtr middle = x * y;
  ValuePtr root = middle * middle;
  Value* wanted[] = {y.get(), middle.get(), unused.get()};
  GradientOptions options;
  options.inputs = wanted;
  Observer observer;
  auto results = differentiate(root, observer, options);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(numbers(results[0]), (Numbers{40}));
  EXPECT_EQ(numbers(results[1]), (Numbers{20}));
  EXPECT_FALSE(results[2]);
  EXPECT_TRUE(observer.leaves.empty());
}

TEST(Gradients, SelectionLeavesOtherBranchesAlone) {
  ValuePtr x = parameter({1}, {2}), y = parameter({1}, {5});
  ValuePtr left = x * x, right = y * y;
  ValuePtr root = left + right;
  Value* wanted[] = {x.get()};
  GradientOptions options;
  options.inputs = wanted;
  Observer observer;
  differentiate(root, observer, options);
  EXPECT_TRUE(left->has(kHistoryFreed));
  EXPECT_FALSE(right->has(kHistoryFreed));
}

TEST(Gradients, RootAmongTheInputs) {
  ValuePtr x = parameter({1}, {2});
  ValuePtr y = x * x;
  Value* wanted[] = {y.get()};
  GradientOptions options;
  options.inputs = wanted;
  Observer observer;
  EXPECT_EQ(numbers(differentiate(y, observer, options)[0]), (Numbers{1}));
}

TEST(Gradients, VisitsInReverseCreationOrder) {
  ValuePtr x = parameter({1}, {2});
  LeafPtr hooks = LeafPtr::adopt(new LeafState);
  ValuePtr first = x * 2.0, second = x * 3.0, third = first * second, last = third + first;
  for (const ValuePtr& value : {first, second, third, last}) {
    attach_hooks(value.get(), hooks);
    value->flags |= kHasHooks;
  }
  Observer observer;
  differentiate(last, observer);
  EXPECT_EQ(observer.hooked_nodes, (std::vector<Value*>{last.get(), third.get(), second.get(), first.get()}));
}

TEST(Gradients, HooksReplaceTheGradient) {
  ValuePtr x = parameter({1}, {2});
  ValuePtr y = x * 3.0;
  attach_hooks(y.get(), LeafPtr::adopt(new LeafState));
  y->flags |= kHasHooks;
  Observer observer;
  differentiate(y * 5.0, observer);
  EXPECT_EQ(observer.of(x), (Numbers{150}));
}

TEST(Gradients, CreateGraphGivesSecondDerivatives) {
  ValuePtr x = parameter({1}, {3});
  Value* wanted[] = {x.get()};
  GradientOptions options;
  options.inputs = wanted;
  options.create_graph = options.retain_graph = true;
  Observer observer;
  ValuePtr slope = differentiate(x * x * x, observer, options)[0];
  ASSERT_TRUE(slope->requires_grad());
  ValuePtr curvature = differentiate(slope, observer, options)[0];
  EXPECT_EQ(numbers(slope), (Numbers{27}));
  EXPECT_EQ(numbers(curvature), (Numbers{18}));
  options.create_graph = false;
  EXPECT_FALSE(differentiate(x * x, observer, options)[0]->requires_grad());
}

TEST(Gradients, OverwrittenOperandIsRefused) {
  ValuePtr x = parameter({1}, {3}), saved = leaf({1}, {2});
  ValuePtr y = x * saved;
  saved->flags |= kOverwritten;
  saved->overwritten_at = current_sequence();
  Observer observer;
  std::string message = error_of([&] { differentiate(y, observer); });
  EXPECT_TRUE(contains(message, "modified by an inplace operation")) << message;
  EXPECT_TRUE(contains(message, "shape [1], which MulBackward0")) << message;
  // What is recorded after the change uses the new numbers.
  ValuePtr later = x * saved;
  differentiate(later, observer);
  EXPECT_EQ(observer.of(x), (Numbers{2}));
}

// A gradient that is a part of one spread number: found by reading beyond what the slice has room for.
TEST(Gradients, PartsOfASpreadNumber) {
  for (int flushed = 0; flushed < 2; ++flushed) {
    ValuePtr a = parameter({2, 3}, Numbers(6, 1)), b = parameter({500, 3}, Numbers(1500, 1));
    ValuePtr root = build::sum_all(build::cat(std::vector<ValuePtr>{a, b}, 0));
    if (flushed) engine::flush();
    Observer observer;
    differentiate(root, observer);
    EXPECT_EQ(observer.of(a), Numbers(6, 1));
    EXPECT_EQ(observer.of(b), Numbers(1500, 1));
  }
}

// Whatever lies where, and whether what reads the whole value comes first, last or in between.
TEST(Gradients, SlicesAddUp) {
  const auto part = [](const ValuePtr& x, std::int64_t start, std::int64_t step) {
    return build::narrow(x, 0, start, 3, step);
  };
  const ValuePtr weights = leaf({3}, {1, 10, 100});
  for (int whole = -1; whole < 4; ++whole) {
    ValuePtr x = parameter({7}, Numbers(7, 1)), y = x * 2.0, total = build::number(0, y->dtype);
    const auto add = [&](const ValuePtr& term) { total = build::add(total, build::sum_all(term)); };
    for (int i = 0; i < 4; ++i) {
      if (i == whole) add(y * 1000.0);
      add(part(y, i == 3 ? 6 : 2 * i - i / 2, i == 3 ? -3 : 1) * weights);  // 0 to 2, 2 to 4, 3 to 5, and 6, 3, 0
    }
    Observer observer;
    differentiate(total, observer);
    Numbers expected{202, 20, 202, 42, 220, 200, 2};
    for (float& number : expected) number += whole >= 0 ? 2000.0f : 0.0f;
    EXPECT_EQ(observer.of(x), expected);
  }
}

TEST(Gradients, HundredThousandDeep) {
  std::int64_t before = live_value_count();
  {
    ValuePtr x = parameter({1}, {1});
    ValuePtr y = x;
    for (int i = 0; i < 100'000; ++i) {
      y = y * 1.0;
      engine::flush_if_due();
    }
    Observer observer;
    differentiate(y, observer);
    EXPECT_EQ(observer.of(x), (Numbers{1}));
  }
  engine::flush();
  EXPECT_EQ(live_value_count(), before);
}

}  // namespace
}  // namespace lamina
