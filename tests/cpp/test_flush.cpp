// Which values get their numbers when a program runs, what is let go, and that steps of a loop leave nothing behind.
#include <gtest/gtest.h>

#include "autograd/gradients.h"
#include "compile/plan_cache.h"
#include "engine/flush.h"
#include "graph/scope.h"
#include "graph/tape.h"
#include "recorded_values.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using build::operator-;
using testing::contains;
using testing::error_of;
using testing::leaf;
using testing::Numbers;
using testing::numbers;
using testing::parameter;
using testing::range;

TEST(Flush, IntermediatesAreFreedUnseen) {
  engine::flush();
  std::int64_t before = live_value_count();
  auto buffers = runtime::memory_stats().live_buffers;
  ValuePtr x = range({3});
  ValuePtr y = build::neg(build::exp(x)) + x;
  EXPECT_EQ(live_value_count(), before + 2);  // x and y: nobody holds what lies between
  engine::flush();
  EXPECT_EQ(live_value_count(), before + 2);
  EXPECT_EQ(runtime::memory_stats().live_buffers, buffers + 2);
  EXPECT_TRUE(y->operands().empty());  // no history is wanted: it does not know what made it
}

TEST(Flush, HeldIntermediateKeepsItsNumbers) {
  ValuePtr x = range({3});
  ValuePtr inner = x * 2.0, outer = inner + x;
  engine::flush();
  EXPECT_TRUE(inner->is_realized());
  EXPECT_EQ(numbers(inner), (Numbers{0, 2, 4}));
  EXPECT_EQ(numbers(outer), (Numbers{0, 3, 6}));
}

TEST(Flush, WhatGradientsReadIsKeptAndTheRestIsNot) {
  ValuePtr w = parameter({3}, {1, 2, 3});
  ValuePtr scaled = w * 2.0;               // read by the product below
  ValuePtr shifted = scaled + range({3});  // an addition's operands and result are read by nobody
  ValuePtr again = shifted + range({3});
  ValuePtr product = again * scaled;
  Value *scaled_value = scaled.get(), *shifted_value = shifted.get(), *again_value = again.get();
  ValuePtr total = build::sum_all(product);
  Value* product_value = product.get();
  scaled.reset(), shifted.reset(), again.reset(), product.reset();
  engine::flush();
  EXPECT_TRUE(total->is_realized());
  EXPECT_TRUE(scaled_value->is_realized());
  EXPECT_TRUE(again_value->is_realized());
  EXPECT_FALSE(shifted_value->is_realized());
  EXPECT_FALSE(product_value->is_realized());
}

TEST(Flush, ReluKeepsItsResultOnly) {
  ValuePtr w = parameter({2}, {-1, 2});
  ValuePtr before = w * 3.0, after = build::relu(before);
  Value *before_value = before.get(), *after_value = after.get();
  ValuePtr total = build::sum_all(after);
  before.reset(), after.reset();
  engine::flush();
  EXPECT_FALSE(before_value->is_realized());
  EXPECT_TRUE(after_value->is_realized());
}

TEST(Flush, DetachedBranchKeepsNothing) {
  ValuePtr w = parameter({2}, {1, 2});
  ValuePtr total;
  std::int64_t before = live_value_count();
  {
    GradMode off(false);
    ValuePtr square = w * w;
    total = build::sum_all(square);
    EXPECT_EQ(live_value_count(), before + 2);
  }
  EXPECT_FALSE(total->requires_grad());
  EXPECT_EQ(live_value_count(), before + 1);  // the square is freed
  EXPECT_EQ(numbers(total), (Numbers{5}));
}

TEST(Flush, DetachedOperandLetsGoOfItsHistory) {
  ValuePtr w = parameter({2}, {1, 2});
  std::int64_t before = live_value_count();
  ValuePtr sum = build::detach(w * w) + w;  // whose gradient reads neither
  EXPECT_EQ(live_value_count(), before + 3);
  EXPECT_EQ(numbers(sum), (Numbers{2, 6}));
  EXPECT_EQ(live_value_count(), before + 2);  // the sum and what was detached
}

