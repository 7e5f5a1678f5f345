// reuse_dying_memory, Arena and assign_memory: whose memory a result may take. That nothing overlaps: test_execute.cpp.
#include <gtest/gtest.h>

#include "compile/arena.h"
#include "compile/resting_memory.h"
#include "compiled_program.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using build::operator-;
using testing::Compiled;
using testing::range;

class ReuseDyingMemory : public ::testing::Test {
 protected:
  Compiled c;
  ValuePtr x = range({8}), other = range({8});

  bool reuses(const ValuePtr& result) {
    for (const Program::Result& entry : c.program.results)
      if (entry.value == result->slot) return entry.memory < c.plan.first_scalar();
    ADD_FAILURE() << "no result";
    return false;
  }
};

TEST_F(ReuseDyingMemory, UpdateGoesOverTheDyingInput) {
  ValuePtr y = x + other * 0.5;
  c.read({y}, {x});
  c.finish();
  EXPECT_TRUE(reuses(y));
  EXPECT_EQ(c.plan.output_bytes.size(), 0u);
}

TEST_F(ReuseDyingMemory, LivingInputIsNotOverwritten) {
  ValuePtr y = x + other;
  c.read({y});
  c.finish();
  EXPECT_FALSE(reuses(y));
}

TEST_F(ReuseDyingMemory, InputReadLaterIsNotOverwritten) {
  ValuePtr y = build::neg(x);
  ValuePtr total = build::sum_all(y);
  ValuePtr z = x * total;
  c.read({y, z}, {x});
  c.finish();
  EXPECT_FALSE(reuses(y));
  EXPECT_TRUE(reuses(z));
}

TEST_F(ReuseDyingMemory, InputReadAfterTheResultIsWrittenIsNotOverwritten) {
  ValuePtr first = build::neg(x), second = first * x;  // one pass: first is stored before x is read again
  c.read({first, second}, {x});
  c.finish();
  ASSERT_EQ(c.plan.steps.size(), 1u);
  EXPECT_FALSE(reuses(first));
  EXPECT_TRUE(reuses(second));
}

TEST_F(ReuseDyingMemory, InputOfASumOfProductsIsNotOverwritten) {
  ValuePtr rows = range({2, 600}), twice = rows * 2;  // stored tile by tile; sums of long rows read what they multiply
  ValuePtr sums = build::sum(twice * rows, DimVector{1}, false);
  c.read({twice, sums}, {rows});
  c.finish();
  ASSERT_EQ(c.plan.steps.size(), 1u);
  ASSERT_EQ(std::get<ElementwiseStep>(c.plan.steps[0]).reductions.at(0).arity, 2);
  EXPECT_FALSE(reuses(twice));
}

TEST_F(ReuseDyingMemory, MemoryReadInAnotherOrderIsNotOverwritten) {
  ValuePtr y = build::neg(x);  // takes x's memory
  ValuePtr turned = y + build::flip(y, 0);
  c.read({turned}, {x});
  c.finish();
  EXPECT_FALSE(reuses(turned));
  Compiled d;
  ValuePtr z = build::neg(x);
  ValuePtr total = build::sum_all(z), scaled = z * total;  // in order: over z, and so over x
  d.read({scaled}, {x});
  d.finish();
  EXPECT_LT(d.program.results[0].memory, d.plan.first_scalar());
}

TEST_F(ReuseDyingMemory, ProductUpdatesTheDyingInput) {
  for (bool dying : {false, true}) {
    Compiled d;
    ValuePtr base = range({4, 4}), product = build::matmul(range({4, 4}), range({4, 4}));
    ValuePtr y = base - product * build::number(0.5, base->dtype);
    if (dying)
      d.read({product, y}, {base});
    else
      d.read({product, y});
    d.finish();
    ASSERT_EQ(d.plan.steps.size(), 1u);
    EXPECT_EQ(d.plan.output_bytes.size(), dying ? 1u : 2u);
  }
}

