// What profiles are told: whose work steps do, what they touch, and how time is divided among steps that ran together.
#include <gtest/gtest.h>

#include "compile/account_steps.h"
#include "compiled_program.h"
#include "runtime/step_times.h"

namespace lamina {
namespace {

using testing::Compiled;
using testing::range;

std::vector<StepAccount> accounts_of(Compiled& c) {
  CompileReport report;
  compile(c.tape.recording().trace, c.liveness, &report);
  EXPECT_TRUE(report.passes.empty());
  return report.accounts;
}

TEST(AccountSteps, AProductsEpilogueCountsAsOneOperationAnElement) {
  Compiled c;
  ValuePtr product = build::matmul(range({2, 8}), range({8, 4}));
  ValuePtr y = build::relu(product);
  product.reset();
  c.read({y});
  const std::vector<StepAccount> accounts = accounts_of(c);
  ASSERT_EQ(accounts.size(), 1u);
  ASSERT_EQ(accounts[0].members.size(), 2u);
  EXPECT_FLOAT_EQ(accounts[0].members[0].share, 8.0F / 9);
  EXPECT_FLOAT_EQ(accounts[0].members[1].share, 1.0F / 9);
  EXPECT_EQ(accounts[0].bytes, 4 * (2 * 8 + 8 * 4 + 2 * 4));
  EXPECT_EQ(accounts[0].members[0].kept + accounts[0].members[1].kept, 4 * 2 * 4);
}

TEST(AccountSteps, ACopyForTheNextStepHasItsMembers) {
  Compiled c;
  ValuePtr turned = build::permute(range({4, 8}), DimVector{1, 0});
  ValuePtr y = build::rowwise(Op::softmax, turned);
  c.read({y});
  const std::vector<StepAccount> accounts = accounts_of(c);
  ASSERT_EQ(accounts.size(), 2u);
  for (const StepAccount& account : accounts) {
    ASSERT_EQ(account.members.size(), 1u);
    EXPECT_EQ(account.members[0].value, y->slot);
    EXPECT_EQ(account.bytes, 2 * 4 * 32);
  }
  EXPECT_EQ(accounts[0].members[0].kept, 0);
  EXPECT_EQ(accounts[1].members[0].kept, 4 * 32);
}

TEST(AccountSteps, AViewThatStridesCannotExpressIsAMember) {
  Compiled c;
  ValuePtr turned = build::permute(range({4, 8}), DimVector{1, 0});
  ValuePtr y = build::reshape(turned, Shape::of({32}));
  c.read({y});
  const std::vector<StepAccount> accounts = accounts_of(c);
  ASSERT_EQ(accounts.size(), 1u);
  ASSERT_EQ(accounts[0].members.size(), 1u);
  EXPECT_EQ(accounts[0].members[0].value, y->slot);
}

TEST(StepTimes, StepsThatRanTogetherShareTheTimeByTheirShares) {
  runtime::StepTimes times(3);
  times.begin();
  times.end(0, 1);
  times.begin();
  std::int64_t waited[3] = {};  // the processor may be somebody else's for longer than what was asked for
  const auto wait = [&](std::uint32_t step, std::int64_t nanoseconds) {
    const std::int64_t began = runtime::StepTimes::now();
    std::int64_t took = 0;
    while (took < nanoseconds) took = runtime::StepTimes::now() - began;
    waited[step] += took;
  };
  for (int share = 0; share < 2; ++share) {
    runtime::StepTimes::share(&times, 1, [&] { wait(1, 3'000'000); });
    runtime::StepTimes::share(&times, 2, [&] { wait(2, 1'000'000); });
  }
  times.end(1, 3);
  const auto& spans = times.spans();
  EXPECT_GE(spans[0].took, 0);
  EXPECT_GE(spans[1].took + spans[2].took, 7'999'990);
  EXPECT_EQ(spans[1].took > spans[2].took, waited[1] > waited[2]);
  EXPECT_LE(spans[0].began + spans[0].took, spans[1].began);
  EXPECT_EQ(spans[1].began + spans[1].took, spans[2].began);
}

TEST(StepTimes, StepsWithoutSharesShareEvenly) {
  runtime::StepTimes times(2);
  times.begin();
  times.end(0, 2);
  EXPECT_NEAR(static_cast<double>(times.spans()[0].took), static_cast<double>(times.spans()[1].took), 1.0);
  runtime::StepTimes::share(nullptr, 0, [] {});
}

}  // namespace
}  // namespace lamina
