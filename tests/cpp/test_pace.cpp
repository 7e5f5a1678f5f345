// Pace: which kind of run is quicker, found out from the runs' own times.
#include <gtest/gtest.h>

#include "plan/pace.h"

namespace lamina {
namespace {

// Of so many runs, how many were on several threads, when a run takes so long on several threads and on one.
std::uint32_t count_together(Pace& pace, std::uint32_t runs, float on_several, float on_one) {
  std::uint32_t count = 0;
  for (std::uint32_t run = 0; run < runs; ++run) {
    bool together = pace.together();
    count += together;
    pace.note(together ? on_several : on_one);
  }
  return count;
}

constexpr std::uint32_t kComparison = Pace::kRounds * Pace::kRunsOfRound;

TEST(Pace, BeginsOnSeveralThreadsAndTriesOneInTurn) {
  Pace pace;
  EXPECT_EQ(count_together(pace, Pace::kWarmUp, 1, 1), Pace::kWarmUp);
  EXPECT_EQ(count_together(pace, kComparison, 1, 1), kComparison / 2);
  EXPECT_EQ(count_together(pace, Pace::kOften, 1, 1), Pace::kOften);
}

TEST(Pace, KeepsTheQuickerKindButForAFewComparisons) {
  Pace several, one;
  EXPECT_GE(count_together(several, 100'000, 1, 2), 98'000u);
  EXPECT_LE(count_together(one, 100'000, 2, 1), 2'000u);
}

TEST(Pace, ComparesAgainWhenTimesChange) {
  Pace pace;
  count_together(pace, 10'000, 1, 2);
  count_together(pace, Pace::kSeldom + 2 * kComparison, 2, 1);
  EXPECT_FALSE(pace.together());
}

TEST(Pace, DoesNotChangeForAFewSlowRuns) {
  Pace pace;
  count_together(pace, Pace::kWarmUp, 1, 2);
  for (std::uint32_t run = 0; run < kComparison; ++run) pace.note(pace.together() && run > kComparison / 2 ? 10 : 2);
  EXPECT_TRUE(pace.together());
}

TEST(Pace, BeginsAnewInACopy) {
  Pace pace;
  count_together(pace, Pace::kWarmUp + kComparison, 2, 1);
  ASSERT_FALSE(pace.together());
  EXPECT_TRUE(Pace(pace).together());
}

}  // namespace
}  // namespace lamina