TEST_F(ReuseDyingMemory, WhatDiesIsMadeInTheMemoryOfAResultThatStays) {
  ValuePtr large = range({1000}), y = build::exp(large), scaled = y * build::sum_all(y);
  c.read({scaled});
  c.finish();
  EXPECT_FALSE(reuses(scaled));
  EXPECT_EQ(c.plan.output_bytes.size(), 1u);
  EXPECT_LE(c.plan.arena_bytes, 64u);  // the sum
}

TEST_F(ReuseDyingMemory, InputsThatDieComeFirst) {
  ValuePtr y = build::exp(x), sum = y * build::sum_all(y) + other;  // over y, or over an input
  c.read({sum}, {other});
  c.finish();
  EXPECT_TRUE(reuses(sum));
  EXPECT_EQ(c.plan.output_bytes.size(), 0u);
}

TEST_F(ReuseDyingMemory, OtherElementSizeIsNotOverwritten) {
  ValuePtr y = build::cast(x, DType::kFloat64);
  c.read({y}, {x});
  c.finish();
  EXPECT_FALSE(reuses(y));
}

TEST_F(ReuseDyingMemory, BroadcastInputIsNotOverwritten) {
  ValuePtr y = range({3, 8}) + x;
  c.read({y}, {x});
  c.finish();
  EXPECT_FALSE(reuses(y));
}

TEST_F(ReuseDyingMemory, InputWithALiveViewIsNotOverwritten) {
  ValuePtr y = build::neg(x), part = record(Op::reshape, {y.get()}, Shape::of({2, 4}), y->dtype);
  ValuePtr z = build::exp(build::reshape(part, Shape::of({8})));
  c.read({part, z}, {x});
  c.finish();
  EXPECT_TRUE(reuses(part));  // y took x's memory
  EXPECT_FALSE(reuses(z));    // and keeps it
}

TEST_F(ReuseDyingMemory, OneInputServesOneResult) {
  ValuePtr first = build::neg(x), second = build::exp(x);
  c.read({first, second}, {x});
  c.finish();
  EXPECT_FALSE(reuses(first) && reuses(second));
}

// Writing to a part copies the whole only where somebody still needs what it was.
TEST_F(ReuseDyingMemory, CopyOfDyingMemoryIsThatMemory) {
  for (bool dies : {true, false}) {
    Compiled d;
    ValuePtr y = build::slice_update(x, range({2}), Attribute::of({3, 1}));
    dies ? d.read({y}, {x}) : d.read({y});
    d.finish();
    EXPECT_EQ(d.count<CopyStep>(), dies ? 1u : 2u);
    EXPECT_EQ(d.plan.output_bytes.size(), dies ? 0u : 1u);
  }
}

TEST_F(ReuseDyingMemory, TemporaryThatIsCopiedIsMadeInTheResultsMemory) {
  ValuePtr y = build::slice_update(build::exp(build::neg(x)), range({2}), Attribute::of({3, 1}));
  c.read({y});
  c.finish();
  EXPECT_EQ(c.count<CopyStep>(), 1u);
  EXPECT_EQ(c.plan.arena_bytes, 0u);
  EXPECT_EQ(c.plan.notes.size(), 2u);
}

class PartsAreMadeInPlace : public ReuseDyingMemory {
 protected:
  // Of two matrices from products, and of two from an elementwise pass.
  ValuePtr a = build::matmul(range({4, 4}), range({4, 4})), b = build::matmul(range({4, 4}), range({4, 4}));
  ValuePtr e = range({4, 4}) + range({4, 4}), f = build::neg(range({4, 4}));

  std::size_t copies(const ValuePtr& result) {
    c.read({result});
    c.finish();
    return c.count<CopyStep>();
  }
};

TEST_F(PartsAreMadeInPlace, OneBelowTheOther) {
  const ValuePtr parts[] = {a, e, b};
  EXPECT_EQ(copies(build::cat(parts, 0)), 0u);
  EXPECT_EQ(c.plan.arena_bytes, 0u);
}

TEST_F(PartsAreMadeInPlace, SideBySideByElementwisePasses) {
  const ValuePtr parts[] = {a, e, f};
  EXPECT_EQ(copies(build::cat(parts, 1)), 1u);  // of the product
}

