// gather_sums, share_steps and run_stretch: threads that go through short steps side by side, in whatever order the
// plan allows.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "compiled_program.h"
#include "plan_memory.h"
#include "runtime/course.h"
#include "runtime/kept_weights.h"
#include "runtime/run_stretch.h"
#include "runtime/thread_pool.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using build::operator-;
using testing::Compiled;
using testing::execute;
using testing::leaf_of;
using testing::Memory;

constexpr StretchLimits kAnyStretch{1e12, 0}, kAnyTurns{1e12, 0, 1};

// A few residual blocks with their gradients and updates over the weights, as a training step records them.
class Net {
 public:
  Net(unsigned seed, std::int64_t rows, std::int64_t width, int blocks, bool trains, bool gathers = true,
      const StretchLimits& limits = kAnyStretch, bool updates_last = false)
      : random_(seed) {
    ValuePtr x = leaf({rows, width}), rate = build::number(0.125, DType::kFloat32);
    struct Block {
      ValuePtr in, weight, bias, hidden, out;
    };
    std::vector<Block> chain;
    for (int i = 0; i < blocks; ++i) {
      Block b{x, leaf({width, width}), leaf({width}), nullptr, leaf({width, width})};
      b.hidden = build::relu(build::matmul(x, b.weight, false, true) + b.bias);
      x = x + build::matmul(b.hidden, b.out, false, true);
      chain.push_back(b);
    }
    ValuePtr g = build::rowwise(Op::softmax, x);
    std::vector<ValuePtr> live{g, build::reduce(Op::amax, x, DimVector{1}, false)}, dying, gradients;
    const auto update = [&](const ValuePtr& parameter, const ValuePtr& gradient) {
      dying.push_back(parameter);
      if (!updates_last) live.push_back(parameter - gradient * rate);
      gradients.push_back(gradient);
    };
    for (std::size_t i = trains ? chain.size() : 0; i-- > 0;) {
      Block& b = chain[i];
      ValuePtr masked = build::relu_gradient(b.hidden, build::matmul(g, b.out));
      update(b.out, build::matmul(g, b.hidden, true, false));
      if (!updates_last) update(b.weight, build::matmul(masked, b.in, true, false));
      update(b.bias, build::sum(masked, DimVector{0}, false));
      g = g + build::matmul(masked, b.weight);
      if (updates_last) update(b.weight, build::matmul(masked, b.in, true, false));
    }
    for (std::size_t i = 0; updates_last && i < dying.size(); ++i)
      live.insert(live.end(), {gradients[i], dying[i] - gradients[i] * rate});
    live.push_back(g);
    std::vector<ValuePtr> none;
    c.liveness.live.assign(c.tape.recording().values.size(), false);
    c.liveness.dying.assign(c.tape.recording().inputs.size(), false);
    for (const ValuePtr& value : live) c.liveness.live[value->slot] = true;
    for (const ValuePtr& value : dying) c.liveness.dying[value->slot] = true;
    c.program = read_trace(c.tape.recording().trace, c.liveness);
    c.finish(gathers);
    share_steps(c.plan, limits);
  }

  Compiled c;
  Plan& plan = c.plan;

  Memory memory() { return {plan, c.tape.recording()}; }
  Memory alone() {
    Memory result = memory();
    int threads = runtime::num_threads();
    runtime::set_num_threads(1);
    execute(plan, result.slots());
    runtime::set_num_threads(threads);
    return result;
  }

 private:
  ValuePtr leaf(std::initializer_list<std::int64_t> dims) {
    std::vector<float> numbers(static_cast<std::size_t>(Shape::of(dims)->numel()));
    for (float& number : numbers) number = std::uniform_real_distribution<float>(-1, 1)(random_);
    return leaf_of(Shape::of(dims), DType::kFloat32, numbers);
  }

  std::mt19937 random_;
};

