// Whole programs: run as one fused plan, they give what they give op by op.
#include <gtest/gtest.h>

#include "run_programs.h"

namespace lamina {
namespace {

using testing::RandomProgram;

// As integers of moderate size are used, nothing may differ, not even by rounding (a zero's sign aside).
void expect_agreement(unsigned seed, int length, bool differentiable, bool long_rows = false) {
  RandomProgram program(seed, length, differentiable, long_rows);
  auto reference = testing::run(program, true, differentiable);
  auto fused = testing::run(program, false, differentiable);
  ASSERT_EQ(fused.results.size(), reference.results.size()) << "seed " << seed << "\n" << program.listing();
  for (std::size_t i = 0; i < fused.results.size(); ++i) {
    ASSERT_EQ(fused.results[i].first, reference.results[i].first);
    ASSERT_EQ(fused.results[i].second, reference.results[i].second)
        << fused.results[i].first << " of seed " << seed << "\n"
        << program.listing();
  }
}

TEST(RandomProgram, ShortOnesAgreeWithOpByOp) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    expect_agreement(seed, 12, false);
    if (HasFatalFailure()) return;
  }
}

TEST(RandomProgram, LongOnesAgreeWithOpByOp) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    expect_agreement(100'000 + seed, 120, false);
    if (HasFatalFailure()) return;
  }
}

TEST(RandomProgram, GradientsAgreeWithOpByOp) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    expect_agreement(200'000 + seed, 16, true);
    if (HasFatalFailure()) return;
  }
}

TEST(RandomProgram, LongRowsAgreeWithOpByOp) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    expect_agreement(300'000 + seed, 12, seed % 2 == 0, true);
    if (HasFatalFailure()) return;
  }
}

TEST(RandomProgram, NothingLeaks) {
  engine::flush();
  std::int64_t values = live_value_count();
  auto buffers = runtime::memory_stats().live_buffers;
  for (unsigned seed = 0; seed < 200; ++seed) testing::run(RandomProgram(seed, 30, true), false, true);
  engine::flush();
  EXPECT_EQ(live_value_count(), values);
  EXPECT_EQ(runtime::memory_stats().live_buffers, buffers);
}

}  // namespace
}  // namespace lamina
