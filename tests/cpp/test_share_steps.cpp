// gather_sums, share_steps and run_stretch: threads that go through short steps side by side, in whatever order the
// plan allows.
#include "compile/step_accesses.h"
#include "runtime/run_stretch.h"
#include "training_nets.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using build::operator-;
using testing::Compiled;
using testing::execute;
using testing::expect_same_bits;
using testing::expect_same_bits_in_some_orders;
using testing::kAnyStretch;
using testing::kAnyTurns;
using testing::leaf_of;
using testing::Memory;
using testing::Net;
using testing::TanhNet;

bool is_sum(const Plan& plan, std::size_t number) {
  const auto* product = std::get_if<MatmulStep>(&plan.steps[number]);
  return product && product->a_column != 1;
}

TEST(GatherSums, GradientsOfWeightsComeTogetherAndEachIsOneThreads) {
  Net net(0, 32, 64, 5, true);
  ASSERT_EQ(net.plan.stretches.size(), 1u);
  std::size_t gathered = 0;
  for (std::size_t first = 0, end; first < net.plan.steps.size(); first = end + 1) {
    for (end = first; end < net.plan.steps.size() && is_sum(net.plan, end);) ++end;
    if (end - first < 4) continue;  // the update of a weight that is read once more reads its gradient at once
    gathered += end - first;
    EXPECT_LE(net.plan.stretches[0].most, end - first);
    for (std::size_t i = first; i < end; ++i) EXPECT_EQ(net.plan.shares[i].rows, 0) << i;
  }
  EXPECT_EQ(gathered, 4u);  // of five: few layers have turns of four
}

TEST(GatherSums, ChangesNoBit) {
  for (unsigned seed = 0; seed < 6; ++seed) {
    Net gathered(seed, 24 + 8 * seed, 40, 6, true), as_recorded(seed, 24 + 8 * seed, 40, 6, true, false);
    EXPECT_NE(gathered.plan.notes, as_recorded.plan.notes);
    EXPECT_TRUE(gathered.alone().same_results(as_recorded.alone())) << seed;
  }
}

// Momentum's, which are recorded at the end and write over the parameters and the momentum.
TEST(GatherSums, UpdatesFollowTheirSumsInPlace) {
  constexpr int kLayers = 12;
  const TanhNet net(0, 32, 64, kLayers, kAnyStretch, true, true);
  std::size_t updates = 0, before_the_end = 0, last_row = 0;
  for (std::size_t i = 0; i < net.plan.steps.size(); ++i)
    if (!sums_or_follows(net.plan.steps[i])) last_row = i;
  for (std::size_t i = 0; i < net.plan.steps.size(); ++i) {
    const auto* step = std::get_if<ElementwiseStep>(&net.plan.steps[i]);
    if (!step || !step->follows_sums) continue;
    EXPECT_TRUE(sums_or_follows(net.plan.steps[i - 1])) << i;
    for (const auto& instruction : step->instructions) {
      const auto& out = step->registers[instruction.out];
      if (out.kind == ElementwiseStep::Kind::kTemporary) continue;
      EXPECT_LT(out.location.slot, net.plan.first_output()) << i;
      ++updates;
    }
    before_the_end += i < last_row;
  }
  EXPECT_EQ(updates, 4u * kLayers);
  EXPECT_GE(before_the_end, 8u);
}

// At the end, where threads meet once for all of them.
TEST(GatherSums, UpdatesByLargeSumsStayTogether) {
  const TanhNet net(0, 256, 256, 12, kAnyStretch, true, true);
  std::size_t weights = 0;
  for (const Step& step : net.plan.steps)
    if (const auto* pass = std::get_if<ElementwiseStep>(&step); pass && pass->dims[0] == 256 * 256) {
      EXPECT_FALSE(pass->follows_sums);
      ++weights;
    }
  EXPECT_GE(weights, 12u);
}

TEST(GatherSums, UpdatesChangeNoBit) {
  for (unsigned seed = 0; seed < 6; ++seed) {
    TanhNet gathered(seed, 24 + 8 * seed, 40, 9, kAnyStretch, true, true);
    TanhNet as_recorded(seed, 24 + 8 * seed, 40, 9, kAnyStretch, false, true);
    EXPECT_NE(gathered.plan.notes, as_recorded.plan.notes);
    EXPECT_TRUE(gathered.alone().same_results(as_recorded.alone())) << seed;
  }
}

// The old weight is read by a product that has been recorded behind the sum.
TEST(GatherSums, UpdatesFollowWhoReadsWhatTheyWriteOver) {
  Compiled c;
  const auto leaf = [](std::int64_t rows, std::int64_t columns) {
    const Shape* shape = Shape::of({rows, columns});
    return leaf_of(shape, DType::kFloat32, std::vector<float>(static_cast<std::size_t>(shape->numel()), 0.5f));
  };
  ValuePtr x = leaf(32, 64), weight = leaf(64, 64), velocity = leaf(64, 64);
  ValuePtr y = build::matmul(x, weight), gradient = build::matmul(x, y, true, false);
  ValuePtr z = build::matmul(build::unary(Op::tanh, y), weight);
  ValuePtr moved = velocity * build::number(0.75, DType::kFloat32) + gradient;
  ValuePtr updated = weight - moved * build::number(0.125, DType::kFloat32);
  c.read({z, gradient, moved, updated}, {weight, velocity});
  c.finish();
  const auto is_update = [](const Step& step) {
    const auto* pass = std::get_if<ElementwiseStep>(&step);
    return pass && pass->follows_sums;
  };
  ASSERT_TRUE(is_update(c.plan.steps.back()));
  EXPECT_EQ(std::count_if(c.plan.steps.begin(), c.plan.steps.end(), is_update), 1);
  for (const auto& entry : std::get<ElementwiseStep>(c.plan.steps.back()).registers)
    EXPECT_LE(entry.location.slot, c.plan.first_output()) << "in place, but for the gradient";
}

