// Hits, full comparison behind the hash, and the least recently used plan's end.
#include <gtest/gtest.h>

#include "compile/plan_cache.h"
#include "engine/flush.h"
#include "graph/tape.h"
#include "recorded_values.h"

namespace lamina {
namespace {

using testing::range;

constexpr std::int64_t kMostPlans = 2048;

// A recording of `op` on `rows` numbers, compiled (or found) under a hash of our choosing.
struct Recorded {
  std::vector<std::uint64_t> trace;
  Liveness liveness{{true}, {false}};

  explicit Recorded(std::int64_t rows, Op op = Op::neg) {
    Tape tape;
    TapeGuard guard(tape);
    ValuePtr kept = build::unary(op, range({rows}));
    trace = tape.recording().trace;
  }
  const CompiledPlan& find(std::uint64_t hash) const { return *find_or_compile(trace, hash, liveness); }
};

class PlanCache : public ::testing::Test {
 protected:
  void SetUp() override {
    clear_plan_cache();
    before_ = plan_cache_stats();
  }
  std::int64_t compiled() const { return plan_cache_stats().compiled - before_.compiled; }
  std::int64_t hits() const { return plan_cache_stats().hits - before_.hits; }
  PlanCacheStats before_;
};

TEST_F(PlanCache, EqualTraceIsAHit) {
  const CompiledPlan* first = &Recorded(5).find(1);
  EXPECT_EQ(&Recorded(5).find(1), first);
  EXPECT_EQ(compiled(), 1);
  EXPECT_EQ(hits(), 1);
  EXPECT_EQ(plan_cache_stats().cached, 1);
}

TEST_F(PlanCache, EqualHashOfDifferentTracesIsNoHit) {
  const CompiledPlan* first = &Recorded(5).find(1);
  const CompiledPlan* second = &Recorded(6).find(1);
  const CompiledPlan* third = &Recorded(5, Op::exp).find(1);
  EXPECT_NE(first, second);
  EXPECT_NE(first, third);
  EXPECT_EQ(first->plan.output_bytes[0], 20u);
  EXPECT_EQ(second->plan.output_bytes[0], 24u);
  EXPECT_EQ(compiled(), 3);
  EXPECT_EQ(&Recorded(5).find(1), first);  // all three stay reachable
  EXPECT_EQ(&Recorded(6).find(1), second);
  EXPECT_EQ(hits(), 2);
}

TEST_F(PlanCache, LivenessIsPartOfTheKey) {
  Recorded one(5), other(5);
  other.liveness.dying[0] = true;
  one.find(1);
  other.find(1);
  other.liveness.live[0] = false;
  EXPECT_TRUE(other.find(1).plan.steps.empty());
  EXPECT_EQ(compiled(), 3);
  EXPECT_EQ(hits(), 0);
}

TEST_F(PlanCache, TheLeastRecentlyUsedGoesFirst) {
  Recorded oldest(1), second(2);
  oldest.find(1);
  second.find(2);
  for (std::int64_t i = 3; i <= kMostPlans; ++i) Recorded(i).find(static_cast<std::uint64_t>(i));
  oldest.find(1);  // now the most recently used
  ASSERT_EQ(compiled(), kMostPlans);
  Recorded(kMostPlans + 1).find(7);
  EXPECT_EQ(plan_cache_stats().cached, kMostPlans);
  oldest.find(1);
  EXPECT_EQ(compiled(), kMostPlans + 1);
  second.find(2);
  EXPECT_EQ(compiled(), kMostPlans + 2);
}

TEST_F(PlanCache, ScalarsAndNewNumbersMakeNoNewPlan) {
  for (int step = 0; step < 1000; ++step) {
    ValuePtr x = testing::leaf({3}, {1.0f * static_cast<float>(step), 2, 3});
    ValuePtr y = build::relu(build::operator*(x, 0.5 + step));
    ASSERT_EQ(testing::numbers(y)[1], static_cast<float>(2 * (0.5 + step)));
  }
  EXPECT_EQ(compiled(), 1);
  EXPECT_EQ(hits(), 999);
}

}  // namespace
}  // namespace lamina