TEST(Flush, DyingInputsMemoryIsReused) {
  engine::flush();
  runtime::empty_cache();
  auto before = runtime::memory_stats().live_bytes;
  ValuePtr x = range({1000});
  for (int step = 0; step < 5; ++step) {
    void* memory = x->storage->data;
    x = x + 1.0;
    engine::flush();
    EXPECT_EQ(x->storage->data, memory);
  }
  EXPECT_EQ(runtime::memory_stats().live_bytes, before + 4000);
  EXPECT_EQ(numbers(x)[7], 12);
}

TEST(Flush, InputThatSomeoneHoldsIsNotOverwritten) {
  ValuePtr x = range({4});
  ValuePtr held = x;
  x = x + 1.0;
  engine::flush();
  EXPECT_EQ(numbers(held), (Numbers{0, 1, 2, 3}));
  EXPECT_EQ(numbers(x), (Numbers{1, 2, 3, 4}));
}

TEST(Flush, InputWhoseMemoryAViewSharesIsNotOverwritten) {
  ValuePtr x = range({4});
  ValuePtr part = build::narrow(x, 0, 1, 2);
  x = x * 10.0;
  engine::flush();
  EXPECT_EQ(numbers(part), (Numbers{1, 2}));
}

TEST(Flush, InputThatAGradientReadsIsNotOverwritten) {
  ValuePtr w = parameter({2}, {5, 7});
  ValuePtr x = leaf({2}, {1, 2});
  Value* input = x.get();
  ValuePtr product = w * x;
  x = x + 1.0;
  engine::flush();
  ASSERT_TRUE(input->is_realized());
  EXPECT_EQ(numbers(ValuePtr(input)), (Numbers{1, 2}));
  EXPECT_EQ(numbers(x), (Numbers{2, 3}));
}

TEST(Flush, ReadOnlyAndExposedInputsAreNotOverwritten) {
  for (int kind = 0; kind < 2; ++kind) {
    float memory[2] = {1, 2};
    ValuePtr x = make_leaf(runtime::wrap_external(
                               memory, sizeof memory, [](void*) {}, nullptr, kind == 0),
                           Shape::of({2}), DType::kFloat32);
    x = x + 1.0;
    engine::flush();
    EXPECT_EQ(numbers(x), (Numbers{2, 3}));
    EXPECT_EQ(memory[0], 1.0f);
  }
}

TEST(Flush, ExposedMemoryIsReadAtOnce) {
  float memory[2] = {1, 2};
  ValuePtr x = make_leaf(
      runtime::wrap_external(memory, sizeof memory, [](void*) {}, nullptr, false), Shape::of({2}), DType::kFloat32);
  ValuePtr y = x * 2.0;
  engine::flush_if_due();
  memory[0] = 100;  // seen by nothing that was recorded before
  EXPECT_TRUE(y->is_realized());
  EXPECT_EQ(numbers(y), (Numbers{2, 4}));
}