TEST(GatherSums, WhoReadsASumComesAfterIt) {
  Compiled c;
  ValuePtr x = leaf_of(Shape::of({32, 16}), DType::kFloat32, std::vector<float>(512, 0.5f)), y = x;
  for (int i = 0; i < 3; ++i) y = build::matmul(y, build::matmul(y, y, true, false));
  c.read({y});
  c.finish();
  for (std::size_t i = 0; i < c.plan.steps.size(); ++i) EXPECT_EQ(is_sum(c.plan, i), i % 2 == 0) << c.plan.notes[i];
}

TEST(ShareSteps, EachProductAsksForTheNextOnesWeight) {
  Net net(0, 32, 64, 4, false);
  for (std::size_t i = 0; i + 1 < net.plan.steps.size(); ++i) {
    const auto* next = std::get_if<MatmulStep>(&net.plan.steps[i + 1]);
    if (!next) continue;
    EXPECT_EQ(net.plan.shares[i].ahead.slot, next->b.slot) << i;
    EXPECT_EQ(net.plan.shares[i].ahead_bytes, 64 * 64 * 4) << i;
  }
}

TEST(ShareSteps, RowsOfAChainNeverWait) {
  Net net(0, 32, 64, 4, false);
  ASSERT_EQ(net.plan.stretches.size(), 1u);
  EXPECT_EQ(net.plan.stretches[0].most, 4u);  // eight rows each
  for (std::size_t i = 0; i + 1 < net.plan.steps.size(); ++i) {
    if (net.plan.shares[i].rows == 0) continue;
    EXPECT_EQ(net.plan.shares[i].rows, 32);
    EXPECT_EQ(net.plan.shares[i].after, 0u) << i;
  }
}

TEST(ShareSteps, TransposedProductsWaitForAllRows) {
  Net net(0, 32, 64, 1, true);
  bool waited = false;
  for (std::size_t i = 0; i < net.plan.steps.size(); ++i)
    if (const auto* step = std::get_if<MatmulStep>(&net.plan.steps[i]); step && step->a_column != 1)
      waited |= net.plan.shares[i].after > 0;
  EXPECT_TRUE(waited);
}

TEST(ShareSteps, LongStepsEndAStretch) {
  Net net(0, 32, 64, 2, false);
  net.plan.stretches.clear();
  share_steps(net.plan, {10, 0});
  EXPECT_TRUE(net.plan.stretches.empty());
  EXPECT_TRUE(net.plan.shares.empty());
}

TEST(ShareSteps, ManyStepsMayTakeTwiceAsLong) {
  Net net(0, 32, 24, 4, false);
  const float longest = *std::max_element(net.plan.nanoseconds.begin(), net.plan.nanoseconds.end());
  const auto steps = static_cast<std::uint32_t>(net.plan.steps.size());
  const auto covered = [&](double limit, std::uint32_t many) {
    net.plan.stretches.clear();
    share_steps(net.plan, {limit, 0, 1000, many});
    std::uint32_t all = 0;
    for (const Stretch& stretch : net.plan.stretches) all += stretch.end - stretch.first;
    return all;
  };
  EXPECT_EQ(covered(longest, steps + 1), steps);
  EXPECT_LT(covered(0.6 * longest, steps + 1), steps);
  EXPECT_EQ(covered(0.6 * longest, steps), steps);
  EXPECT_LT(covered(0.4 * longest, steps), steps);
}

TEST(ShareSteps, FewRowsAndTinyProductsAreNotShared) {
  EXPECT_TRUE(Net(0, 8, 64, 4, false).plan.stretches.empty());
  EXPECT_TRUE(Net(0, 32, 16, 4, false).plan.stretches.empty());
}

TEST(ShareSteps, EveryOrderThatIsAllowedGivesTheSameBits) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    std::int64_t rows = 16 + random() % 60, width = 32 + random() % 60;
    Net net(seed, rows, width, 1 + static_cast<int>(random() % 4), seed % 3 != 0);
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ", width " << width);
    expect_same_bits_in_some_orders(net, rows, random);
  }
}

TEST(RunStretch, ThreadsGiveTheSameBits) {
  int before = runtime::num_threads();
  for (int threads : {2, 3, 4})
    for (unsigned seed = 0; seed < 10; ++seed) {
      Net net(seed, 48, 40, 6, true);
      ASSERT_FALSE(net.plan.stretches.empty());
      SCOPED_TRACE(::testing::Message() << "seed " << seed);
      expect_same_bits(net, threads);
    }
  runtime::set_num_threads(before);
}

// Inside of another parallel_for no thread comes to help: one takes all places.
TEST(RunStretch, OneThreadTakesAllPlaces) {
  for (int blocks : {6, 40}) {
    Net net(1, 48, 40, blocks, true, true, kAnyTurns, true);
    Memory expected = net.alone();
    runtime::parallel_for(2, 1, [&](std::size_t begin, std::size_t) {
      if (begin != 0) return;
      Memory got = net.memory();
      runtime::run_stretch(net.plan, net.plan.stretches[0], got.slots(), 5);
      EXPECT_EQ(net.plan.stretches[0].end, net.plan.steps.size());
      EXPECT_TRUE(got.same_results(expected));
    });
  }
}

}  // namespace
}  // namespace lamina