// Goes through the stretch on one thread, with an order of the members' shares that the plan allows.
void interleave(const Plan& plan, const Stretch& stretch, std::byte* const* slots, std::uint32_t members,
                std::mt19937& random) {
  std::vector<runtime::Course> courses;
  for (std::uint32_t place = 0; place < members; ++place) courses.emplace_back(plan, stretch, place, members);
  std::uint32_t favorite = 0;
  while (!std::all_of(courses.begin(), courses.end(), [](const runtime::Course& one) { return one.ended(); })) {
    if (random() % 8 == 0) favorite = random() % members;  // stays ahead for a while
    std::uint32_t place = random() % 4 ? favorite : random() % members;
    runtime::Course& course = courses[place];
    if (course.ended()) {
      favorite = (favorite + 1) % members;
      continue;
    }
    if (course.has_share()) {
      course.transpose_weights(slots);
      bool may = true;
      for (std::uint32_t other = 0; other < members; ++other)
        may = may && (other == place || courses[other].progress() >= course.needed_of(other));
      if (!may) {
        favorite = random() % members;
        continue;
      }
      course.run_share(slots);
    }
    std::uint32_t progress = course.progress();
    course.go_on();
    ASSERT_GT(course.progress(), progress);
  }
}

void run_interleaved(const Plan& plan, std::byte* const* slots, std::uint32_t members, std::mt19937& random) {
  std::uint32_t next = 0;
  auto one_by_one = [&](std::uint32_t end) {
    Plan part = plan;
    part.stretches.clear();
    part.steps.assign(plan.steps.begin() + next, plan.steps.begin() + end);
    execute(part, slots);
    next = end;
  };
  for (const Stretch& stretch : plan.stretches) {
    one_by_one(stretch.first);
    interleave(plan, stretch, slots, members, random);
    next = stretch.end;
  }
  one_by_one(static_cast<std::uint32_t>(plan.steps.size()));
}

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
  EXPECT_EQ(gathered, 5u);
}

TEST(GatherSums, ChangesNoBit) {
  for (unsigned seed = 0; seed < 6; ++seed) {
    Net gathered(seed, 24 + 8 * seed, 40, 6, true), as_recorded(seed, 24 + 8 * seed, 40, 6, true, false);
    EXPECT_NE(gathered.plan.notes, as_recorded.plan.notes);
    EXPECT_TRUE(gathered.alone().same_results(as_recorded.alone())) << seed;
  }
}

TEST(GatherSums, WhoReadsASumComesAfterIt) {
  Compiled c;
  ValuePtr x = leaf_of(Shape::of({32, 16}), DType::kFloat32, std::vector<float>(512, 0.5f)), y = x;
  for (int i = 0; i < 3; ++i) y = build::matmul(y, build::matmul(y, y, true, false));
  c.read({y});
  c.finish();
  for (std::size_t i = 0; i < c.plan.steps.size(); ++i) EXPECT_EQ(is_sum(c.plan, i), i % 2 == 0) << c.plan.notes[i];
}

void expect_same_bits_in_some_orders(Net& net, std::int64_t rows, std::mt19937& random) {
  Memory expected = net.alone();
  for (int round = 0; round < 8; ++round) {
    auto most = static_cast<std::uint32_t>(rows / 8), members = 2 + static_cast<std::uint32_t>(random() % 4);
    Memory got = net.memory();
    run_interleaved(net.plan, got.slots(), std::min(members, most), random);
    ASSERT_TRUE(got.same_results(expected)) << rows << " rows, round " << round;
  }
}

void expect_same_bits(Net& net, int threads) {
  Memory expected = net.alone();
  runtime::set_num_threads(threads);
  for (int round = 0; round < 10; ++round) {
    Memory got = net.memory();
    execute(net.plan, got.slots());
    ASSERT_TRUE(got.same_results(expected)) << threads << " threads, round " << round;
  }
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
  EXPECT_TRUE(Net(0, 32, 64, 8, true, true, kAnyStretch, true).plan.stretches.at(0).turns.empty());
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