TEST_F(PartsAreMadeInPlace, PartsOfParts) {
  const ValuePtr columns[] = {e, f}, others[] = {build::exp(range({4, 4})), build::exp(range({4, 4}))};
  const ValuePtr rows[] = {build::cat(columns, 1), build::cat(others, 1)};
  EXPECT_EQ(copies(build::cat(rows, 0)), 0u);
}

TEST_F(PartsAreMadeInPlace, AlthoughTheyAreReadLater) {
  const ValuePtr parts[] = {a, b};
  ValuePtr whole = build::cat(parts, 0),
           later = build::matmul(a, build::slice(whole, a->shape, DimVector{4, 0}, DimVector{1, 1}));
  EXPECT_EQ(copies(later), 0u);
}

TEST_F(PartsAreMadeInPlace, ButInOnePlace) {
  const ValuePtr parts[] = {a, b, a}, others[] = {b, a};
  ValuePtr first = build::cat(parts, 0), second = build::cat(others, 0);
  EXPECT_EQ(copies(build::matmul(first, second, false, true)), 3u);
}

TEST_F(PartsAreMadeInPlace, NotWhatSomebodySees) {
  const ValuePtr parts[] = {a, e};
  ValuePtr whole = build::cat(parts, 0);
  c.read({whole, a, e});
  c.finish();
  EXPECT_EQ(c.count<CopyStep>(), 2u);
}

TEST(Arena, MemoryGoesToWhatIsAsLargeForSomeSteps) {
  Arena arena;
  const std::int64_t first = arena.take(1000);
  arena.give_back(first, 1000, 0);
  arena.come_to(1);
  EXPECT_NE(arena.take(300), first);
  EXPECT_EQ(arena.take(1010), first);
  arena.give_back(first, 1010, 0);
  arena.come_to(1 + RestingMemory::kSteps);
  EXPECT_EQ(arena.take(300), first);
}

TEST(Arena, RestingMemoryIsNobodys) {
  Arena arena;
  const std::int64_t first = arena.take(1000);
  arena.give_back(first, 1000, 10);
  arena.come_to(9);
  EXPECT_NE(arena.take(1000), first);
  arena.come_to(10);
  EXPECT_EQ(arena.take(1000), first);
}

TEST(Arena, LittleMemoryRests) {
  Arena arena;
  constexpr std::size_t kBytes = 1 << 16, kMany = 100;
  for (std::size_t step = 0; step < kMany; ++step) {
    arena.come_to(step);
    arena.give_back(arena.take(kBytes), kBytes, step + kMany);
  }
  EXPECT_GT(arena.size(), 10 * kBytes);
  EXPECT_LT(arena.size(), 20 * kBytes);
}

TEST(AssignMemory, TemporariesTakeTurns) {
  Compiled c;
  ValuePtr y = range({64, 64});
  for (int i = 0; i < 20; ++i) y = build::matmul(y, y);
  c.read({y});
  c.finish();
  EXPECT_EQ(c.plan.arena_bytes, 2u * 64 * 64 * 4);  // the one read and the one written
}

TEST(AssignMemory, ArenaPlacesAreAligned) {
  Compiled c;
  ValuePtr x = range({3, 5});
  ValuePtr y = x;
  for (int i = 0; i < 5; ++i) y = build::matmul(build::matmul(y, y, true, false), y, false, true);
  ValuePtr total = build::sum_all(y);
  c.read({total});
  c.finish();
  for (const Step& step : c.plan.steps)
    if (const auto* product = std::get_if<MatmulStep>(&step)) {
      EXPECT_TRUE(product->c.slot != 0 || product->c.offset % 64 == 0) << product->c.offset;
    }
}

TEST(AssignMemory, LiveViewOfAnInputIsThatInput) {
  Compiled c;
  ValuePtr y = build::exp(range({2, 3}));
  ValuePtr turned = build::swap_axes(y, 0, 1);
  c.read({y, turned});
  c.finish();
  ASSERT_EQ(c.program.results.size(), 2u);
  EXPECT_EQ(c.program.results[0].memory, c.program.results[1].memory);
  EXPECT_EQ(c.program.results[1].layout.strides, Attribute::of({1, 3}));
  EXPECT_EQ(c.plan.output_bytes.size(), 1u);
}

}  // namespace
}  // namespace lamina
