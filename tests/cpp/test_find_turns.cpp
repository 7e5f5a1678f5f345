// Turns of a stretch: which thread has which weights to itself, what it keeps of them, and when a turn may begin.
#include <map>
#include <set>
#include <thread>

#include "compile/step_accesses.h"
#include "runtime/kept_weights.h"
#include "training_nets.h"

namespace lamina {
namespace {

using testing::expect_same_bits;
using testing::expect_same_bits_in_some_orders;
using testing::kAnyStretch;
using testing::kAnyTurns;
using testing::Net;
using testing::NormedNet;
using testing::RecordedNet;
using testing::TanhNet;

TEST(FindTurns, WhoUpdatesAWeightIsTheOnlyOneToReadIt) {
  Net net(0, 32, 64, 30, true, true, kAnyTurns, true);
  ASSERT_EQ(net.plan.stretches.size(), 1u);
  const std::vector<Turn>& turns = net.plan.stretches[0].turns;
  std::map<std::uint32_t, std::set<std::uint32_t>> owners;  // of the slots of weights
  std::size_t updates = 0;
  for (const Turn& turn : turns) {
    bool sums = false;
    for (std::uint32_t i = turn.first; i < turn.end; ++i) {
      const auto* product = std::get_if<MatmulStep>(&net.plan.steps[i]);
      EXPECT_TRUE(!sums || net.plan.shares[i].rows == 0) << i;
      sums = net.plan.shares[i].rows == 0;
      if (!product) continue;
      updates += product->has_update;
      owners[(product->has_update ? product->base : product->b).slot].insert(turn.owner);
    }
  }
  EXPECT_GE(updates, 58u);
  EXPECT_GE(owners.size(), 58u);
  for (const auto& [slot, of] : owners) EXPECT_EQ(of.size(), 1u) << slot;
  EXPECT_LE(turns.size(), 20u);  // of several weights each
}

// Forward, where nothing is overwritten: with rows that the turn before has been through, while it goes on with others.
TEST(FindTurns, ATurnBeginsBeforeTheOneBeforeItEnds) {
  Net net(0, 32, 64, 30, true, true, kAnyTurns, true);
  const std::vector<Turn>& turns = net.plan.stretches.at(0).turns;
  for (std::size_t i = 1; i < 6; ++i) {
    EXPECT_EQ(turns[i].owner, i);
    EXPECT_EQ(turns[i].after, 0u);
    EXPECT_EQ(turns[i].after_rows, turns[i - 1].end);
  }
}

// Those of the way forward: backward weights are read as they lie, and some are being written over.
TEST(FindTurns, WeightsThatAreReadTransposedMayBeCopiedBeforeATurn) {
  Net net(0, 32, 64, 30, true, true, kAnyTurns, true);
  std::size_t transposed = 0;
  for (std::size_t i = 0; i < net.plan.steps.size(); ++i) {
    const auto* product = std::get_if<MatmulStep>(&net.plan.steps[i]);
    EXPECT_EQ(net.plan.shares[i].transposes, product && product->b_column != 1) << i;
    transposed += net.plan.shares[i].transposes;
  }
  EXPECT_EQ(transposed, 60u);
  const Net without_turns(0, 32, 64, 30, false);
  for (const Share& share : without_turns.plan.shares) EXPECT_FALSE(share.transposes);
}

TEST(KeptWeights, AThreadKeepsThoseOfTheTurnThatItBeganLast) {
  constexpr std::size_t kBytes = 100'000;
  const std::uint64_t first = runtime::begin_keeping();
  std::byte* const one = runtime::keep_weight(0, kBytes);
  std::byte* const other = runtime::keep_weight(5, kBytes);
  ASSERT_NE(one, nullptr);
  EXPECT_GE(other, one + kBytes);
  EXPECT_EQ(runtime::keep_weight(6, kBytes), nullptr) << "no room";
  EXPECT_EQ((runtime::KeptWeight{first, 0}.find()), one);
  EXPECT_EQ((runtime::KeptWeight{first, 5}.find()), other);
  EXPECT_EQ((runtime::KeptWeight{first, 6}.find()), nullptr);
  EXPECT_EQ(runtime::KeptWeight().find(), nullptr);
  const std::byte* elsewhere = one;
  std::thread([&] { elsewhere = runtime::KeptWeight{first, 0}.find(); }).join();
  EXPECT_EQ(elsewhere, nullptr);
  const std::uint64_t second = runtime::begin_keeping();
  EXPECT_EQ((runtime::KeptWeight{first, 0}.find()), nullptr);
  EXPECT_EQ((runtime::KeptWeight{second, 0}.find()), nullptr);
  EXPECT_NE(runtime::keep_weight(0, kBytes), nullptr);
}

TEST(FindTurns, NetsOfFewLayersHaveNone) {
  EXPECT_TRUE(Net(0, 32, 64, 5, true, true, kAnyStretch, true).plan.stretches.at(0).turns.empty());
  EXPECT_TRUE(Net(0, 32, 64, 50, false, true, kAnyStretch, true).plan.stretches.at(0).turns.empty());
  EXPECT_FALSE(Net(0, 32, 64, 50, true, true, kAnyStretch, true).plan.stretches.at(0).turns.empty());
}

TEST(FindTurns, EveryOrderThatIsAllowedGivesTheSameBits) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    std::int64_t rows = 16 + random() % 60, width = 32 + random() % 30;
    Net net(seed, rows, width, 1 + static_cast<int>(random() % 16), true, true, kAnyTurns, seed % 2 == 0);
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ", width " << width);
    expect_same_bits_in_some_orders(net, rows, random);
  }
}

