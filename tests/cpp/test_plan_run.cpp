// Runs that break off for want of memory: every look raises until there is enough, and then shows the right numbers.
#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <span>
#include <vector>

#include "engine/plan_run.h"
#include "graph/tape.h"
#include "recorded_values.h"
#include "runtime/execute.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using build::operator-;
using testing::Numbers;
using testing::numbers;
using testing::range;

// The sums of the 2 x 2 windows of a 3 x 3 image, by a convolution that asks for the impossible while a Shortage lives.
struct Sums {
  ValuePtr image = range({1, 1, 3, 3}), weight = testing::leaf({1, 1, 2, 2}, {1, 1, 1, 1});
  ValuePtr twice, sums, shifted;

  Sums() {
    twice = image * 2.0;
    sums = build::convolution(twice, weight, Shape::of({1, 1, 2, 2}), Attribute::of({1, 1, 0, 0, 1, 1, 1}));
    shifted = sums + 1.0;
  }
};

class Shortage {
 public:
  Shortage() {
    const Recording& pending = Tape::current().recording();
    Liveness liveness{Liveness::Flags(pending.values.size(), 1), Liveness::Flags(pending.inputs.size(), 0)};
    // The very plan that will be found in the cache.
    compiled_ = find_or_compile(pending.trace, pending.hash, liveness);
    for (const Step& step : compiled_->plan.steps)
      if (const auto* found = std::get_if<ConvolutionStep>(&step)) step_ = const_cast<ConvolutionStep*>(found);
    step_->dilation[0] = step_->dilation[1] = std::int64_t{1} << 22;
  }
  ~Shortage() { step_->dilation[0] = step_->dilation[1] = 1; }

 private:
  CompiledPlanPtr compiled_;
  ConvolutionStep* step_ = nullptr;
};

const Numbers kSums = {16, 24, 40, 48}, kShifted = {17, 25, 41, 49};

TEST(PlanRun, GoesOnWhereItBrokeOff) {
  Sums record;
  {
    Shortage shortage;
    EXPECT_THROW(engine::flush(), std::bad_alloc);
    EXPECT_THROW(numbers(record.sums), std::bad_alloc);
    EXPECT_THROW(numbers(record.shifted), std::bad_alloc);
    EXPECT_EQ(numbers(range({2})), (Numbers{0, 1}));  // others are not concerned
    EXPECT_EQ(numbers(record.image)[8], 8);
  }
  EXPECT_EQ(numbers(record.shifted), kShifted);
  EXPECT_EQ(numbers(record.sums), kSums);
  EXPECT_EQ(numbers(record.twice)[8], 16);
}

TEST(PlanRun, LaterPlansGoOnWithIt) {
  Sums record;
  ValuePtr later;
  {
    Shortage shortage;
    EXPECT_THROW(engine::flush(), std::bad_alloc);
    later = record.sums * 10.0;
    EXPECT_THROW(engine::flush(), std::bad_alloc);
    EXPECT_THROW(numbers(later), std::bad_alloc);
  }
  EXPECT_EQ(numbers(later * 2.0), (Numbers{320, 480, 800, 960}));
  EXPECT_EQ(numbers(record.shifted), kShifted);
}

TEST(PlanRun, IsForgottenWithItsResults) {
  engine::flush();
  auto buffers = runtime::memory_stats().live_buffers;
  {
    Sums record;
    Shortage shortage;
    EXPECT_THROW(engine::flush(), std::bad_alloc);
    EXPECT_GT(runtime::memory_stats().live_buffers, buffers);
  }
  (void)numbers(range({2}) + 1.0);  // the next plan
  EXPECT_EQ(runtime::memory_stats().live_buffers, buffers);
}

TEST(PlanRun, PausesBetweenSteps) {
  engine::flush();
  ValuePtr x = range({2, 2}), product = build::matmul(x, x), again = build::matmul(product, x);
  const Recording& pending = Tape::current().recording();
  Liveness liveness{Liveness::Flags(pending.values.size(), 1), Liveness::Flags(pending.inputs.size(), 0)};
  CompiledPlan compiled = compile(pending.trace, liveness);
  ASSERT_EQ(compiled.plan.steps.size(), 2u);
  float numbers[3][4] = {{0, 1, 2, 3}};
  std::byte* slots[] = {nullptr, std::as_writable_bytes(std::span(numbers[0])).data(),
                        std::as_writable_bytes(std::span(numbers[1])).data(),
                        std::as_writable_bytes(std::span(numbers[2])).data()};
  std::size_t next = 0;
  EXPECT_FALSE(runtime::execute(compiled.plan, slots, next, std::chrono::steady_clock::time_point()));
  EXPECT_EQ(next, 1u);  // at least one: every turn gets on
  EXPECT_TRUE(runtime::execute(compiled.plan, slots, next, std::chrono::steady_clock::time_point()));
  EXPECT_EQ(next, 2u);
}

TEST(PlanRun, KnowsWhichStepsCannotBeginAgain) {
  engine::flush();
  ValuePtr x = range({4}), y = x + 1.0;
  const Recording& pending = Tape::current().recording();
  std::byte memory[3];
  for (std::uint8_t dying : {0, 1}) {
    CompiledPlan compiled = compile(pending.trace, {{1}, {dying}});
    std::byte* slots[] = {nullptr, &memory[0], &memory[1], &memory[2]};
    EXPECT_EQ(runtime::overwrites_operands(compiled.plan, 0, slots), dying == 1);
    EXPECT_FALSE(runtime::overwrites_operands(compiled.plan, 1, slots));
  }
}

TEST(PlanRun, ProductThatUpdatesInPlaceCannotBeginAgain) {
  engine::flush();
  ValuePtr base = range({2, 2}), product = build::matmul(range({2, 2}), range({2, 2}));
  ValuePtr updated = base - product * build::number(0.5, base->dtype);
  const Recording& pending = Tape::current().recording();
  for (std::uint8_t dying : {0, 1}) {
    Liveness liveness{Liveness::Flags(pending.values.size()), Liveness::Flags(pending.inputs.size())};
    liveness.live[updated->slot] = 1;
    liveness.dying[base->slot] = dying;
    CompiledPlan compiled = compile(pending.trace, liveness);
    ASSERT_EQ(compiled.plan.steps.size(), 1u);
    std::vector<std::byte> memory(compiled.plan.slots());
    std::vector<std::byte*> slots;
    for (std::byte& place : memory) slots.push_back(&place);
    EXPECT_EQ(runtime::overwrites_operands(compiled.plan, 0, slots.data()), dying == 1);
  }
}

TEST(PlanRun, CountsCannotBeginAgain) {
  engine::flush();
  ValuePtr index = build::cast(range({4}), DType::kInt64), table = build::cast(range({4}), DType::kInt64);
  engine::flush();
  ValuePtr counted = build::scatter_add(table, 0, index, index);
  const Recording& pending = Tape::current().recording();
  CompiledPlan compiled = compile(pending.trace, {{1}, Liveness::Flags(pending.inputs.size())});
  const std::vector<std::byte*> slots(compiled.plan.slots());
  const std::size_t last = compiled.plan.steps.size() - 1;
  ASSERT_TRUE(std::holds_alternative<IndexStep>(compiled.plan.steps[last]));
  EXPECT_TRUE(runtime::overwrites_operands(compiled.plan, last, slots.data()));
  engine::flush();
  EXPECT_EQ(numbers(build::cast(counted, DType::kFloat32)), (Numbers{0, 2, 4, 6}));
}

}  // namespace
}  // namespace lamina
