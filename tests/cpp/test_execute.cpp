// Whole programs: run as one fused plan, they give what they give op by op.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "random_programs.h"
#include "random_rows.h"
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

// Of real numbers: they may differ by rounding, of what each result consists of and its gradients pass.
void expect_near_agreement(unsigned seed, int length, bool differentiable) {
  const testing::RandomRows program(seed, length, differentiable);
  const auto reference = testing::run(program, true, differentiable);
  const auto fused = testing::run(program, false, differentiable);
  ASSERT_EQ(fused.results.size(), reference.results.size()) << "seed " << seed << "\n" << program.listing();
  for (std::size_t i = 0; i < fused.results.size(); ++i) {
    ASSERT_EQ(fused.results[i].first, reference.results[i].first);
    const std::vector<double>&found = fused.results[i].second, &expected = reference.results[i].second;
    ASSERT_EQ(found.size(), expected.size());
    double largest = 1e-3, off = 0;
    for (std::size_t j = 0; j < found.size(); ++j) {
      ASSERT_TRUE(std::isfinite(expected[j])) << "seed " << seed << "\n" << program.listing();
      largest = std::max(largest, std::abs(expected[j]));
      off = std::max(off, std::isfinite(found[j]) ? std::abs(found[j] - expected[j]) : HUGE_VAL);
    }
    ASSERT_LE(off, 1e-9 * largest) << fused.results[i].first << " of seed " << seed << "\n" << program.listing();
  }
}

TEST(RandomRows, AgreeWithOpByOp) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    expect_near_agreement(seed, 14, seed % 2 == 0);
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