TEST(RunStretch, ThreadsThatTakeTurnsGiveTheSameBits) {
  int before = runtime::num_threads();
  for (int threads : {2, 3, 4})
    for (unsigned seed = 0; seed < 4; ++seed) {
      Net net(seed, 48, 40, 20, true, true, kAnyTurns, true);
      ASSERT_FALSE(net.plan.stretches.at(0).turns.empty());
      SCOPED_TRACE(::testing::Message() << "seed " << seed);
      expect_same_bits(net, threads);
    }
  runtime::set_num_threads(before);
}

void expect_turns_backward_that_wait_for_no_sums(const RecordedNet& net) {
  std::vector<Turn> backward;
  for (const Turn& turn : net.plan.stretches.at(0).turns)
    if (sums_or_follows(net.plan.steps[turn.end - 1])) backward.push_back(turn);
  ASSERT_GE(backward.size(), 5u);
  for (std::size_t i = 1; backward[i].owner > 0; ++i) {  // the rest comes when all is done
    EXPECT_EQ(backward[i].owner + 1, backward[i - 1].owner);
    EXPECT_EQ(backward[i].first, backward[i - 1].end);
    EXPECT_LE(backward[i].after, backward[i - 1].first) << "turn " << i;
  }
}

// A step of its own leads from the sums of one turn to the first product of the next.
TEST(FindTurns, StepsBetweenLayersWaitForNoSums) {
  expect_turns_backward_that_wait_for_no_sums(TanhNet(0, 32, 64, 40, kAnyTurns));
  expect_turns_backward_that_wait_for_no_sums(TanhNet(0, 256, 64, 40, kAnyTurns));
  expect_turns_backward_that_wait_for_no_sums(TanhNet(0, 32, 64, 40, kAnyTurns, false));  // sums are not put off
}

// Momentum's are elementwise steps. Those of biases are of several layers: their weights' owner may be another.
TEST(FindTurns, UpdatesOfTheirOwnEndATurn) {
  const TanhNet net(0, 32, 64, 40, kAnyTurns, true, true);
  expect_turns_backward_that_wait_for_no_sums(net);
  std::map<std::uint32_t, std::set<std::uint32_t>> owners;  // of the slots of weights
  for (const Turn& turn : net.plan.stretches.at(0).turns)
    for (std::uint32_t i = turn.first; i < turn.end; ++i) {
      const Step& step = net.plan.steps[i];
      EXPECT_EQ(net.plan.shares[i].rows == 0, sums_or_follows(step)) << i;
      if (const auto* product = std::get_if<MatmulStep>(&step); product && !sums_over_rows(step))
        owners[product->b.slot].insert(turn.owner);
      if (const auto* pass = std::get_if<ElementwiseStep>(&step); pass && pass->follows_sums && pass->numel == 64 * 64)
        for (const auto& instruction : pass->instructions)
          if (const auto& out = pass->registers[instruction.out]; out.kind == ElementwiseStep::Kind::kContiguous)
            owners[out.location.slot].insert(turn.owner);
    }
  EXPECT_GE(owners.size(), 80u);  // weights and their momentum
  for (const auto& [slot, of] : owners) EXPECT_EQ(of.size(), 1u) << slot;
}

// All steps are cut where those are that keep sums of some rows each.
TEST(FindTurns, StepsThatStandardizeRowsWaitForNoSums) {
  const NormedNet net(0, 64, 64, 40, kAnyTurns);
  expect_turns_backward_that_wait_for_no_sums(net);
  std::set<std::int64_t> parts;
  for (const Share& share : net.plan.shares) parts.insert(share.rows);
  EXPECT_EQ(parts, (std::set<std::int64_t>{0, 8}));
}

TEST(FindTurns, EveryOrderOfStepsBetweenLayersGivesTheSameBits) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    std::mt19937 random(seed);
    std::int64_t rows = 16 + random() % 60, width = 32 + random() % 30;
    const int layers = 2 + static_cast<int>(random() % 30);
    SCOPED_TRACE(::testing::Message() << "seed " << seed << ", width " << width);
    TanhNet net(seed, rows, width, layers, kAnyTurns);
    expect_same_bits_in_some_orders(net, rows, random);
    TanhNet with_momentum(seed, rows, width, layers, kAnyTurns, true, true);
    expect_same_bits_in_some_orders(with_momentum, rows, random);
    NormedNet normed(seed, rows, width, layers, kAnyTurns);
    expect_same_bits_in_some_orders(normed, normed.plan.stretches.empty() ? 16 : 8 * normed.plan.stretches[0].most,
                                    random);
  }
}

}  // namespace
}  // namespace lamina