TEST(Flush, BudgetOfPendingValues) {
  engine::flush();
  std::int64_t before = engine::flush_count();
  ValuePtr x = range({2});
  for (int i = 0; i < 80'000; ++i) {
    x = build::neg(x);
    engine::flush_if_due();
    ASSERT_LT(Tape::current().recording().values.size(), 32'768u);
  }
  EXPECT_EQ(engine::flush_count() - before, 2);
  EXPECT_EQ(numbers(x), (Numbers{0, 1}));
}

TEST(Flush, BudgetOfPendingBytes) {
  engine::flush();
  ValuePtr small = build::neg(range({2}));
  std::int64_t before = engine::flush_count();
  engine::flush_if_due();
  EXPECT_EQ(engine::flush_count(), before);
  const auto add_gigabyte = [] { build::full(Shape::of({1 << 14, 1 << 14}), 1, DType::kFloat32); };  // and drop it
  add_gigabyte();
  engine::flush_if_due();
  EXPECT_EQ(engine::flush_count(), before);  // a few large values may become one pass
  for (int i = 2; i < 32; ++i) add_gigabyte();
  engine::flush_if_due();
  EXPECT_EQ(engine::flush_count(), before + 1);
  EXPECT_TRUE(small->is_realized());
}

TEST(Flush, NothingPendingIsNothingRun) {
  engine::flush();
  std::int64_t before = engine::flush_count();
  engine::flush();
  EXPECT_EQ(engine::flush_count(), before);
  EXPECT_EQ(engine::describe_pending(), "nothing is pending\n");
}

TEST(Flush, MemoryIsConstantOverTrainingSteps) {
  struct Store : GradientObserver {
    std::vector<std::pair<Value*, ValuePtr>> all;
    void leaf(Value* value, ValuePtr gradient) override { all.emplace_back(value, std::move(gradient)); }
    ValuePtr hooked(Value*, ValuePtr gradient) override { return gradient; }
  };
  ValuePtr w1 = parameter({8, 16}, Numbers(128, 0.1f)), w2 = parameter({16, 1}, Numbers(16, 0.1f));
  ValuePtr x = range({4, 8}) * 0.01;
  engine::realize(x.get());
  std::int64_t values = 0;
  runtime::MemoryStats first{};
  std::int64_t compiled = 0;
  for (int step = 0; step < 50; ++step) {
    ValuePtr y = build::matmul(build::relu(build::matmul(x, w1)), w2);
    ValuePtr loss = build::sum_all(build::square(y - 1.0));
    ValuePtr seed = build::full(Shape::scalar(), 1, DType::kFloat32);
    Value* roots[] = {loss.get()};
    Store store;
    gradients(roots, std::span<const ValuePtr>(&seed, 1), {}, store);
    ASSERT_EQ(store.all.size(), 2u);
    for (ValuePtr* weight : {&w1, &w2})
      for (auto& [value, gradient] : store.all)
        if (value == weight->get()) {
          GradMode off(false);
          ValuePtr updated = *weight - gradient * (0.01 / (step + 1));
          attach_leaf(updated.get(), LeafPtr((*weight)->leaf));
          updated->flags |= kRequiresGrad;
          *weight = updated;
          break;
        }
    y.reset(), loss.reset(), seed.reset(), store.all.clear();
    engine::flush();
    if (step == 2) {
      values = live_value_count();
      first = runtime::memory_stats();
      compiled = plan_cache_stats().compiled;
    } else if (step > 2) {
      ASSERT_EQ(live_value_count(), values) << step;
      ASSERT_EQ(runtime::memory_stats().live_bytes, first.live_bytes) << step;
      ASSERT_EQ(runtime::memory_stats().live_buffers, first.live_buffers) << step;
      ASSERT_EQ(runtime::memory_stats().reserved_bytes, first.reserved_bytes) << step;
      ASSERT_EQ(plan_cache_stats().compiled, compiled) << step;
    }
  }
}

TEST(Flush, ShapeOnlyRunHasNoNumbers) {
  Tape tape;
  TapeGuard guard(tape);
  ValuePtr x = make_value(kPlaceholder, {}, Shape::of({2, 3}), DType::kFloat32, nullptr);
  std::uint32_t outside = enter_scope("net");
  ValuePtr y = build::exp(x);
  EXPECT_EQ(y->shape, Shape::of({2, 3}));
  std::string message = error_of([&] { engine::realize(y.get()); });
  leave_scope(outside);
  EXPECT_TRUE(contains(message, "only shapes are known (in net)")) << message;
  engine::flush_if_due();  // never runs it
  EXPECT_FALSE(y->is_realized());
}

TEST(Flush, ScalarsAreRealizedOnTheirOwn) {
  ValuePtr number = make_scalar(2.5, DType::kFloat32);
  EXPECT_EQ(numbers(number), (Numbers{2.5f}));
  EXPECT_EQ(testing::numbers_as<double>(make_scalar(2.5, DType::kFloat64))[0], 2.5);
  EXPECT_EQ(testing::numbers_as<std::int32_t>(make_scalar(std::int64_t{-3}, DType::kInt32))[0], -3);
  EXPECT_EQ(numbers(number * 2.0), (Numbers{5}));  // an input from now on
}

}  // namespace
}  // namespace lamina
